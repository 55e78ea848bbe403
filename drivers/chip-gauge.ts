/** A gauge that is asked, and neither holds nor drives anything: its life is the same whatever the chip. */
import type { Cancel } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import { GaugeLife } from './gauge-life.js'

/** What is particular to a chip, a board or a file. */
export interface GaugeChip {
  readonly packCount: number
  /** Proves that the right chip answers, and sets it up. @throws DeviceError */
  start(): Promise<void>
  /** One reading of each pack. @throws DeviceError */
  read(): Promise<readonly GaugeReading[]>
  /** As of a Gauge; left out where there is nothing to be cut. */
  cutPower?(): Promise<boolean>
}

export class ChipGauge implements Gauge {
  readonly name: string
  readonly #chip: GaugeChip
  readonly #life: GaugeLife

  constructor(name: string, chip: GaugeChip) {
    this.name = name
    this.#chip = chip
    this.#life = new GaugeLife(name)
  }

  get packCount(): number {
    return this.#chip.packCount
  }

  async start(): Promise<void> {
    await this.#chip.start()
    this.#life.begin()
  }

  /** There is nothing that could be left on. */
  async stop(): Promise<void> {
    this.#life.end()
  }

  read(): Promise<readonly GaugeReading[]> {
    return this.#life.watch(() => this.#chip.read())
  }

  /** No line tells it, where it is known at all: it is read. */
  onExternal(): Cancel {
    return () => {}
  }

  onFault(listener: (fault: Error) => void): Cancel {
    return this.#life.onFault(listener)
  }

  async cutPower(): Promise<boolean> {
    const { cutPower } = this.#chip
    return cutPower === undefined ? false : this.#life.watch(() => cutPower.call(this.#chip))
  }
}
