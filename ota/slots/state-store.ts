/**
 * The two records in which the state of the slots is kept. Each change is written to both, one after the other, each
 * synced: a cut tears one of them at most, and at rest a rotten one costs nothing, since the other says the same.
 */
import { messageOf } from '../../runtime/core/errors.js'
import type { Keys } from '../../runtime/ports/keys.js'
import type { Log } from '../../runtime/ports/log.js'
import type { SlotDisk } from '../../runtime/ports/slot-disk.js'
import type { State } from './slot-state.js'
import { decodeRecord, encodeRecord, RECORD_BYTES_MAX, type StateRecord } from './state-record.js'

export const RECORD_FILES = ['slots/state.0', 'slots/state.1'] as const

interface Found {
  /** Null: torn, rotten, or not there. */
  readonly records: readonly (StateRecord | null)[]
  readonly newest: StateRecord | null
}

/** One process at a time may write: the launcher while nothing of a slot runs, the updater while it does. */
export class StateStore {
  readonly #disk: SlotDisk
  readonly #keys: Keys
  readonly #log: Log

  constructor(ports: { disk: SlotDisk; keys: Keys; log: Log }) {
    this.#disk = ports.disk
    this.#keys = ports.keys
    this.#log = ports.log
  }

  /** Null when neither record can be read: what is known must be found out from the slots themselves. */
  async read(): Promise<State | null> {
    return (await this.#find()).newest?.state ?? null
  }

  /**
   * After this resolves the new state is there after any power cut, and after either record has rotted. When it throws,
   * or is cut, the state is the old one or the new one.
   */
  async write(state: State): Promise<void> {
    const { records, newest } = await this.#find()
    const record = { sequence: (newest?.sequence ?? 0) + 1, state }
    const bytes = encodeRecord(this.#keys, record)
    // First over the one that is not needed: until the new record is whole, the newest old one is.
    const order = records[0] === newest && newest !== null ? [1, 0] : [0, 1]
    for (const index of order)
      await this.#disk.writeSynced(RECORD_FILES[index === 0 ? 0 : 1], bytes)
  }

  /** Makes both records say the same again after a cut. For the launcher, before anything runs. */
  async repair(): Promise<State | null> {
    const { records, newest } = await this.#find()
    if (newest === null) return null
    const bytes = encodeRecord(this.#keys, newest)
    for (const [index, name] of RECORD_FILES.entries()) {
      if (records[index]?.sequence === newest.sequence) continue
      this.#log.warn('slots.record-repaired', { record: name, sequence: newest.sequence })
      await this.#disk.writeSynced(name, bytes)
    }
    return newest.state
  }

  async #find(): Promise<Found> {
    const records = await Promise.all(RECORD_FILES.map(name => this.#readOne(name)))
    const [first = null, second = null] = records
    const isSecondNewer = (second?.sequence ?? -1) > (first?.sequence ?? -1)
    return { records: [first, second], newest: isSecondNewer ? second : first }
  }

  async #readOne(name: string): Promise<StateRecord | null> {
    try {
      const bytes = await this.#disk.read(name, RECORD_BYTES_MAX)
      return bytes && decodeRecord(this.#keys, bytes)
    } catch (error) {
      // A block that cannot be read is as good as rotten: that is what the other record is for.
      this.#log.warn('slots.record-unreadable', { record: name, problem: messageOf(error) })
      return null
    }
  }
}
