/** The clock of one life of a box: the machine's monotonic scale begins anew at each boot, and dies with the power. */
import type { SimulatedClock } from '../../drivers/simulated/clock.js'
import { after, monotonicMs, showTimeMs } from '../../runtime/core/time.js'
import type {
  Cancel,
  Clock,
  MonotonicMs,
  ShowTimeMs,
  WallTimeMs,
} from '../../runtime/ports/clock.js'

/** Moments of the world are computed from moments of the box, and must not fall before them by a rounding. */
const ROUNDING_MS = 1e-6

export class LifeClock implements Clock {
  readonly #world: SimulatedClock
  readonly #bornAt: MonotonicMs
  #showAtZero: ShowTimeMs = showTimeMs(0)
  #isOver = false

  /** @param world the time of all lives; whole milliseconds have passed on it */
  constructor(world: SimulatedClock) {
    this.#world = world
    this.#bornAt = monotonicMs(Math.floor(world.monotonicMs()))
  }

  monotonicMs(): MonotonicMs {
    return monotonicMs(this.#world.monotonicMs() - this.#bornAt)
  }

  showTimeMs(): ShowTimeMs {
    return this.monotonicToShow(this.monotonicMs())
  }

  wallTimeMs(): WallTimeMs {
    return this.#world.wallTimeMs()
  }

  monotonicToShow(at: MonotonicMs): ShowTimeMs {
    return after(this.#showAtZero, at)
  }

  showToMonotonic(at: ShowTimeMs): MonotonicMs {
    return monotonicMs(at - this.#showAtZero)
  }

  showErrorMs(): number {
    return 0
  }

  runAt(at: MonotonicMs, task: () => void): Cancel {
    if (this.#isOver) return () => {}
    return this.#world.runAt(after(this.#bornAt, at + ROUNDING_MS), () => {
      if (!this.#isOver) task()
    })
  }

  /** The venue's timeline is found, or set anew. */
  setShowAtZero(show: ShowTimeMs): void {
    this.#showAtZero = show
  }

  stepShow(byMs: number): void {
    this.#showAtZero = after(this.#showAtZero, byMs)
  }

  /** The power is gone: whatever waits, or is asked for by what still runs, never happens. */
  end(): void {
    this.#isOver = true
  }
}
