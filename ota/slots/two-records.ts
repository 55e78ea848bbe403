/**
 * One value that is kept in two records. Each change is written to both, one after the other, each synced: a cut tears one
 * of them at most, and at rest a rotten one costs nothing, since the other says the same. A record that cannot be read or
 * written at all costs nothing either, as long as the other one can.
 */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
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

interface One<T> {
  readonly name: string
  readonly record: Numbered<T> | null
  /** Why there is none; null: it can be read. */
  readonly problem: string | null
}

interface Found<T> {
  readonly both: readonly [One<T>, One<T>]
  readonly newest: Numbered<T> | null
}

export interface RecordPorts {
  readonly disk: SlotDisk
  readonly keys: Keys
  readonly log: Log
}

const NEXT = '.next'
const MISSING = 'is not there'
const OLDER = 'is older than the other one'

/** One process at a time may write. Within it, calls come one after the other, so that nobody reads half a write. */
export class TwoRecords<T> {
  readonly #ports: RecordPorts
  readonly #form: RecordForm<T>
  #last: Promise<unknown> = Promise.resolve()
  /** As this process read or wrote it last. */
  #known: Numbered<T> | null = null
  /** By file, as found last. */
  readonly #problems = new Map<string, string>()
  /** By file, as it failed last. */
  readonly #unwritten = new Map<string, string>()
  /** By file: what was wrong when it was written again. */
  readonly #mended = new Map<string, string>()

  constructor(ports: RecordPorts, form: RecordForm<T>) {
    this.#ports = ports
    this.#form = form
  }

