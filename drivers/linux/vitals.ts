import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { NS_PER_MS } from '../../runtime/core/time.js'
import type { Percentiles } from '../../runtime/ports/percentiles.js'
import type { Vitals } from '../../runtime/ports/vitals.js'

const RESOLUTION_MS = 10

/** Asks Node and the kernel how this process is doing. */
export class LinuxVitals implements Vitals {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })

  start(): void {
    this.#delay.enable()
  }

  stop(): void {
    this.#delay.disable()
  }

  rssBytes(): number {
    return process.memoryUsage.rss()
  }

  /** The histogram counts from timer to timer, so the timer's own period is taken off. */
  takeLoopLagMs(): Percentiles {
    const lagMs = (nanoseconds: number): number =>
      Math.max(0, nanoseconds / NS_PER_MS - RESOLUTION_MS)
    const read = {
      count: this.#delay.count,
      p50: lagMs(this.#delay.percentile(50)),
      p95: lagMs(this.#delay.percentile(95)),
      p99: lagMs(this.#delay.percentile(99)),
      max: lagMs(this.#delay.count === 0 ? 0 : this.#delay.max),
    }
    this.#delay.reset()
    return read
  }
}
