const MARGIN_MS_MIN = 0.08
const MARGIN_MS_MAX = 0.3
/** Nine of ten sleeps should end within the margin. */
const SHARE = 0.9
const STEP_MS = 0.01

/**
 * How long before its moment the firing thread wakes up in order to spin: as long as this machine takes to wake a
 * thread, which is learned. A longer spin does not help: it takes the processor from those who would use it.
 */
export class SpinMargin {
  #ms = MARGIN_MS_MIN

  get ms(): number {
    return this.#ms
  }

  /** Goes up a big step or down a small one, so that it settles where one sleep of ten ends later. */
  learn(oversleptMs: number): void {
    const step = oversleptMs > this.#ms ? SHARE * STEP_MS : (SHARE - 1) * STEP_MS
    this.#ms = Math.min(MARGIN_MS_MAX, Math.max(MARGIN_MS_MIN, this.#ms + step))
  }
}
