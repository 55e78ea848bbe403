/** Simulated packs under the eyes of the estimator: how far it is off, and how often it says so. */
import { BatteryPack } from '../../drivers/simulated/battery-pack.js'
import { BatterySensor } from '../../drivers/simulated/battery-sensor.js'
import { randomFrom } from '../../runtime/core/random.js'
import { type Charge, chargeOf, estimated } from '../../runtime/services/power/estimate.js'
import { type Estimate, unknownPack } from '../../runtime/services/power/estimate-state.js'
import type { PackModel } from '../../runtime/services/power/knowledge.js'

export interface Trial {
  readonly chemistry: PackModel['chemistry']
  /** Of the pack's curve, its gauge's errors and its load. */
  readonly seed: number
  readonly celsius: number
  readonly health: number
  /** Of the noise of the gauge: 1 is 4 mV and 5 mA. */
  readonly noise: number
  /** Of the nominal capacity, an hour, on average. */
  readonly rate: number
  readonly charge: number
  /** Whether the gauge tells the temperature. */
  readonly isWarmthKnown: boolean
  readonly isCurrentKnown: boolean
}

export interface Outcome {
  readonly hours: number
  /** In points. */
  readonly errorMax: number
  readonly errorMean: number
  /** Share of samples whose published interval held the truth. */
  readonly honest: number
  /** Share of samples in which it said anything. */
  readonly said: number
}

const packs = {
  'li-ion': { cells: 1, milliampHours: 10_000, milliohms: 25, volts: 3.7, cut: 2.2 },
  lifepo4: { cells: 4, milliampHours: 6_000, milliohms: 80, volts: 3.25, cut: 2.3 },
  'lead-acid': { cells: 6, milliampHours: 7_000, milliohms: 40, volts: 2, cut: 1.5 },
} as const

const HOURS_MAX = 60

/** One pack, its gauge and its estimate, through charges and discharges. */
export class PackTrial {
  estimate: Estimate
  readonly pack: BatteryPack
  readonly #trial: Trial
  readonly #sensor: BatterySensor
  readonly #random: () => number
  readonly model: PackModel

  constructor(trial: Trial) {
    const { chemistry, seed, celsius, health, charge, noise } = trial
    const { cells, milliampHours, milliohms } = packs[chemistry]
    const random = randomFrom(seed * 7919 + 13)
    const either = (size: number): number => (random() * 2 - 1) * size
    this.#trial = trial
    this.#random = random
    this.pack = new BatteryPack({
      chemistry,
      cells,
      milliampHours,
      milliohms,
      health,
      celsius,
      charge,
      seed,
    })
    this.#sensor = new BatterySensor(
      this.pack,
      {
        voltGain: 1 + either(0.003),
        ampGain: 1 + either(0.015),
        offsetMilliamps: either(10),
        noiseMillivolts: 4 * noise,
        noiseMilliamps: 5 * noise,
        stepMillivolts: 4,
        stepMilliamps: 1,
      },
      random,
    )
    // What a technician writes is not what it is.
    this.model = { chemistry, cells, milliampHours, milliohms: 80 }
    this.estimate = unknownPack(this.model)
  }

  /** Until it is empty. */
  discharge(): Outcome {
    const { chemistry } = this.#trial
    const { cells, cut } = packs[chemistry]
    return this.#run(null, () => this.pack.charge <= 0.002 || this.pack.volts / cells < cut)
  }

  /** For so many hours, with what is left of the load on the mains. */
  chargeFor(hours: number): Outcome {
    const milliamps = packs[this.#trial.chemistry].milliampHours * 0.3
    return this.#run(milliamps, seconds => seconds >= hours * 3600)
  }

  chargeTo(charge: number): Outcome {
    const milliamps = packs[this.#trial.chemistry].milliampHours * 0.3
    return this.#run(milliamps, () => this.pack.charge >= charge)
  }

  #run(chargerMilliamps: number | null, isOver: (seconds: number) => boolean): Outcome {
    const { chemistry, rate, celsius, isWarmthKnown, isCurrentKnown } = this.#trial
    const { cells, milliampHours, volts } = packs[chemistry]
    const milliwatts = milliampHours * rate * cells * volts
    const score = new Score()
    let seconds = 0
    let level = milliwatts
    for (; !isOver(seconds) && seconds < HOURS_MAX * 3600; seconds++) {
      if (seconds % 300 === 0) level = milliwatts * (0.6 + 0.8 * this.#random())
      // Every minute a lamp or a printer takes twice as much for a moment.
      const isPeak = seconds % 60 < 3
      this.pack.step(1, { milliwatts: isPeak ? level * 2 : level, chargerMilliamps })
      const sample = {
        elapsedMs: 1000,
        volts: this.#sensor.millivolts() / 1000 / cells,
        amps: isCurrentKnown ? this.#sensor.milliamps() / 1000 : null,
        celsius: isWarmthKnown ? celsius : null,
        isCharging: isCurrentKnown ? null : chargerMilliamps !== null,
      }
      this.estimate = estimated(this.estimate, sample, this.model)
      score.add(chargeOf(this.estimate), 100 * this.pack.charge)
    }
    return score.read(seconds)
  }
}

class Score {
  #said = 0
  #honest = 0
  #errorSum = 0
  #errorMax = 0

  add(told: Charge | null, percent: number): void {
    if (told === null) return
    const error = Math.abs(told.percent - percent)
    this.#said++
    this.#errorSum += error
    this.#errorMax = Math.max(this.#errorMax, error)
    if (error <= told.percentError) this.#honest++
  }

  read(seconds: number): Outcome {
    const said = Math.max(1, this.#said)
    return {
      hours: seconds / 3600,
      errorMax: this.#errorMax,
      errorMean: this.#errorSum / said,
      honest: this.#honest / said,
      said: this.#said / Math.max(1, seconds),
    }
  }
}

export const usualTrial: Trial = {
  chemistry: 'li-ion',
  seed: 1,
  celsius: 25,
  health: 1,
  noise: 1,
  rate: 0.2,
  charge: 1,
  isWarmthKnown: true,
  isCurrentKnown: true,
}

/** One whole charge and one whole discharge: what the box learns a pack from. */
export function learnt(trial: Trial): PackTrial {
  const running = new PackTrial({ ...trial, charge: 0.9 })
  running.chargeFor(2.5)
  running.discharge()
  return running
}
