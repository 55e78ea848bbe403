/**
 * The show's memory: every event in order, and now and then the whole state, so that little must be read at the next start.
 * One commit is under way at a time; what comes meanwhile goes into the next one. When the disk fails the show goes on: as
 * soon as the disk takes something again it gets the whole state, so that no gap is left.
 */
import { BoxError, messageOf } from '../../core/errors.js'
import { within } from '../../core/lifecycle.js'
import { forgetOldest } from '../../core/oldest.js'
import { Records } from '../../core/records.js'
import type { Of } from '../../core/schema.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Place } from '../../ports/company.js'
import type { Log } from '../../ports/log.js'
import type { Change, Store } from '../../ports/store.js'
import {
  type answerRow,
  commandRow,
  eventRow,
  fireRow,
  inOrder,
  keyOf,
  lastOf,
  placeRow,
  snapshotRow,
} from './journal-rows.js'
import { Keeping, notKept } from './keeping.js'
import type { Times } from './resume.js'
import { FIRES_KEPT, type ShowEvent, type ShowState } from './state.js'

export type Answer = Of<typeof answerRow>
export const ACCEPTED: Answer = { isAccepted: true, code: null, message: null }

/** Events between two snapshots. */
const EVENTS_MAX = 256
/** Commands whose answers are remembered. */
export const COMMANDS_MAX = 1024
/** Entries that wait for a slow disk. */
const QUEUE_MAX = 4096
const ROWS_MAX = 10_000
const COMMIT_MS_MAX = 5_000
const RETRY_MS_MIN = 5_000
const RETRY_MS_MAX = 60_000
const SNAPSHOT = 'snapshot'
const PLACE = 'last'

/** What was kept of the last run. */
export interface Kept {
  readonly digest: string
  readonly state: ShowState
  readonly events: readonly ShowEvent[]
  /** When the last of it was written. */
  readonly times: Times
}

/** What one command or input did. */
export interface Entry {
  readonly events: readonly ShowEvent[]
  /** Null for what the box does by itself: nobody asks a second time. */
  readonly commandId: string | null
  readonly answer: Answer
  /** In the log of the venue's boxes; null for what is this box's alone. */
  readonly place: Place | null
  /** Hears the answer when everything is on the disk, or another one when it is not. */
  readonly done: (answer: Answer) => void
}

export interface JournalOptions {
  readonly digest: string
  /** The state with every event in that was given to `keep`. */
  readonly state: () => ShowState
}

export class Journal {
  readonly #clock: Clock
  readonly #log: Log
  readonly #store: Store
  readonly #options: JournalOptions
  readonly #snapshots: Records<Of<typeof snapshotRow>>
  readonly #events: Records<Of<typeof eventRow>>
  readonly #fires: Records<Of<typeof fireRow>>
  readonly #commands: Records<Of<typeof commandRow>>
  readonly #places: Records<Of<typeof placeRow>>
  readonly #queue: Entry[] = []
  readonly #answers = new Map<string, Answer>()
  readonly #keeping: Keeping
  #fireIds: string[] = []
  #place: Place = { epoch: 0, position: 0 }
  #sequence = 0
  #idOrder = 0
  #eventCount = 0
  /** The tables may have gaps or rot: the next commit writes everything anew. */
  #isTorn = false
  #isClosed = false
  #retryMs = RETRY_MS_MIN
  #isCommitting = false
  /** Something came since the commit that is under way began. */
  #isBehind = false
  #turn: Promise<void> = Promise.resolve()
  #cancelRetry: Cancel = () => {}

  constructor(clock: Clock, log: Log, store: Store, options: JournalOptions) {
    this.#clock = clock
    this.#log = log
    this.#store = store
    this.#options = options
    this.#keeping = new Keeping(clock)
    this.#snapshots = new Records(store, 'show-state', snapshotRow)
    this.#events = new Records(store, 'show-events', eventRow)
    this.#fires = new Records(store, 'show-fires', fireRow)
    this.#commands = new Records(store, 'show-commands', commandRow)
    this.#places = new Records(store, 'show-place', placeRow)
  }

