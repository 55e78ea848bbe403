import { BoxError, messageOf } from '../../core/errors.js'
import { repeat } from '../../core/repeat.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Gauge, GaugeReading } from '../../ports/gauge.js'
import type { Log } from '../../ports/log.js'

const READ_EVERY_MS = 1_000

/**
 * Reads one gauge every second; the next read waits for the last one, so that a slow bus is never asked twice. A gauge
 * that fails tells its owner by itself, and is read again: here only the silence counts.
 */
export class GaugeReader {
  readonly #clock: Clock
  readonly #log: Log
  readonly #gauge: Gauge
  readonly #tell: (readings: readonly GaugeReading[]) => void
  #cancel: Cancel = () => {}
  #isListening = false
  #isSilent = false

  constructor(
    clock: Clock,
    log: Log,
    gauge: Gauge,
    tell: (readings: readonly GaugeReading[]) => void,
  ) {
    this.#clock = clock
    this.#log = log
    this.#gauge = gauge
    this.#tell = tell
  }

  start(): void {
    this.#isListening = true
    this.#cancel = repeat(this.#clock, READ_EVERY_MS, () => this.#read())
  }

  stop(): void {
    this.#isListening = false
    this.#cancel()
  }

  async #read(): Promise<void> {
    try {
      const readings = await this.#gauge.read()
      if (!this.#isListening) return
      if (this.#isSilent) this.#log.info('power.gauge-heard', { gauge: this.#gauge.name })
      this.#isSilent = false
      this.#tell(readings)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      if (!this.#isSilent && this.#isListening)
        this.#log.warn('power.gauge-silent', {
          gauge: this.#gauge.name,
          error: messageOf(error),
        })
      this.#isSilent = true
    }
  }
}
