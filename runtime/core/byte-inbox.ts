import type { Cancel } from '../ports/clock.js'
import { Signal } from './signal.js'

/** What came in on a byte stream, kept in order for whoever listens. */
export class ByteInbox {
  readonly #bytesMax: number
  readonly #heard = new Signal<Uint8Array>()
  #kept: Uint8Array[] = []
  #keptBytes = 0

  /** @param bytesMax when nobody has listened to so many, `isFull` asks to bring no more */
  constructor({ bytesMax }: { readonly bytesMax: number }) {
    this.#bytesMax = bytesMax
  }

  get isFull(): boolean {
    return this.#keptBytes >= this.#bytesMax
  }

  /** What is kept is told soon, but not before this call has returned. */
  listen(listener: (bytes: Uint8Array) => void): Cancel {
    const cancel = this.#heard.listen(listener)
    void Promise.resolve().then(() => this.tell())
    return cancel
  }

  /** The bytes are the inbox's from now on. */
  push(bytes: Uint8Array): void {
    this.keep(bytes)
    this.tell()
  }

  /** As `push`, but nobody is told before the next `tell`. */
  keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#kept.push(bytes)
    this.#keptBytes += bytes.length
  }

  tell(): void {
    while (this.#heard.isHeard) {
      const bytes = this.#kept.shift()
      if (bytes === undefined) return
      this.#keptBytes -= bytes.length
      this.#heard.emit(bytes)
    }
  }

  clear(): void {
    this.#kept = []
    this.#keptBytes = 0
  }
}
