/** A gauge that says what a test wants, for what is built around gauges. */
import { GaugeLife } from '../../drivers/gauge-life.js'
import { gaugeReading } from '../../drivers/gauge-reading.js'
import { DeviceError } from '../../runtime/core/errors.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../../runtime/ports/gauge.js'

export class StandInGauge implements Gauge {
  readonly name = 'pack'
  readonly packCount = 1
  /** Each call, in order. */
  readonly calls: string[] = []
  known: Partial<GaugeReading> = { millivolts: 3_900, percent: 70 }
  isPlugged = true
  readonly #clock: Clock
  readonly #life = new GaugeLife('pack')

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async start(): Promise<void> {
    this.calls.push('start')
    this.#requirePlugged()
    this.#life.begin()
  }

  async stop(): Promise<void> {
    this.calls.push('stop')
    this.#life.end()
  }

  read(): Promise<readonly GaugeReading[]> {
    return this.#life.watch(async () => {
      this.#requirePlugged()
      return [gaugeReading(this.#clock.monotonicMs(), this.known)]
    })
  }

  onFault(listener: (fault: Error) => void): Cancel {
    return this.#life.onFault(listener)
  }

  onExternal(): Cancel {
    return () => {}
  }

  async cutPower(): Promise<boolean> {
    return true
  }

  #requirePlugged(): void {
    if (!this.isPlugged) throw new DeviceError('device.absent', 'nothing answers')
  }
}
