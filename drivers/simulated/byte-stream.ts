/** A serial port of the simulated board; the far side is whatever a test puts there. */
import { DeviceError, type ErrorCode } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import type { ByteStream } from '../../runtime/ports/host.js'

const WRITTEN_BYTES_MAX = 1024 * 1024

export class SimulatedByteStream {
  readonly name: string
  /** Hears each write, as the device at the far end would. */
  readonly sent = new Signal<Uint8Array>()
  readonly #received = new Signal<Uint8Array>()
  readonly #written: Uint8Array[] = []
  #writtenBytes = 0
  #isTaken = false
  /** Every use of the port fails with this code; null: it is well. */
  fault: ErrorCode | null = null

  constructor(name: string) {
    this.name = name
  }

  /** What the host wrote last, at most a megabyte of it. */
  written(): Uint8Array {
    const all = new Uint8Array(this.#writtenBytes)
    let at = 0
    for (const bytes of this.#written) {
      all.set(bytes, at)
      at += bytes.length
    }
    return all
  }

  /** Bytes come in from the far end. */
  receive(bytes: Uint8Array): void {
    if (this.#isTaken) this.#received.emit(Uint8Array.from(bytes))
  }

  /** A handle as the host gives it out: one at a time may be open. */
  stream(): ByteStream {
    let isOpen = false
    return {
      name: this.name,
      open: async () => {
        this.#requireWell()
        if (this.#isTaken) throw new DeviceError('device.busy', `port ${this.name} is in use`)
        isOpen = true
        this.#isTaken = true
      },
      write: async bytes => {
        if (!isOpen) throw new DeviceError('device.absent', `port ${this.name} is not open`)
        this.#requireWell()
        this.#take(Uint8Array.from(bytes))
      },
      onBytes: listener => this.#received.listen(listener),
      close: async () => {
        if (isOpen) this.#isTaken = false
        isOpen = false
      },
    }
  }

  #take(bytes: Uint8Array): void {
    this.#written.push(bytes)
    this.#writtenBytes += bytes.length
    while (this.#writtenBytes > WRITTEN_BYTES_MAX)
      this.#writtenBytes -= this.#written.shift()?.length ?? this.#writtenBytes
    this.sent.emit(bytes)
  }

  #requireWell(): void {
    if (this.fault) throw new DeviceError(this.fault, `port ${this.name} fails with ${this.fault}`)
  }
}
