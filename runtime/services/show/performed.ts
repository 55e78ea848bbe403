/**
 * How far the actions of each fire have gone, on the disk: so that a restart can tell what it missed from what was done.
 * Written behind the action, which must not wait for a disk, at most once a second, and at the end. What a power cut left
 * unwritten is neither: nobody knows, and the log says so. It is never done again.
 */

import { BoxError, messageOf } from '../../core/errors.js'
import { within } from '../../core/lifecycle.js'
import { forgetOldest } from '../../core/oldest.js'
import { Records } from '../../core/records.js'
import { boolean, list, number, type Of, object, string, withDefault } from '../../core/schema.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { Store } from '../../ports/store.js'
import { OPEN_MAX } from './state.js'

const WRITE_MS = 1_000
const DISK_MS_MAX = 5_000
const LAST = 'last'
/** An action is written down by then: a picture is told of when it is taken, then comes the pause, then the disk. */
const WRITTEN_MS_MAX = 5_000 + WRITE_MS + DISK_MS_MAX

/** Offsets from the moment of the fire: the timeline may be another one after a restart. */
export const performedRow = object({
  fires: list(
    object({ fire: string({ max: 128 }), offsetMs: number({ min: -8.64e15, max: 8.64e15 }) }),
    { max: OPEN_MAX },
  ),
  /** Written by an orderly stop: what is not here was not done. */
  isWhole: withDefault(boolean, false),
})

/** What is known of an action that came due before the start. */
export type Outcome = 'done' | 'missed' | 'unknown'

export class Performed {
  readonly #clock: Clock
  readonly #log: Log
  readonly #store: Store
  readonly #records: Records<Of<typeof performedRow>>
  /** In the order of their last action; the oldest give way. */
  readonly #reached = new Map<string, number>()
  /** The last run was stopped in order, and nothing has been done since. */
  #isWhole = false
  #isOpen = false
  #isDue = false
  #writtenMs = Number.NEGATIVE_INFINITY
  #writing: Promise<void> = Promise.resolve()
  #cancel: Cancel = () => {}

  constructor(clock: Clock, log: Log, store: Store) {
    this.#clock = clock
    this.#log = log
    this.#store = store
    this.#records = new Records(store, 'show-performed', performedRow)
  }

  /** Of what cannot be read nothing is known, and nothing is done again. */
  async open(): Promise<void> {
    this.#isOpen = true
    try {
      const reading = this.#records.read(LAST)
      const kept = await within(this.#clock, DISK_MS_MAX, 'the actions were not read', reading)
      for (const { fire, offsetMs } of kept?.fires ?? []) this.#reached.set(fire, offsetMs)
      this.#isWhole = kept?.isWhole ?? false
      // From here on things are done again.
      if (this.#isWhole) this.#write(false)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#log.warn('show.performed-unreadable', { code: error.code, error: messageOf(error) })
    }
  }

  /**
   * What became of the actions of a fire that came due before the start.
   * @param offsetsMs from the moment of the fire, of all of them that are past
   */
  outcomes(fire: string, offsetsMs: readonly number[]): readonly Outcome[] {
    const reachedMs = this.#reached.get(fire) ?? Number.NEGATIVE_INFINITY
    const first = Math.min(...offsetsMs.filter(offsetMs => offsetMs > reachedMs))
    return offsetsMs.map(offsetMs => {
      if (offsetMs <= reachedMs) return 'done'
      // Had the box lived to do what came so much later, the first one would have been written down.
      return this.#isWhole || offsetMs > first + WRITTEN_MS_MAX ? 'missed' : 'unknown'
    })
  }

  isDone(fire: string, offsetMs: number): boolean {
    return offsetMs <= (this.#reached.get(fire) ?? Number.NEGATIVE_INFINITY)
  }

  /** An action is done, or what became of it has been told. */
  note(fire: string, offsetMs: number): void {
    const furthest = Math.max(offsetMs, this.#reached.get(fire) ?? offsetMs)
    this.#reached.delete(fire)
    this.#reached.set(fire, furthest)
    forgetOldest(this.#reached, OPEN_MAX)
    if (this.#isDue) return
    this.#isDue = true
    const now = this.#clock.monotonicMs()
    const restMs = Math.max(0, this.#writtenMs + WRITE_MS - now)
    this.#cancel = this.#clock.runAt(after(now, restMs), () => this.#write(false))
  }

  /**
   * Ends when the last of it is on the disk, or has failed.
   * @param isWhole false when something may have been done that nobody told of
   */
  async close({ isWhole }: { readonly isWhole: boolean }): Promise<void> {
    this.#cancel()
    if (this.#isOpen) this.#write(isWhole)
    this.#isOpen = false
    await this.#writing
  }

  #write(isWhole: boolean): void {
    this.#isDue = false
    this.#writtenMs = this.#clock.monotonicMs()
    const fires = [...this.#reached].map(([fire, offsetMs]) => ({ fire, offsetMs }))
    const commit = this.#store.commit([this.#records.put(LAST, { fires, isWhole })])
    const writing = within(this.#clock, DISK_MS_MAX, 'the actions were not written', commit)
    this.#writing = writing.catch(error => {
      if (!(error instanceof BoxError)) throw error
      // The journal tells of a disk that fails; this is only about a line in the log.
      this.#log.warn('show.performed-not-kept', { code: error.code })
    })
  }
}