  /** For people: what is, or was, wrong with the records since this process began. */
  get troubles(): readonly string[] {
    return this.#form.files.flatMap(name => {
      const problem = this.#unwritten.get(name) ?? this.#problems.get(name)
      const was = this.#mended.get(name)
      const mended = was === undefined ? null : `${was}, and was written again`
      const words = problem ?? mended
      return words === null ? [] : `${name} ${words}: cards announce their end this way`
    })
  }

  /** Null when neither record can be read: what is known must be found out by other means. */
  read(): Promise<T | null> {
    return this.#inTurn(async () => (await this.#find()).newest?.state ?? null)
  }

  /**
   * For who alone writes at this time: as `read`, but a record that is not what the other one says is written again, once
   * for each way in which it is wrong. When both are gone, so are both, as they were when this process saw them last.
   */
  readAndMend(): Promise<T | null> {
    return this.#inTurn(async () => {
      const before = new Map(this.#problems)
      const { both, newest } = await this.#find()
      if (newest === null) return this.#recall(both)
      const isNews = both.some(({ name }) => this.#problems.get(name) !== before.get(name))
      if (isNews) await this.#mend(both, newest)
      return newest.state
    })
  }

  /**
   * After this resolves the new state is there after any power cut, and after either record has rotted, if both could be
   * written. When it throws, or is cut, the state is the old one or the new one.
   * @throws BoxError `storage.io`, `storage.full` when neither could be
   */
  write(state: T): Promise<void> {
    return this.#inTurn(async () => {
      const { both, newest } = await this.#find()
      await this.#write(both, newest, state)
    })
  }

  /**
   * Makes both records say the same again after a cut. For who writes, before anything else does. What cannot be written
   * is told, and no reason not to go on.
   */
  repair(): Promise<T | null> {
    return this.#inTurn(async () => {
      const { both, newest } = await this.#find()
      if (newest === null) return null
      await this.#mend(both, newest)
      return newest.state
    })
  }

  async #recall(both: Found<T>['both']): Promise<T | null> {
    const known = this.#known
    if (known === null) return null
    this.#ports.log.error(`${this.#form.family}.records-recalled`, { sequence: known.sequence })
    try {
      await this.#write(both, null, known.state)
    } catch (error) {
      this.#tellUnwritten(this.#form.files[0], error)
    }
    return known.state
  }

  async #write(both: Found<T>['both'], newest: Numbered<T> | null, state: T): Promise<void> {
    const last = Math.max(newest?.sequence ?? 0, this.#known?.sequence ?? 0)
    const record = { sequence: last + 1, state }
    const bytes = this.#form.encode(this.#ports.keys, record)
    // First over the one that is not needed: until the new record is whole, the newest old one is.
    const isFirstNeeded = newest !== null && both[0].record === newest
    const [first, second] = isFirstNeeded ? [both[1], both[0]] : [both[0], both[1]]
    const failure = await this.#put(first.name, bytes)
    if (failure === null) {
      const other = await this.#put(second.name, bytes)
      if (other !== null) this.#tellUnwritten(second.name, other)
    } else {
      if (failure.code === 'storage.full') throw failure
      // Now the other one is all there is: it is the old or the new one at every moment.
      await this.#ports.disk.writeSynced(`${second.name}${NEXT}`, bytes)
      await this.#ports.disk.rename(`${second.name}${NEXT}`, second.name)
      this.#tellUnwritten(first.name, failure)
    }
    this.#known = record
  }

  async #mend(both: Found<T>['both'], newest: Numbered<T>): Promise<void> {
    const bytes = this.#form.encode(this.#ports.keys, newest)
    const { log } = this.#ports
    for (const { name, record, problem } of both) {
      if (record?.sequence === newest.sequence) continue
      const failure = await this.#put(name, bytes)
      if (failure !== null) {
        this.#tellUnwritten(name, failure)
        continue
      }
      const was = problem ?? OLDER
      log.warn(`${this.#form.family}.record-repaired`, { record: name, was })
      this.#problems.delete(name)
      this.#mended.set(name, was)
    }
  }

  /** In place; where that fails, as a file of its own: a block that is bad, or whatever else has taken the name, is left. */
  async #put(name: string, bytes: Uint8Array): Promise<BoxError | null> {
    const { disk } = this.#ports
    try {
      await disk.writeSynced(name, bytes).catch(async (error: unknown) => {
        if (!(error instanceof BoxError) || error.code === 'storage.full') throw error
        await disk.removeTree(name)
        await disk.writeSynced(name, bytes)
      })
      this.#unwritten.delete(name)
      return null
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      return error
    }
  }

  /** Once, until it is another one. */
  #tellUnwritten(name: string, error: unknown): void {
    if (!(error instanceof BoxError)) throw error
    const problem = `cannot be written: ${messageOf(error)}`
    if (this.#unwritten.get(name) === problem) return
    this.#unwritten.set(name, problem)
    this.#ports.log.warn(`${this.#form.family}.record-unwritten`, { record: name, problem })
  }

  async #find(): Promise<Found<T>> {
    const [one, two] = this.#form.files
    const both = [await this.#readOne(one), await this.#readOne(two)] as const
    const [first, second] = [both[0].record, both[1].record]
    const isSecondNewer = (second?.sequence ?? -1) > (first?.sequence ?? -1)
    const newest = isSecondNewer ? second : first
    for (const found of both) this.#note(found, newest)
    if (newest !== null) this.#known = newest
    return { both, newest }
  }

  /** Told once, until it is something else. */
  #note({ name, record, problem }: One<T>, newest: Numbered<T> | null): void {
    const isOlder = record !== null && record.sequence !== newest?.sequence
    // Of a home in which nothing was written yet there is nothing to tell.
    const isNew = newest === null && problem === MISSING
    const found = isNew ? null : (problem ?? (isOlder ? OLDER : null))
    if (found === (this.#problems.get(name) ?? null)) return
    if (found === null) this.#problems.delete(name)
    else this.#problems.set(name, found)
    if (found !== null && found !== OLDER)
      this.#ports.log.warn(`${this.#form.family}.record-unreadable`, {
        record: name,
        problem: found,
      })
  }

  async #readOne(name: string): Promise<One<T>> {
    const { disk, keys } = this.#ports
    try {
      const bytes = await disk.read(name, this.#form.byteCountMax)
      if (bytes === null) return { name, record: null, problem: MISSING }
      const record = this.#form.decode(keys, bytes)
      return { name, record, problem: record === null ? 'is damaged' : null }
    } catch (error) {
      // A block that cannot be read is as good as rotten: that is what the other record is for.
      return { name, record: null, problem: `cannot be read: ${messageOf(error)}` }
    }
  }

  #inTurn<R>(task: () => Promise<R>): Promise<R> {
    const done = this.#last.then(task)
    this.#last = done.catch(() => {})
    return done
  }
}
