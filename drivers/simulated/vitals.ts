import type { Percentiles } from '../../runtime/ports/percentiles.js'
import type { Vitals } from '../../runtime/ports/vitals.js'

/** A process in perfect health, so that two runs of one seed are the same. */
export class SimulatedVitals implements Vitals {
  rssBytes(): number {
    return 64 * 1024 * 1024
  }

  takeLoopLagMs(): Percentiles {
    return { count: 0, p50: 0, p95: 0, p99: 0, max: 0 }
  }
}
