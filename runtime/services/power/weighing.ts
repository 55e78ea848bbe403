/**
 * Weighs what was counted against what the voltage says. The curve of a pack is anything but straight, so it is done
 * charge by charge, from empty to full. Pure.
 */
import { type Knowledge, type PackModel, restSpread, restVolts } from './knowledge.js'

/** A state of charge, 0..1, and one standard deviation of it. */
export interface Certainty {
  readonly charge: number
  readonly deviation: number
}

/** What the voltage of one cell would be without a current, and how far that may be off, the curve aside. */
export interface Rest {
  readonly volts: number
  readonly deviation: number
}

const STEPS = 125
const DEVIATION_MIN = 0.004

/** What a voltage says alone; wide where the curve is flat. */
export const byVoltage = (model: PackModel, known: Knowledge, rest: Rest): Certainty =>
  likeliest(model, known, rest, () => 1)

/** What it says to somebody who knew something before, and whose knowledge comes from elsewhere. */
export const withVoltage = (
  model: PackModel,
  known: Knowledge,
  rest: Rest,
  before: Certainty,
): Certainty => likeliest(model, known, rest, charge => bell(charge, before))

/** As above; but what was known before may be wrong altogether: the pack was charged elsewhere, or is another one. */
export const withVoltageAnew = (
  model: PackModel,
  known: Knowledge,
  rest: Rest,
  before: Certainty,
): Certainty =>
  likeliest(
    model,
    known,
    rest,
    charge => STRANGE_SHARE + (1 - STRANGE_SHARE) * bell(charge, before),
  )

const STRANGE_SHARE = 0.15

function likeliest(
  model: PackModel,
  known: Knowledge,
  rest: Rest,
  prior: (charge: number) => number,
): Certainty {
  const all = new Weighed()
  const sharp = new Weighed()
  for (let step = 0; step <= STEPS; step++) {
    const charge = step / STEPS
    const weight = likelihood(model, known, rest, charge) * prior(charge)
    all.add(charge, weight)
    sharp.add(charge, weight ** SHARPNESS)
  }
  const charge = sharp.mean
  return { charge, deviation: Math.max(DEVIATION_MIN, all.deviationFrom(charge)) }
}

/**
 * A curve that is steeper on one side makes a lopsided bell, whose middle is not where the voltage lies on the curve. Taken
 * to this power it is narrow enough for that not to matter, and still has a middle where it is flat.
 */
const SHARPNESS = 4

class Weighed {
  #weights = 0
  #charges = 0
  #squares = 0

  add(charge: number, weight: number): void {
    this.#weights += weight
    this.#charges += weight * charge
    this.#squares += weight * charge ** 2
  }

  get mean(): number {
    return this.#charges / this.#weights
  }

  deviationFrom(charge: number): number {
    const square = this.#squares / this.#weights - 2 * charge * this.mean + charge ** 2
    return Math.sqrt(Math.max(0, square))
  }
}

/** Never zero: there is no voltage that no charge has, and 0 / 0 is not a charge. */
const LIKELIHOOD_MIN = 1e-12

function likelihood(model: PackModel, known: Knowledge, rest: Rest, charge: number): number {
  const distance = rest.volts - restVolts(model, known, charge)
  const isBeyond = (charge === 1 && distance > 0) || (charge === 0 && distance < 0)
  const deviation = Math.sqrt(rest.deviation ** 2 + restSpread(model, known, charge) ** 2)
  const share = isBeyond ? 1 : Math.exp(-((distance / deviation) ** 2) / 2)
  return LIKELIHOOD_MIN + share / deviation
}

const bell = (charge: number, { charge: middle, deviation }: Certainty): number =>
  LIKELIHOOD_MIN + Math.exp(-(((charge - middle) / deviation) ** 2) / 2) / (deviation * 2.5066)

/**
 * Two certainties that may rest on the same error, as a voltage does and what was once taken from a voltage. Taking both
 * for independent would make them surer each time they are weighed; this is at most as sure as the surer one.
 */
export function blended(a: Certainty, b: Certainty): Certainty {
  const weight = a.deviation ** 2 / (a.deviation ** 2 + b.deviation ** 2)
  return {
    charge: a.charge + weight * (b.charge - a.charge),
    deviation: a.deviation + weight * (b.deviation - a.deviation),
  }
}