  /** What was kept; null at the first start, and when it cannot be read: a box with a rotten disk still runs its show. */
  async open(): Promise<Kept | null> {
    try {
      return await within(this.#clock, COMMIT_MS_MAX, 'the show journal was not read', this.#read())
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#log.error('show.journal-unreadable', { code: error.code, error: messageOf(error) })
      this.#isTorn = true
      return null
    }
  }

  async #read(): Promise<Kept | null> {
    const commands = await this.#commands.scan('', null, ROWS_MAX)
    for (const { key, record } of inOrder(commands)) this.#answers.set(key, record.answer)
    const fires = await this.#fires.scan('', null, ROWS_MAX)
    this.#fireIds.push(...inOrder(fires).map(({ key }) => key))
    this.#idOrder = lastOf([...commands, ...fires])
    this.#place = (await this.#places.read(PLACE)) ?? this.#place
    const snapshot = await this.#snapshots.read(SNAPSHOT)
    if (!snapshot) return null
    const rows = await this.#events.scan(keyOf(snapshot.sequence + 1), null, ROWS_MAX)
    const last = rows.at(-1)
    this.#sequence = last ? Number(last.key) : snapshot.sequence
    this.#eventCount = rows.length
    return {
      digest: snapshot.digest,
      state: snapshot.state,
      events: rows.map(({ record }) => record.event),
      times: last
        ? { showMs: last.record.event.atMs, wallMs: last.record.wallMs }
        : { showMs: snapshot.showMs, wallMs: snapshot.wallMs },
    }
  }

  /** Whether the disk takes what is given to it, and has for a while. */
  get isKeeping(): boolean {
    return this.#keeping.isWell
  }

  /** How far it goes in the log of the venue's boxes. */
  get place(): Place {
    return this.#place
  }

