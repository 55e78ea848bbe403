/** How many bytes a second may pass: a bucket that fills with time. Pure but for the clock that it waits with. */
import { wait } from '../../runtime/core/wait.js'
import type { Clock } from '../../runtime/ports/clock.js'

export class Allowance {
  readonly #clock: Clock
  readonly #bytesPerSecond: () => number | null
  /** When what was taken so far will have been paid for. */
  #paidMs = Number.NEGATIVE_INFINITY

  /** @param bytesPerSecond asked each time, so that it can change; null is no limit */
  constructor(clock: Clock, bytesPerSecond: () => number | null) {
    this.#clock = clock
    this.#bytesPerSecond = bytesPerSecond
  }

  /** Resolves, with the milliseconds waited, when so many bytes may have passed. At once for the first after a rest. */
  async take(byteCount: number): Promise<number> {
    const bytesPerSecond = this.#bytesPerSecond()
    if (bytesPerSecond === null) return 0
    const nowMs = this.#clock.monotonicMs()
    const waitMs = Math.max(0, this.#paidMs - nowMs)
    this.#paidMs = Math.max(this.#paidMs, nowMs) + (byteCount * 1000) / Math.max(1, bytesPerSecond)
    if (waitMs > 0) await wait(this.#clock, waitMs)
    return waitMs
  }
}
