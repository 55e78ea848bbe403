/** When a converter that measures without end has something new to tell. */
import { monotonicMs } from '../../runtime/core/time.js'
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'

/** The lowest bits of a real one never rest: one step up, none, one down, none. */
const DITHER = [1, 0, -1, 0] as const

export class Converter {
  readonly #clock: Clock
  #since: MonotonicMs = monotonicMs(0)
  #durationMs = 0
  #ended = 0
  /** True: no conversion ends any more. */
  isHalted = false
  /** In steps of the converter; 0 for tests of single steps. */
  noiseSteps = 1

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Begins the first of a series. @param durationMs of each; 0: it does not convert */
  restart(durationMs: number): void {
    this.#since = this.#clock.monotonicMs()
    this.#durationMs = durationMs
    this.#ended = 0
  }

  /** Whether one has ended since this was last asked. */
  hasNew(): boolean {
    if (this.isHalted || this.#durationMs === 0) return false
    const ended = Math.floor((this.#clock.monotonicMs() - this.#since) / this.#durationMs)
    const isNew = ended > this.#ended
    this.#ended = ended
    return isNew
  }

  /** To be added to what the last one found. */
  get noise(): number {
    return (DITHER[this.#ended % DITHER.length] ?? 0) * this.noiseSteps
  }
}
