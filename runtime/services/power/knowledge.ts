/**
 * What a box learns of a pack: how much it holds, how much it resists, and how its voltage runs over its charge. It is
 * kept over restarts. Learning takes two moments at which the charge is certain, far enough apart. Pure.
 */
import { type Chemistry, openCircuitVolts, resistanceShare, spreadVolts } from './chemistry.js'

/** As box.json says it. */
export interface PackModel {
  readonly chemistry: Chemistry
  /** In series. */
  readonly cells: number
  readonly milliampHours: number
  /** Of the pack and its leads. */
  readonly milliohms: number
}

export interface Knowledge {
  /** What the pack holds of what is printed on it. 0.3..1.3 */
  readonly capacityShare: number
  /** One standard deviation of it. */
  readonly capacityDeviation: number
  /** Of one cell, at 25 °C in the middle of its charge. */
  readonly ohms: number
  /** One standard deviation, as a share of it. */
  readonly ohmsDeviation: number
  /** How far this pack lies above its chemistry's curve, in volts of one cell, from empty to full; null until learned. */
  readonly offsets: readonly number[] | null
  /** How often its capacity was learned. */
  readonly lessons: number
}

export const CAPACITY_SHARE_MIN = 0.3
export const CAPACITY_SHARE_MAX = 1.3

/** A pack holds what is printed on it, or less; twice the deviation less is worn out. */
const CAPACITY_SHARE = 0.97
const CAPACITY_DEVIATION = 0.17
/** A pack that was put in for another one is of its kind, perhaps not of its age. */
const OTHER_DEVIATION = 0.08

export const ampHours = ({ milliampHours }: PackModel): number => milliampHours / 1000

export const nothingLearned = ({ milliohms, cells }: PackModel): Knowledge => ({
  capacityShare: CAPACITY_SHARE,
  capacityDeviation: CAPACITY_DEVIATION,
  ohms: milliohms / 1000 / cells,
  ohmsDeviation: OHMS_DEVIATION,
  offsets: null,
  lessons: 0,
})

export const ofAnotherPack = (known: Knowledge): Knowledge => ({
  ...known,
  capacityDeviation: Math.max(known.capacityDeviation, OTHER_DEVIATION),
})

/** Of one cell with no current. */
export const restVolts = (model: PackModel, known: Knowledge, charge: number): number =>
  openCircuitVolts(model.chemistry, charge) + offsetAt(known.offsets, charge)

/** Between empty and full, in equal steps. */
export const OFFSETS = 21

function offsetAt(offsets: readonly number[] | null, charge: number): number {
  if (offsets === null) return 0
  const place = Math.min(1, Math.max(0, charge)) * (OFFSETS - 1)
  const below = Math.min(OFFSETS - 2, Math.floor(place))
  const low = offsets[below] ?? 0
  return low + ((offsets[below + 1] ?? 0) - low) * (place - below)
}

/** How far the voltage at rest may be from `restVolts`, one standard deviation. */
export const restSpread = (model: PackModel, known: Knowledge, charge: number): number =>
  spreadVolts(model.chemistry, charge, known.offsets !== null)

export const ohmsAt = (known: Knowledge, charge: number, celsius: number | null): number =>
  known.ohms * resistanceShare(charge, celsius)

/** A new measurement of the capacity; older ones count less, since packs age. */
export function capacityLearned(
  known: Knowledge,
  { share, deviation }: { readonly share: number; readonly deviation: number },
): Knowledge {
  const before = known.capacityDeviation ** 2 + AGEING ** 2
  const weight = before / (before + deviation ** 2)
  const learned = known.capacityShare + weight * (share - known.capacityShare)
  return {
    ...known,
    capacityShare: Math.min(CAPACITY_SHARE_MAX, Math.max(CAPACITY_SHARE_MIN, learned)),
    // The same error may have come with every lesson: many of them are hardly surer than one.
    capacityDeviation: Math.max(
      DEVIATION_MIN,
      LESSON_SHARE * Math.min(deviation, Math.sqrt(before)),
      Math.sqrt(before * (1 - weight)),
    ),
    lessons: known.lessons + 1,
  }
}

