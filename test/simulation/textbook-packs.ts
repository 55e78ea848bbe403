/**
 * Packs as a textbook has them, which share no number with the simulated packs of the box: a voltage over the charge, a
 * resistance, a slow part beside it, and a gauge with an offset, a gain and noise. The box has never seen them before.
 */
import { randomFrom } from '../../runtime/core/random.js'
import { type Charge, chargeOf, estimated } from '../../runtime/services/power/estimate.js'
import { type Estimate, unknownPack } from '../../runtime/services/power/estimate-state.js'
import type { PackModel } from '../../runtime/services/power/knowledge.js'
import { type Curve, textbookCurves, voltsOn } from './textbook-curves.js'

export interface TextbookTrial {
  readonly chemistry: PackModel['chemistry']
  readonly curve: string
  readonly cells: number
  /** Of one cell, at 25 °C. */
  readonly milliohms: number
  readonly configuredMilliohms: number
  /** Of the configured capacity, at 25 °C. */
  readonly capacity: number
  /** What is left of it at this temperature. */
  readonly coldShare: number
  readonly celsius: number
  readonly isWarmthKnown: boolean
  readonly charge: number
  readonly milliamps: number
  /** Steady; or changed every few minutes between a third and five thirds of it. */
  readonly isSteady: boolean
  readonly offsetMilliamps: number
  readonly gain: number
  readonly noiseMillivolts: number
  /** Between two readings. */
  readonly everySeconds: number
  readonly seed: number
}

export interface TextbookOutcome {
  readonly hours: number
  /** In points. */
  readonly errorMax: number
  readonly errorRms: number
  /** Share of readings whose interval held the truth. */
  readonly honest: number
  /** Share of readings with which anything was said. */
  readonly said: number
}

/** What is printed on a pack that lasts for 24 hours at the mean load. */
const HOURS = 24
/** The slow part of the sag: as a share of the resistance, and how long it takes. */
const SLOW_SHARE = 0.35
const SLOW_SECONDS = 45
const COLD_RESISTANCE = 0.018
/** The first readings are still being smoothed. */
const SETTLE_SECONDS = 30

export function discharged(trial: TextbookTrial): TextbookOutcome {
  const pack = new TextbookPack(trial)
  const { chemistry, cells, milliamps, configuredMilliohms: milliohms, everySeconds } = trial
  const model: PackModel = { chemistry, cells, milliohms, milliampHours: milliamps * HOURS }
  const celsius = trial.isWarmthKnown ? trial.celsius : null
  const score = new Score()
  let estimate: Estimate = unknownPack(model)
  let seconds = 0
  for (; pack.charge > 0.01 && seconds < 40 * 3600; seconds += everySeconds) {
    const { volts, amps } = pack.read()
    const sample = {
      elapsedMs: 1000 * everySeconds,
      volts: volts / cells,
      amps,
      celsius,
      isCharging: null,
    }
    estimate = estimated(estimate, sample, model)
    if (seconds >= SETTLE_SECONDS) score.add(chargeOf(estimate), 100 * pack.charge)
  }
  return score.read(seconds / 3600)
}

class Score {
  #asked = 0
  #said = 0
  #honest = 0
  #squares = 0
  #errorMax = 0

  add(told: Charge | null, percent: number): void {
    this.#asked++
    if (told === null) return
    const error = Math.abs(told.percent - percent)
    this.#said++
    this.#squares += error ** 2
    this.#errorMax = Math.max(this.#errorMax, error)
    if (error <= told.percentError) this.#honest++
  }

  read(hours: number): TextbookOutcome {
    return {
      hours,
      errorMax: this.#errorMax,
      errorRms: Math.sqrt(this.#squares / Math.max(1, this.#said)),
      honest: this.#honest / Math.max(1, this.#said),
      said: this.#said / Math.max(1, this.#asked),
    }
  }
}

interface TextbookReading {
  /** Of the pack. */
  readonly volts: number
  /** Into the pack is positive. */
  readonly amps: number
}

export class TextbookPack {
  charge: number
  readonly #trial: TextbookTrial
  readonly #curve: Curve
  readonly #random: () => number
  readonly #fullAmpSeconds: number
  readonly #ohms: number
  #slowVolts = 0
  #amps: number
  #seconds = 0

  constructor(trial: TextbookTrial) {
    const { chemistry, curve, capacity, coldShare, celsius, milliamps, milliohms } = trial
    this.#trial = trial
    this.#curve = textbookCurves[chemistry][curve] ?? []
    this.#random = randomFrom(trial.seed)
    this.#fullAmpSeconds = (milliamps / 1000) * HOURS * 3600 * capacity * coldShare
    this.#ohms = (milliohms / 1000) * (1 + COLD_RESISTANCE * Math.max(0, 25 - celsius))
    this.#amps = milliamps / 1000
    this.charge = trial.charge
  }

  /** After another while with the load of the trial. */
  read(): TextbookReading {
    return this.give(this.#drawn())
  }

  /** After another while with so much drawn from it. */
  give(amps: number): TextbookReading {
    const { cells, gain, offsetMilliamps, noiseMillivolts, everySeconds } = this.#trial
    this.#amps = amps
    this.#seconds += everySeconds
    this.charge -= (everySeconds * this.#amps) / this.#fullAmpSeconds
    const slow = this.#amps * this.#ohms * SLOW_SHARE
    this.#slowVolts = slow + (this.#slowVolts - slow) * Math.exp(-everySeconds / SLOW_SECONDS)
    const open = voltsOn(this.#curve, this.charge)
    const volts = (open - this.#amps * this.#ohms - this.#slowVolts) * cells
    return {
      volts: volts + (noiseMillivolts / 1000) * this.#normal(),
      amps: -this.#amps * gain + offsetMilliamps / 1000 + 0.004 * this.#normal(),
    }
  }

  #drawn(): number {
    const { everySeconds } = this.#trial
    const mean = this.#trial.milliamps / 1000
    if (this.#trial.isSteady) return mean
    if (this.#seconds % 240 < everySeconds) return mean * (1 / 3 + (4 / 3) * this.#random())
    return this.#amps
  }

  #normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random()))
    return radius * Math.cos(2 * Math.PI * this.#random())
  }
}

export interface TextbookPlace {
  readonly chemistry: PackModel['chemistry']
  readonly capacity: number
  readonly charge: number
}

/** Everything else by seed, over what is realistic. */
export function textbookTrial(place: TextbookPlace, seed: number): TextbookTrial {
  const random = randomFrom(seed * 6151 + 7)
  const between = (low: number, high: number): number => low + (high - low) * random()
  const curves = Object.keys(textbookCurves[place.chemistry])
  const lowest = { 'li-ion': 30, lifepo4: 12, 'lead-acid': 4 }[place.chemistry]
  const celsius = [25, 0, 40][Math.floor(random() * 3)] ?? 25
  return {
    ...place,
    curve: curves[seed % curves.length] ?? '',
    cells: { 'li-ion': 1, lifepo4: 4, 'lead-acid': 6 }[place.chemistry],
    milliohms: between(lowest, 5 * lowest),
    configuredMilliohms: 80,
    coldShare: celsius === 0 ? between(0.9, 1) : 1,
    celsius,
    isWarmthKnown: random() < 0.7,
    milliamps: between(300, 1500),
    isSteady: random() < 0.5,
    offsetMilliamps: between(5, 20) * (random() < 0.5 ? -1 : 1),
    gain: 1 + between(-0.02, 0.02),
    noiseMillivolts: between(5, 20),
    everySeconds: 1,
    seed,
  }
}
