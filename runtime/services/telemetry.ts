import type { Bus } from '../core/bus.js'
import type { Service } from '../core/lifecycle.js'
import { repeat } from '../core/repeat.js'
import { publishedMs } from '../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../ports/clock.js'
import type { Log } from '../ports/log.js'
import type { Vitals } from '../ports/vitals.js'
import type { Messages } from '../topics.js'

export interface TelemetryOptions {
  readonly everyMs: number
  /** A main loop later than this for one sample is worth a line in the log. */
  readonly lagMsMax: number
}

/** Publishes how the runtime itself is doing, and says so in the log when the main loop was held up. */
export class Telemetry implements Service {
  readonly name = 'telemetry'
  readonly #clock: Clock
  readonly #log: Log
  readonly #bus: Bus<Messages>
  readonly #vitals: Vitals
  readonly #options: TelemetryOptions
  #cancels: Cancel[] = []

  constructor(
    clock: Clock,
    log: Log,
    bus: Bus<Messages>,
    vitals: Vitals,
    options: TelemetryOptions,
  ) {
    this.#clock = clock
    this.#log = log
    this.#bus = bus
    this.#vitals = vitals
    this.#options = options
  }

  async start(): Promise<void> {
    const startedAt = this.#clock.monotonicMs()
    this.#cancels = [
      repeat(this.#clock, this.#options.everyMs, async () => this.#sample(startedAt)),
      // What held the loop up before the box was ready held up nobody.
      this.#bus.subscribe('box/availability', ({ state }) => {
        if (state === 'ready') this.#vitals.takeLoopLagMs()
      }),
    ]
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
  }

  #sample(startedAt: MonotonicMs): void {
    const lag = this.#vitals.takeLoopLagMs()
    if (lag.max > this.#options.lagMsMax)
      this.#log.warn('loop.held-up', { maxMs: lag.max, p99Ms: lag.p99 })
    this.#bus.publish('telemetry/state', {
      uptimeMs: publishedMs(this.#clock.monotonicMs() - startedAt),
      rssBytes: this.#vitals.rssBytes(),
      eventLoopLagMsP99: publishedMs(lag.p99),
    })
  }
}
