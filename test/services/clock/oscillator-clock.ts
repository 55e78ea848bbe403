import type { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { after, monotonicMs, showTimeMs } from '../../../runtime/core/time.js'
import type {
  Cancel,
  Clock,
  MonotonicMs,
  ShowTimeMs,
  WallTimeMs,
} from '../../../runtime/ports/clock.js'
import type { ShowMapping, ShowTimeline } from '../../../runtime/ports/show-timeline.js'

export interface OscillatorOptions {
  /** How much faster than true time it runs. */
  readonly ppm: number
  /** What its monotonic clock shows when true time begins: how long the box has been up. */
  readonly upMs: number
  /** What its own timeline shows then. */
  readonly showStartMs: number
  /** How far its wall clock is ahead of the truth. */
  readonly wallAheadMs: number
}

/** One box's clock, whose oscillator runs at a rate of its own in the true time that a simulated clock tells. */
export class OscillatorClock implements Clock, ShowTimeline {
  readonly #truth: SimulatedClock
  readonly #options: OscillatorOptions
  readonly #rate: number
  /** A timer is never early, however a moment rounds. */
  #reached = monotonicMs(0)
  #mapping: ShowMapping | null = null

  constructor(truth: SimulatedClock, options: OscillatorOptions) {
    this.#truth = truth
    this.#options = options
    this.#rate = 1 + options.ppm / 1e6
  }

  get isLed(): boolean {
    return this.#mapping !== null
  }

  monotonicMs(): MonotonicMs {
    const ms = this.#options.upMs + this.#truth.monotonicMs() * this.#rate
    return monotonicMs(Math.max(ms, this.#reached))
  }

  showTimeMs(): ShowTimeMs {
    return this.monotonicToShow(this.monotonicMs())
  }

  wallTimeMs(): WallTimeMs {
    return after(this.#truth.wallTimeMs(), this.#options.wallAheadMs)
  }

  monotonicToShow(at: MonotonicMs): ShowTimeMs {
    const ownMs = this.#options.showStartMs + at - this.#options.upMs
    return this.#mapping?.showAt(at) ?? showTimeMs(ownMs)
  }

  showToMonotonic(at: ShowTimeMs): MonotonicMs {
    const ownMs = at - this.#options.showStartMs + this.#options.upMs
    return this.#mapping?.monotonicAt(at) ?? monotonicMs(ownMs)
  }

  showErrorMs(): number {
    return (this.#mapping?.errorNs(this.monotonicMs()) ?? 0) / 1e6
  }

  follow(mapping: ShowMapping): void {
    this.#mapping = mapping
  }

  runAt(at: MonotonicMs, task: () => void): Cancel {
    const trueMs = (at - this.#options.upMs) / this.#rate
    return this.#truth.runAt(monotonicMs(trueMs), () => {
      if (at > this.#reached) this.#reached = at
      task()
    })
  }
}
