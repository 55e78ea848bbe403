/**
 * What the UPS HATs with a gauge chip and an external-power line have in common: the chip's reading, completed by what
 * the line tells. A lost line is a fault, and leaves the chip's part standing.
 */
import { closeAll } from '../runtime/core/close-all.js'
import { DeviceError } from '../runtime/core/errors.js'
import { Signal } from '../runtime/core/signal.js'
import type { Cancel, MonotonicMs } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import type { ExternalLine } from './external-line.js'

export class LinedUps {
  readonly #gauge: Gauge
  readonly #line: ExternalLine
  readonly #faults = new Signal<Error>()
  #isLineWell = false

  constructor(gauge: Gauge, line: ExternalLine) {
    this.#gauge = gauge
    this.#line = line
  }

  async start(): Promise<void> {
    await this.#line.open()
    this.#isLineWell = true
    await this.#gauge.start()
  }

  async stop(): Promise<void> {
    this.#isLineWell = false
    await closeAll([() => this.#gauge.stop(), () => this.#line.close()])
  }

  async read(): Promise<readonly GaugeReading[]> {
    const readings = await this.#gauge.read()
    const isExternal = this.#isExternal()
    return readings.map(reading => ({
      ...reading,
      isExternal,
      // Without power from outside nothing charges, whatever the voltage does meanwhile.
      isCharging: isExternal === false ? false : reading.isCharging,
    }))
  }

  onExternal(listener: (isExternal: boolean, at: MonotonicMs) => void): Cancel {
    return this.#line.onExternal(listener)
  }

  onFault(listener: (fault: Error) => void): Cancel {
    const cancels = [this.#gauge.onFault(listener), this.#faults.listen(listener)]
    return () => {
      for (const cancel of cancels) cancel()
    }
  }

  #isExternal(): boolean | null {
    if (!this.#isLineWell) return null
    try {
      return this.#line.isExternal()
    } catch (fault) {
      if (!(fault instanceof DeviceError)) throw fault
      this.#isLineWell = false
      this.#faults.emit(fault)
      return null
    }
  }
}
