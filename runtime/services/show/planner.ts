/** Keeps every light of the box told about what comes, far enough ahead that a busy main thread does not delay a frame. */
import { after, earlier, later, showTimeMs } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs, ShowTimeMs } from '../../ports/clock.js'
import type { CheckedShow } from './checked-show.js'
import type { LightPlan } from './light-plan.js'
import { endOf } from './segments.js'
import type { Ramp, ShowState } from './state.js'

/** Even where the next change is far, the timeline is looked at so often: it may be set meanwhile. */
const REST_MS_MAX = 1000
/** Planning never takes the main thread more often than this. */
const REST_MS_MIN = 5
/**
 * Planned at one go. After a GO every light hears of its first frames before any hears of its last, and whoever presses
 * the next button does not wait for a second's worth of frames.
 */
const STEP_MS = 150
/** Farther than promised, so that each waking plans a few frames at once. */
const BEYOND_MS = 50

export interface PlannerOptions {
  readonly planAheadMs: number
  /** Called before each planning: true when the timeline has moved and everything was planned anew. */
  readonly hasMoved: () => boolean
}

export class Planner {
  readonly #clock: Clock
  readonly #show: CheckedShow
  readonly #plans: readonly LightPlan[]
  readonly #options: PlannerOptions
  #state: ShowState | null = null
  /** Up to where all lights have been told, at least. */
  #reach: ShowTimeMs = showTimeMs(0)
  #cancelWake: Cancel = () => {}

  constructor(
    clock: Clock,
    show: CheckedShow,
    plans: readonly LightPlan[],
    options: PlannerOptions,
  ) {
    this.#clock = clock
    this.#show = show
    this.#plans = plans
    this.#options = options
  }

  stop(): void {
    this.#cancelWake()
    this.#state = null
  }

  /** Something happened: what was planned is wrong. */
  replan(state: ShowState): void {
    this.#state = state
    const now = this.#clock.showTimeMs()
    const isDark = isAllDark(this.#show, state, now)
    this.#reach = now
    const until = this.#goFarther(now)
    for (const plan of this.#plans) {
      if (!isDark) plan.setDark(false)
      plan.replan(state, now, until)
      if (isDark) plan.setDark(true)
    }
    this.#rest()
  }

  /** A device has come back, or is gone. */
  setReady(device: string, isReady: boolean): void {
    const plan = this.#plans.find(({ light }) => light.name === device)
    if (!plan?.setReady(isReady) || !this.#state) return
    const now = this.#clock.showTimeMs()
    plan.replan(this.#state, now, this.#reach)
    plan.setDark(isAllDark(this.#show, this.#state, now))
    this.#rest()
  }

  /** Time has passed: the show stands at `state` without anything unforeseen. */
  goOn(state: ShowState): void {
    this.#state = state
    const isDark = isAllDark(this.#show, state, this.#clock.showTimeMs())
    for (const plan of this.#plans) plan.setDark(isDark)
  }

  #wake(): void {
    if (this.#options.hasMoved()) return
    const now = this.#clock.showTimeMs()
    const until = this.#goFarther(now)
    for (const plan of this.#plans) plan.extend(now, until)
    this.#rest()
  }

  #goFarther(now: ShowTimeMs): ShowTimeMs {
    const { planAheadMs } = this.#options
    const whole = after(now, planAheadMs + Math.min(planAheadMs / 2, BEYOND_MS))
    this.#reach = earlier(whole, after(later(this.#reach, now), STEP_MS))
    return this.#reach
  }

  #rest(): void {
    this.#cancelWake()
    const now = this.#clock.monotonicMs()
    let at: MonotonicMs | null = null
    for (const plan of this.#plans) {
      const next = plan.next()
      if (next === null) continue
      const due = after(this.#clock.showToMonotonic(next), -this.#options.planAheadMs)
      at = at === null ? due : earlier(at, due)
    }
    if (at === null) return
    const restMs = Math.min(REST_MS_MAX, Math.max(REST_MS_MIN, at - now))
    this.#cancelWake = this.#clock.runAt(after(now, restMs), () => this.#wake())
  }
}

/** Whether blackout or panic has taken everything away and is at rest. */
function isAllDark(show: CheckedShow, state: ShowState, t: ShowTimeMs): boolean {
  const isFull = (ramp: Ramp): boolean => ramp.isOn && t >= endOf(ramp)
  if (isFull(state.panic)) return show.panic.isDark
  const isPanicGone = !state.panic.isOn && t >= endOf(state.panic)
  return isFull(state.blackout) && (isPanicGone || show.panic.isDark)
}
