/** What a box must not forget of a switch together, whatever happens in the middle of it. */
import {
  check,
  list,
  literal,
  name,
  number,
  type Of,
  object,
  oneOf,
  pattern,
  string,
} from '../../runtime/core/schema.js'
import type { Files } from '../../runtime/ports/files.js'

const FILE = 'venue-switch.json'

const record = object({
  format: literal(1),
  digest: pattern(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits'),
  /** Show time of the switch. */
  at: number({ min: -8.64e15, max: 8.64e15 }),
  /**
   * `switching`: written before the slot is. `back`: this box went back for the others' sake, and may try again when
   * that is over.
   */
  stage: oneOf('switching', 'back'),
  why: string({ max: 512 }),
  /** Who took part, this box included. */
  members: list(name, { max: 256 }),
})

export type VenueRecord = Readonly<Of<typeof record>>

export class VenueRecords {
  readonly #files: Files

  constructor(files: Files) {
    this.#files = files
  }

  /** Null when there is none, or none that can be read: the switch is then judged like one of a box alone. */
  async read(): Promise<VenueRecord | null> {
    const bytes = await this.#files.read(FILE)
    if (bytes === null) return null
    try {
      return check(record, JSON.parse(new TextDecoder().decode(bytes)), FILE)
    } catch {
      // Rotten: as if it were not there.
      return null
    }
  }

  async write(written: Omit<VenueRecord, 'format'>): Promise<void> {
    const text = JSON.stringify({ format: 1, ...written })
    await this.#files.replace(FILE, new TextEncoder().encode(text))
  }

  async remove(): Promise<void> {
    await this.#files.remove(FILE)
  }
}
