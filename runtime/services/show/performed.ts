/**
 * How far the actions of each fire have gone, on the disk: so that a restart can tell what it missed from what was done.
 * Written at most once a second, and at the end; a power cut in between costs a wrong line in the log, and no action.
 */
import { BoxError, messageOf } from '../../core/errors.js'
import { within } from '../../core/lifecycle.js'
import { Records } from '../../core/records.js'
import { list, number, type Of, object, string } from '../../core/schema.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { Store } from '../../ports/store.js'
import { OPEN_MAX } from './state.js'

const WRITE_MS = 1_000
const DISK_MS_MAX = 5_000
const LAST = 'last'

/** Offsets from the moment of the fire: the timeline may be another one after a restart. */
const row = object({
  fires: list(
    object({ fire: string({ max: 128 }), offsetMs: number({ min: -8.64e15, max: 8.64e15 }) }),
    { max: OPEN_MAX },
  ),
})

export class Performed {
  readonly #clock: Clock
  readonly #log: Log
  readonly #store: Store
  readonly #records: Records<Of<typeof row>>
  /** In the order of their last action; the oldest give way. */
  readonly #reached = new Map<string, number>()
  #isDue = false
  #writing: Promise<void> = Promise.resolve()
  #cancel: Cancel = () => {}

  constructor(clock: Clock, log: Log, store: Store) {
    this.#clock = clock
    this.#log = log
    this.#store = store
    this.#records = new Records(store, 'show-performed', row)
  }

  /** What cannot be read is taken for not done, and is not done again all the same. */
  async open(): Promise<void> {
    try {
      const reading = this.#records.read(LAST)
      const kept = await within(this.#clock, DISK_MS_MAX, 'the actions were not read', reading)
      for (const { fire, offsetMs } of kept?.fires ?? []) this.#reached.set(fire, offsetMs)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#log.warn('show.performed-unreadable', { code: error.code, error: messageOf(error) })
    }
  }

  /** Milliseconds from the moment of the fire up to which its actions are done; null when none is known to be. */
  reached(fire: string): number | null {
    return this.#reached.get(fire) ?? null
  }

  note(fire: string, offsetMs: number): void {
    const furthest = Math.max(offsetMs, this.#reached.get(fire) ?? offsetMs)
    this.#reached.delete(fire)
    this.#reached.set(fire, furthest)
    const oldest = this.#reached.size > OPEN_MAX ? this.#reached.keys().next().value : undefined
    if (oldest !== undefined) this.#reached.delete(oldest)
    if (this.#isDue) return
    this.#isDue = true
    this.#cancel = this.#clock.runAt(after(this.#clock.monotonicMs(), WRITE_MS), () =>
      this.#write(),
    )
  }

  /** Ends when the last of it is on the disk, or has failed. */
  async close(): Promise<void> {
    this.#cancel()
    if (this.#isDue) this.#write()
    await this.#writing
  }

  #write(): void {
    this.#isDue = false
    const fires = [...this.#reached].map(([fire, offsetMs]) => ({ fire, offsetMs }))
    const commit = this.#store.commit([this.#records.put(LAST, { fires })])
    const writing = within(this.#clock, DISK_MS_MAX, 'the actions were not written', commit)
    this.#writing = writing.catch(error => {
      if (!(error instanceof BoxError)) throw error
      // The journal tells of a disk that fails; this is only about a line in the log.
      this.#log.warn('show.performed-not-kept', { code: error.code })
    })
  }
}
