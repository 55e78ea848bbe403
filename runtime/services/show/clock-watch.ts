/**
 * Looks at the wall clock for as long as an armed show waits for a time of day, and tells a clock that runs from one that
 * is set: by hand, or by the first answer of a time server on a board without a battery.
 */
import { after, publishedMs, showTimeMs } from '../../core/time.js'
import type { Clock, MonotonicMs, WallTimeMs } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { CheckedShow } from './checked-show.js'
import {
  CLOCK_LATE_MS,
  clockEvents,
  countAnew,
  hasClockCues,
  jumpedOver,
  nextClockMs,
} from './clock-cues.js'
import { fold } from './fold.js'
import type { ShowEvent, ShowState } from './state.js'

/** A clock may be set at any time, so it is looked at so often. */
const LOOK_MS = 1000
/** A time server that answers for the first time within this of the start tells how long the box was away. */
const FOUND_MS_MAX = 600_000
/** For the log. */
const JUMPED_MAX = 16

export interface ClockWatchOptions {
  readonly newId: () => string
  /** In company a time of day is met so much late, and by all boxes at once; null for a box alone. */
  readonly leadMs: () => number | null
}

export class ClockWatch {
  readonly #clock: Clock
  readonly #log: Log
  readonly #show: CheckedShow
  readonly #options: ClockWatchOptions
  /** The last look; null while nothing waits for the clock. */
  #mark: { readonly monotonic: MonotonicMs; readonly wall: WallTimeMs } | null = null
  /** Until then the first setting of the clock is its finding. */
  #findsUntil: MonotonicMs | null = null

  constructor(clock: Clock, log: Log, show: CheckedShow, options: ClockWatchOptions) {
    this.#clock = clock
    this.#log = log
    this.#show = show
    this.#options = options
  }

  /**
   * @param keptShowMs when the state was last written; null when there was none. A show that was armed before the machine
   * was switched on may find a clock that has stood still: when that is set, the box is back, and late.
   */
  begin(state: ShowState, keptShowMs: number | null): void {
    const isReboot = keptShowMs !== null && this.#clock.showToMonotonic(showTimeMs(keptShowMs)) < 0
    if (isReboot && state.armedWallMs !== null)
      this.#findsUntil = after(this.#clock.monotonicMs(), FOUND_MS_MAX)
  }

  /** What the clock asks for now, in order. */
  look(state: ShowState): readonly ShowEvent[] {
    if (!hasClockCues(this.#show, state)) return []
    const byMs = this.#setByMs()
    const moment = {
      nowMs: this.#clock.showTimeMs(),
      wallMs: this.#clock.wallTimeMs(),
      newId: this.#options.newId,
    }
    if (Math.abs(byMs) <= CLOCK_LATE_MS || this.#isFinding(byMs))
      return clockEvents(this.#show, state, moment).map(event => this.#ahead(event))
    const jumped = jumpedOver(this.#show, state, moment.wallMs).slice(0, JUMPED_MAX)
    this.#log.warn('show.clock-set', { byMs: publishedMs(byMs), jumped })
    const anew = countAnew(moment)
    return [
      anew,
      ...clockEvents(this.#show, fold(this.#show, state, anew).state, moment).map(event =>
        this.#ahead(event),
      ),
    ]
  }

  /** Another box looks at its clock. */
  rest(): void {
    this.#mark = null
  }

  /** Milliseconds until it must be looked at again; null while nothing waits for it. */
  restMs(state: ShowState): number | null {
    if (!hasClockCues(this.#show, state)) {
      this.#mark = null
      return null
    }
    this.#mark ??= this.#now()
    const nextMs = nextClockMs(this.#show, state)
    return nextMs === null ? LOOK_MS : Math.min(LOOK_MS, nextMs - this.#clock.wallTimeMs())
  }

  #now(): { monotonic: MonotonicMs; wall: WallTimeMs } {
    return { monotonic: this.#clock.monotonicMs(), wall: this.#clock.wallTimeMs() }
  }

  #ahead(event: ShowEvent): ShowEvent {
    const leadMs = this.#options.leadMs()
    if (leadMs === null || event.deed.kind !== 'fire') return event
    return { ...event, t0Ms: Math.max(event.t0Ms, event.atMs + leadMs) }
  }

  /** How much further the wall clock has come since the last look than time has. */
  #setByMs(): number {
    const now = this.#now()
    const mark = this.#mark ?? now
    this.#mark = now
    return now.wall - mark.wall - (now.monotonic - mark.monotonic)
  }

  #isFinding(byMs: number): boolean {
    if (this.#findsUntil === null || this.#clock.monotonicMs() > this.#findsUntil) return false
    this.#findsUntil = null
    this.#log.info('show.clock-found', { byMs: publishedMs(byMs) })
    return true
  }
}