  /** Of the commands that it knows, in the order in which they came. */
  get ids(): readonly string[] {
    return [...this.#answers.keys()]
  }

  /** Whether a command or a fire with this id is in it. */
  knows(id: string): boolean {
    return this.#answers.has(id) || this.#fireIds.includes(id)
  }

  /** The answer that the command with this id got; undefined when it is not known (any more). */
  answerTo(id: string): Answer | undefined {
    return this.#answers.get(id)
  }

  /** Takes an entry; its `done` is called once, from a later turn. */
  keep(entry: Entry): void {
    this.#place = entry.place ?? this.#place
    if (this.#queue.length < QUEUE_MAX) this.#queue.push(entry)
    else this.#refuse(entry)
    this.#flush()
  }

  #refuse(entry: Entry): void {
    this.#isTorn = true
    entry.done(notKept(new BoxError('storage.io', 'the journal is too far behind')))
  }

  /** The state is another box's now, with these as the last that was done. */
  adopt(place: Place, fires: readonly string[], ids: readonly string[]): void {
    this.#place = place
    this.#fireIds = fires.slice(-FIRES_KEPT)
    for (const id of ids) if (!this.#answers.has(id)) this.#answers.set(id, ACCEPTED)
    forgetOldest(this.#answers, COMMANDS_MAX)
    this.keepState()
  }

  /** Writes the whole state: after a start, whose catching up is no event. */
  keepState(): void {
    this.#isTorn = true
    this.#flush()
  }

  /** Ends when what was under way is on the disk, or has failed. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelRetry()
    // The second turn takes what came during the first.
    for (let turn = 0; turn < 3 && this.#isCommitting; turn++) await this.#turn
  }

  #flush(): void {
    this.#isBehind = this.#isCommitting
    if (this.#isCommitting) return
    this.#isCommitting = true
    this.#cancelRetry()
    this.#turn = this.#commit().finally(() => {
      this.#isCommitting = false
      if (this.#isBehind) this.#flush()
    })
  }

  async #commit(): Promise<void> {
    const entries = this.#queue.splice(0)
    const failure = await this.#write(entries)
    for (const { commandId, answer, done } of entries) {
      const given = failure ? notKept(failure) : answer
      // Asked again, the command gets the answer that it got.
      if (failure && commandId !== null) this.#answers.set(commandId, given)
      done(given)
    }
  }

  async #write(entries: readonly Entry[]): Promise<BoxError | null> {
    const isWhole = this.#isTorn || this.#eventCount + entries.length > EVENTS_MAX
    const added = this.#addedChanges(entries)
    const changes = isWhole ? this.#wholeChanges() : added
    this.#isTorn = false
    this.#keeping.begin()
    try {
      const work = this.#store.commit(changes)
      await within(this.#clock, COMMIT_MS_MAX, 'the show journal did not commit', work)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#keeping.end({ isKept: false })
      this.#fail(error)
      return error
    }
    this.#keeping.end({ isKept: true })
    if (this.#retryMs > RETRY_MS_MIN) this.#log.info('show.journal-recovered')
    this.#retryMs = RETRY_MS_MIN
    return null
  }

  #fail(error: BoxError): void {
    this.#isTorn = true
    this.#log.error('show.journal-failed', { code: error.code, error: messageOf(error) })
    if (this.#isClosed) return
    this.#cancelRetry()
    this.#cancelRetry = this.#clock.runAt(after(this.#clock.monotonicMs(), this.#retryMs), () =>
      this.#flush(),
    )
    this.#retryMs = Math.min(RETRY_MS_MAX, this.#retryMs * 2)
  }

  #addedChanges(entries: readonly Entry[]): Change[] {
    const wallMs = this.#clock.wallTimeMs()
    const changes: Change[] = []
    for (const { events, commandId, answer } of entries) {
      for (const event of events) {
        this.#eventCount++
        changes.push(this.#events.put(keyOf(++this.#sequence), { wallMs, event }))
        if (event.deed.kind === 'fire') changes.push(...this.#addFire(event.deed.id))
      }
      if (commandId !== null) changes.push(...this.#addCommand(commandId, answer))
    }
    if (entries.some(({ place }) => place !== null)) changes.push(this.#putPlace())
    return changes
  }

  /** A fire id is there once: the table itself refuses a second one. */
  #addFire(id: string): Change[] {
    if (this.#fireIds.includes(id)) return []
    this.#fireIds.push(id)
    const over = this.#fireIds.splice(0, Math.max(0, this.#fireIds.length - FIRES_KEPT))
    return [
      this.#fires.insert(id, { sequence: ++this.#idOrder }),
      ...over.map(old => this.#fires.remove(old)),
    ]
  }

  #addCommand(id: string, given: Answer): Change[] {
    if (this.#answers.has(id)) return []
    this.#answers.set(id, given)
    const over = [...this.#answers.keys()].slice(0, Math.max(0, this.#answers.size - COMMANDS_MAX))
    for (const old of over) this.#answers.delete(old)
    return [
      this.#commands.insert(id, { sequence: ++this.#idOrder, answer: given }),
      ...over.map(old => this.#commands.remove(old)),
    ]
  }

  #putPlace(): Change {
    return this.#places.put(PLACE, { ...this.#place })
  }

  /** Everything anew, in place of all that is there. */
  #wholeChanges(): Change[] {
    this.#eventCount = 0
    this.#idOrder = Math.max(this.#idOrder, this.#answers.size, this.#fireIds.length)
    return [
      this.#events.clear('', null),
      this.#fires.clear('', null),
      this.#commands.clear('', null),
      this.#putPlace(),
      ...this.#fireIds.map((id, index) => this.#fires.put(id, { sequence: index })),
      ...[...this.#answers].map(([id, given], index) =>
        this.#commands.put(id, { sequence: index, answer: given }),
      ),
      this.#snapshots.put(SNAPSHOT, {
        digest: this.#options.digest,
        sequence: this.#sequence,
        wallMs: this.#clock.wallTimeMs(),
        showMs: this.#clock.showTimeMs(),
        state: this.#options.state(),
      }),
    ]
  }
}
