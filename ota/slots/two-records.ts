/**
 * One value that is kept in two records. Each change is written to both, one after the other, each synced: a cut tears one
 * of them at most, and at rest a rotten one costs nothing, since the other says the same.
 */
import { messageOf } from '../../runtime/core/errors.js'
import type { Keys } from '../../runtime/ports/keys.js'
import type { Log } from '../../runtime/ports/log.js'
import type { SlotDisk } from '../../runtime/ports/slot-disk.js'

export interface Numbered<T> {
  /** The higher one is the truth. */
  readonly sequence: number
  readonly state: T
}

export interface RecordForm<T> {
  readonly files: readonly [string, string]
  /** What these records are called in the log: `slots`, `os`. */
  readonly family: string
  readonly byteCountMax: number
  encode(keys: Keys, record: Numbered<T>): Uint8Array
  /** Null for a record that is torn, rotten, or of a kind that nobody here writes. */
  decode(keys: Keys, bytes: Uint8Array): Numbered<T> | null
}

interface Found<T> {
  /** Null: torn, rotten, or not there. */
  readonly records: readonly (Numbered<T> | null)[]
  readonly newest: Numbered<T> | null
}

export interface RecordPorts {
  readonly disk: SlotDisk
  readonly keys: Keys
  readonly log: Log
}

/** One process at a time may write. */
export class TwoRecords<T> {
  readonly #ports: RecordPorts
  readonly #form: RecordForm<T>

  constructor(ports: RecordPorts, form: RecordForm<T>) {
    this.#ports = ports
    this.#form = form
  }

  /** Null when neither record can be read: what is known must be found out by other means. */
  async read(): Promise<T | null> {
    return (await this.#find()).newest?.state ?? null
  }

  /**
   * After this resolves the new state is there after any power cut, and after either record has rotted. When it throws,
   * or is cut, the state is the old one or the new one.
   */
  async write(state: T): Promise<void> {
    const { records, newest } = await this.#find()
    const record = { sequence: (newest?.sequence ?? 0) + 1, state }
    const bytes = this.#form.encode(this.#ports.keys, record)
    // First over the one that is not needed: until the new record is whole, the newest old one is.
    const order = records[0] === newest && newest !== null ? [1, 0] : [0, 1]
    for (const index of order)
      await this.#ports.disk.writeSynced(this.#form.files[index === 0 ? 0 : 1], bytes)
  }

  /** Makes both records say the same again after a cut. For who writes, before anything else does. */
  async repair(): Promise<T | null> {
    const { records, newest } = await this.#find()
    if (newest === null) return null
    const bytes = this.#form.encode(this.#ports.keys, newest)
    for (const [index, name] of this.#form.files.entries()) {
      if (records[index]?.sequence === newest.sequence) continue
      const facts = { record: name, sequence: newest.sequence }
      this.#ports.log.warn(`${this.#form.family}.record-repaired`, facts)
      await this.#ports.disk.writeSynced(name, bytes)
    }
    return newest.state
  }

  async #find(): Promise<Found<T>> {
    const records = await Promise.all(this.#form.files.map(name => this.#readOne(name)))
    const [first = null, second = null] = records
    const isSecondNewer = (second?.sequence ?? -1) > (first?.sequence ?? -1)
    return { records: [first, second], newest: isSecondNewer ? second : first }
  }

  async #readOne(name: string): Promise<Numbered<T> | null> {
    const { disk, keys, log } = this.#ports
    try {
      const bytes = await disk.read(name, this.#form.byteCountMax)
      return bytes && this.#form.decode(keys, bytes)
    } catch (error) {
      // A block that cannot be read is as good as rotten: that is what the other record is for.
      const facts = { record: name, problem: messageOf(error) }
      log.warn(`${this.#form.family}.record-unreadable`, facts)
      return null
    }
  }
}
