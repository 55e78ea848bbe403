/** What a person has asked for with `roadcase ota apply`: on the disk, so that a power cut in between does not forget it. */
import {
  check,
  literal,
  nullable,
  type Of,
  object,
  pattern,
  string,
} from '../../runtime/core/schema.js'
import type { Files } from '../../runtime/ports/files.js'
import type { Log } from '../../runtime/ports/log.js'

const asked = object({
  format: literal(1),
  /** Of the release that was ordered then: what is ordered later, nobody has asked for. */
  digest: pattern(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits'),
  /** Who overrules what a person may, and why; null: nobody. */
  force: nullable(
    object({ owner: string({ min: 1, max: 64 }), reason: string({ min: 1, max: 256 }) }),
  ),
})

/** What a person forces, and why: it is in the log. */
export interface Forced {
  readonly owner: string
  readonly reason: string
}

export class Asked {
  readonly #files: Files
  readonly #log: Log
  readonly #file: string
  #asked: Of<typeof asked> | null = null

  constructor(files: Files, log: Log, file = 'asked.json') {
    this.#files = files
    this.#log = log
    this.#file = file
  }

  /** What cannot be read is as if nobody had asked: no reason to take no release at all. */
  async load(): Promise<void> {
    try {
      const bytes = await this.#files.read(this.#file)
      if (bytes !== null)
        this.#asked = check(asked, JSON.parse(new TextDecoder().decode(bytes)), this.#file)
    } catch (error) {
      this.#log.warn('ota.asked-lost', { error })
    }
  }

  isFor(digest: string | null): boolean {
    return digest !== null && this.#asked?.digest === digest
  }

  isForced(digest: string | null): boolean {
    return this.isFor(digest) && this.#asked?.force !== null
  }

  /** On the disk when it resolves. @throws BoxError `storage.full`, `storage.io` */
  async ask(digest: string, force: Forced | null): Promise<void> {
    await this.#replace({ format: 1, digest, force })
  }

  /** Whoever holds a release back after it was forced has the last word. */
  async unforce(): Promise<void> {
    if (this.#asked?.force) await this.#replace({ ...this.#asked, force: null })
  }

  /** It was done, or will not be. A card that keeps the file stops nobody's way back. */
  async forget(): Promise<void> {
    if (this.#asked === null) return
    this.#asked = null
    await this.#files.remove(this.#file).catch((error: unknown) => {
      this.#log.warn('ota.asked-kept', { error })
    })
  }

  async #replace(next: Of<typeof asked>): Promise<void> {
    await this.#files.replace(this.#file, new TextEncoder().encode(JSON.stringify(next)))
    this.#asked = next
  }
}
