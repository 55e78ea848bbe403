/** What a simulated gauge measures: the truth, from which its registers follow with the chip's own steps. */
import { after } from '../../runtime/core/time.js'
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import { BatteryPack } from './battery-pack.js'

export interface PackTruth {
  millivolts: number
  /** Into the pack is positive. */
  milliamps: number
  percent: number
  celsius: number
}

/** Whoever holds it sets it. */
export const packAtRest = (): PackTruth => ({
  millivolts: 3_900,
  milliamps: 0,
  percent: 75,
  celsius: 25,
})

const STEP_MS = 10_000
/** What a pack that nobody looked at for longer did meanwhile does not matter. */
const STEPS_MAX = 8_640

/** A cell that runs a box of so many milliwatts, as time passes. */
export class RunningPack implements PackTruth {
  readonly #clock: Clock
  readonly #milliwatts: number
  readonly #pack: BatteryPack
  #at: MonotonicMs

  constructor(clock: Clock, options: { milliwatts: number; milliampHours: number; cells: number }) {
    const { milliwatts, milliampHours, cells } = options
    this.#clock = clock
    this.#milliwatts = milliwatts
    this.#pack = new BatteryPack({
      chemistry: 'li-ion',
      cells,
      milliampHours,
      milliohms: 80 * cells,
      health: 1,
      celsius: 25,
      charge: 0.9,
      seed: 1,
    })
    this.#at = clock.monotonicMs()
  }

  get millivolts(): number {
    this.#run()
    return this.#pack.volts * 1000
  }

  get milliamps(): number {
    this.#run()
    return this.#pack.amps * 1000
  }

  get percent(): number {
    this.#run()
    return this.#pack.charge * 100
  }

  get celsius(): number {
    return this.#pack.celsius
  }

  #run(): void {
    const now = this.#clock.monotonicMs()
    for (let steps = 0; now - this.#at >= STEP_MS && steps < STEPS_MAX; steps++) {
      this.#at = after(this.#at, STEP_MS)
      this.#pack.step(STEP_MS / 1000, { milliwatts: this.#milliwatts, chargerMilliamps: null })
    }
    if (now - this.#at >= STEP_MS) this.#at = now
  }
}
