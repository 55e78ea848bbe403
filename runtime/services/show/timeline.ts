/** Notices when the venue's timeline is set: everything that was planned on the old one has to move. */
import type { Clock, MonotonicMs, ShowTimeMs } from '../../ports/clock.js'

/** Less than this is the ordinary discipline of a clock, and plans bear it. */
const MOVED_MS = 0.5
/** From here on the timeline was set, not steered: running fades go on as if nothing had happened. */
const STEPPED_MS = 500
/** How far an undisciplined oscillator may have wandered since the last look, without having been set. */
const WANDER = 200e-6

export class Timeline {
  readonly #clock: Clock
  #mark: { readonly monotonic: MonotonicMs; readonly show: ShowTimeMs } | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What has become of the timeline since the last look; `byMs` when it was set. */
  look(): { kind: 'same' } | { kind: 'steered' } | { kind: 'set'; byMs: number } {
    const monotonic = this.#clock.monotonicMs()
    const mark = this.#mark
    const byMs = mark ? this.#clock.monotonicToShow(mark.monotonic) - mark.show : 0
    if (mark && Math.abs(byMs) < MOVED_MS) return { kind: 'same' }
    this.#mark = { monotonic, show: this.#clock.monotonicToShow(monotonic) }
    if (!mark) return { kind: 'same' }
    const wanderMs = (monotonic - mark.monotonic) * WANDER
    return Math.abs(byMs) >= STEPPED_MS + wanderMs ? { kind: 'set', byMs } : { kind: 'steered' }
  }
}
