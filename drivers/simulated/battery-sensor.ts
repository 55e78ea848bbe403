import type { BatteryPack } from './battery-pack.js'

export interface SensorOptions {
  /** 1.01 reads one in a hundred too much. */
  readonly voltGain: number
  readonly ampGain: number
  readonly offsetMilliamps: number
  /** One standard deviation. */
  readonly noiseMillivolts: number
  readonly noiseMilliamps: number
  readonly stepMillivolts: number
  readonly stepMilliamps: number
}

/** What a gauge makes of a pack. */
export class BatterySensor {
  readonly #pack: BatteryPack
  readonly #options: SensorOptions
  readonly #random: () => number

  constructor(pack: BatteryPack, options: SensorOptions, random: () => number) {
    this.#pack = pack
    this.#options = options
    this.#random = random
  }

  millivolts(): number {
    const { voltGain, noiseMillivolts, stepMillivolts } = this.#options
    const noisy = this.#pack.volts * 1000 * voltGain + noiseMillivolts * this.#normal()
    return Math.round(noisy / stepMillivolts) * stepMillivolts
  }

  milliamps(): number {
    const { ampGain, offsetMilliamps, noiseMilliamps, stepMilliamps } = this.#options
    const noisy =
      this.#pack.amps * 1000 * ampGain + offsetMilliamps + noiseMilliamps * this.#normal()
    return Math.round(noisy / stepMilliamps) * stepMilliamps
  }

  /** Twelve throws make a bell that is good to three deviations. */
  #normal(): number {
    let sum = -6
    for (let count = 0; count < 12; count++) sum += this.#random()
    return sum
  }
}
