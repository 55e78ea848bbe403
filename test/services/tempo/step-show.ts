import type { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { monotonicMs, showTimeMs } from '../../../runtime/core/time.js'

/** The venue's timeline jumps, as it does when a box finds a leader. */
export function stepShow(clock: SimulatedClock, byMs: number): void {
  const zeroMs = clock.showTimeMs() - clock.monotonicMs() + byMs
  clock.follow({
    showAt: at => showTimeMs(zeroMs + at),
    monotonicAt: show => monotonicMs(show - zeroMs),
    errorNs: () => 0,
  })
}