/** Since the last time, and what the same pack gives at another load and another warmth. */
const AGEING = 0.03
const DEVIATION_MIN = 0.02
const LESSON_SHARE = 0.7

const STEP_AMPS_SHARE = 1 / 60
const STEP_WEIGHT = 0.05
/** The first steps teach more. */
const STEP_WEIGHT_GROWTH = 0.5
/** What a step should do to a cell before it is asked, and how much of that is noise. */
const STEP_VOLTS_MIN = 0.005
const STEP_VOLTS_NOISE = 0.008
/** What a second does not show: the slow part of the sag, which a steady load has all the same. */
const SLOW_SHARE = 1.25
const OHMS_FACTOR_MAX = 10
const OHMS_DEVIATION = 0.5
const OHMS_DEVIATION_MIN = 0.2

/** From a step of the load: both readings are one second apart, so the charge is the same. */
export function resistanceLearned(
  known: Knowledge,
  model: PackModel,
  step: { readonly volts: number; readonly amps: number; readonly share: number },
): Knowledge {
  const expected = Math.abs(step.amps) * known.ohms * step.share
  if (Math.abs(step.amps) < ampHours(model) * STEP_AMPS_SHARE || expected < STEP_VOLTS_MIN)
    return known
  const measured = (SLOW_SHARE * step.volts) / step.amps / step.share
  const configured = model.milliohms / 1000 / model.cells
  const isPossible =
    measured > configured / OHMS_FACTOR_MAX && measured < configured * OHMS_FACTOR_MAX
  if (!isPossible) return known
  const eager = STEP_WEIGHT + STEP_WEIGHT_GROWTH * (known.ohmsDeviation - OHMS_DEVIATION_MIN)
  const weight = (eager * expected ** 2) / (expected ** 2 + STEP_VOLTS_NOISE ** 2)
  return {
    ...known,
    ohms: known.ohms + weight * (measured - known.ohms),
    ohmsDeviation: Math.max(OHMS_DEVIATION_MIN, known.ohmsDeviation * (1 - weight / 2)),
  }
}

/** What a pack showed on its way between two certain charges. */
export interface Trace {
  /** Counted since the first of them. */
  readonly ampHours: number
  /** Of one cell, without what its resistance took. */
  readonly volts: number
}

/** How much of an older curve stays when a new one is learned. */
const OLD_CURVE_SHARE = 0.4

/** @param chargeAt the charge at so many counted ampere-hours, as is certain now */
export function curveLearned(
  known: Knowledge,
  model: PackModel,
  trace: readonly Trace[],
  chargeAt: (countedAmpHours: number) => number,
): Knowledge {
  const points = trace
    .map(point => ({ charge: chargeAt(point.ampHours), volts: point.volts }))
    .map(({ charge, volts }) => ({
      charge,
      offset: volts - openCircuitVolts(model.chemistry, charge),
    }))
    .sort((a, b) => a.charge - b.charge)
  if (points.length < TRACE_MIN) return known
  const learned = Array.from({ length: OFFSETS }, (_, index) =>
    between(points, index / (OFFSETS - 1)),
  )
  const { offsets: old } = known
  const offsets = old
    ? learned.map((value, index) => value + OLD_CURVE_SHARE * ((old[index] ?? value) - value))
    : learned
  return { ...known, offsets: offsets.map(limited) }
}

/** Fewer points are no curve. */
const TRACE_MIN = 12
const OFFSET_MAX = 0.4

const limited = (volts: number): number => Math.min(OFFSET_MAX, Math.max(-OFFSET_MAX, volts))

interface Point {
  readonly charge: number
  readonly offset: number
}

/** Beyond the ends it stays as it was there. */
function between(points: readonly Point[], charge: number): number {
  const above = points.findIndex(point => point.charge >= charge)
  if (above === -1) return points.at(-1)?.offset ?? 0
  const to = points[above]
  const from = points[above - 1]
  if (to === undefined || from === undefined) return to?.offset ?? 0
  const width = to.charge - from.charge
  if (width <= 0) return to.offset
  return from.offset + ((charge - from.charge) / width) * (to.offset - from.offset)
}
