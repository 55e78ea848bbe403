/**
 * What a pack may be of which nothing was learned yet: the kind of its cells, what it holds, how charged it was when
 * counting began, what it resists. Each combination says what the voltage should be by now; the better it said so all
 * the way, the more it counts. So a pack is known by how its voltage went, not by where it is. Pure.
 */
import { type CellKind, CHARGE_STEPS, cellKinds } from './cell-kinds.js'
import { ampHours, type Knowledge, type PackModel } from './knowledge.js'
import type { Certainty } from './weighing.js'

export interface Candidates {
  /** Shares of the capacity that is printed on it. */
  readonly sizes: readonly number[]
  /** Charges with which counting began. */
  readonly begins: readonly number[]
  /** Resistances of a cell, at 25 °C in the middle of its charge. */
  readonly ohms: readonly number[]
  /** Logarithm of how likely each is: by kind, size, begin and resistance. */
  readonly logs: Float64Array
  /** Counted, when they were last judged. */
  readonly judgedAmpHours: number
  /** What was known of the charge with which they began; null: nothing. */
  readonly before: Certainty | null
  /** Whether that was so sure that they need not be made anew while little has been counted. */
  readonly isAnchored: boolean
}

/** What is heard of one cell now, smoothed. */
export interface Heard {
  readonly volts: number
  /** By so much an ohm would lower it. */
  readonly loadAmps: number
  /** How far the voltage may be off, curve and resistance aside. */
  readonly deviation: number
  /** Since counting began. */
  readonly countedAmpHours: number
}

const [BEGINS, SIZES] = [17, 15]
/** Most packs hold what is printed on them; the other ones anything down to worn out. */
const SIZE_MEAN = 0.99
const SIZE_DEVIATION = 0.065
const SIZE_MIN = 0.5
const SIZE_MAX = 1.25
const WORN_SHARE = 0.05
/** An error of the gauge's gain is one of the size. */
const GAIN_DEVIATION = 0.02
/** In doubt it resists rather more than was written down: leads, contacts, age. */
const OHMS_FACTORS = [0.36, 0.6, 1, 1.6, 2.6, 4.4]
const OHMS_BELIEVED = 2
const OHMS_DOUBT = 1.3
/** Packs are put in full more often than in any other state. It counts where a voltage tells less. */
const FULL_SHARE = { 'li-ion': 0.2, lifepo4: 0.65, 'lead-acid': 0.65 } as const
const FULL_CHARGE_MIN = 0.965
/** Of packs that were charged elsewhere, or changed, since they were last seen. */
const STRANGE_SHARE = 0.1

/** @param before what was known of the charge from elsewhere when counting began; null: nothing */
export function candidatesFor(
  model: PackModel,
  known: Knowledge,
  before: Certainty | null,
  heard: Heard,
): Candidates {
  const sizes = sizesOf(known)
  const ohms = OHMS_FACTORS.map(factor => factor * known.ohms)
  const begins = beginsOf(model, known, { ohms, before, heard })
  const prior = priorOf(model, begins, before)
  const logs = cellKinds(model.chemistry).flatMap(kind =>
    sizes.flatMap(size =>
      prior.flatMap(begin => ohms.map(() => Math.log(kind.weight * size.weight * begin))),
    ),
  )
  const fresh = {
    sizes: sizes.map(({ share }) => share),
    begins,
    ohms,
    logs: Float64Array.from(logs),
    judgedAmpHours: 0,
    before,
    isAnchored: false,
  }
  return { ...fresh, logs: judgedLogs(fresh, model, heard, 1 - NOW_WEIGHT) }
}

/** The same pack, of which the charge is known from elsewhere; what it is, is remembered. */
export function begunAnew(at: Candidates, { charge, deviation }: Certainty): Candidates {
  const low = Math.max(0, charge - 2.5 * deviation)
  const begins = evenly(low, Math.min(1, charge + 2.5 * deviation), BEGINS)
  const logs = new Float64Array(at.logs.length)
  const { length } = at.ohms
  for (let from = 0; from < logs.length; from += BEGINS * length)
    for (let ohm = 0; ohm < length; ohm++) {
      const together = sumOf(at.logs, from + ohm, length)
      for (const [index, begin] of begins.entries())
        logs[from + index * length + ohm] = together + Math.log(bell(begin, { charge, deviation }))
    }
  return { ...at, begins, logs, judgedAmpHours: 0, before: { charge, deviation }, isAnchored: true }
}

/** Logarithm of how likely they are together, however charged they began. */
function sumOf(logs: Float64Array, from: number, step: number): number {
  const all = Array.from({ length: BEGINS }, (_, index) => logs[from + index * step] ?? 0)
  const highest = Math.max(...all)
  return highest + Math.log(all.reduce((sum, log) => sum + Math.exp(log - highest), 0))
}

interface Weighted {
  readonly share: number
  readonly weight: number
}

/** Nothing is impossible, and the logarithm of nothing is no number. */
const WEIGHT_MIN = 1e-6

function sizesOf({ capacityShare, capacityDeviation, lessons }: Knowledge): readonly Weighted[] {
  const isNew = lessons === 0
  const deviation = isNew ? SIZE_DEVIATION : Math.hypot(capacityDeviation, GAIN_DEVIATION)
  const low = isNew ? SIZE_MIN : capacityShare * Math.exp(-2.5 * deviation)
  const high = isNew ? SIZE_MAX : capacityShare * Math.exp(2.5 * deviation)
  return evenly(Math.log(low), Math.log(high), SIZES).map(log => {
    const share = Math.exp(log)
    const usual = bell(share, { charge: isNew ? SIZE_MEAN : capacityShare, deviation })
    const worn = isNew && share < SIZE_MEAN ? WORN_SHARE / (SIZE_MEAN - SIZE_MIN) : 0
    return { share, weight: WEIGHT_MIN + usual + worn }
  })
}

/** Logarithm of how likely a resistance is: steps of the load may have taught it by now. */
function ohmsLog(ohms: number, { ohms: believed, ohmsDeviation }: Knowledge): number {
  const distance = Math.log(ohms / believed) - ohmsDeviation / 2
  return -((distance / (OHMS_DOUBT * ohmsDeviation)) ** 2) / 2
}

const evenly = (low: number, high: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => low + ((high - low) * index) / (count - 1))

const bell = (value: number, { charge, deviation }: Certainty): number =>
  Math.exp(-(((value - charge) / deviation) ** 2) / 2) / (deviation * 2.5066)

/** Of charges in equal steps. */
function priorOf(
  { chemistry }: PackModel,
  charges: readonly number[],
  before: Certainty | null,
): readonly number[] {
  const often = FULL_SHARE[chemistry]
  const step = (charges[1] ?? 1) - (charges[0] ?? 0)
  const full = charges.filter(charge => charge >= FULL_CHARGE_MIN).length
  return charges.map(charge => {
    const anything = (1 - often) * step + (charge >= FULL_CHARGE_MIN ? often / full : 0)
    const expected = before === null ? anything : bell(charge, before) * step
    return WEIGHT_MIN + STRANGE_SHARE * anything + (1 - STRANGE_SHARE) * expected
  })
}

const FINE_STEPS = 100
const TAIL = 0.003

/** Spread over where it may have begun, by what was known and by the first voltage. */
function beginsOf(
  model: PackModel,
  known: Knowledge,
  { ohms, before, heard }: Pick<Candidates, 'ohms'> & { before: Certainty | null; heard: Heard },
): readonly number[] {
  const charges = evenly(0, 1, FINE_STEPS + 1)
  const prior = priorOf(model, charges, before)
  const moved = heard.countedAmpHours / ampHours(model)
  const weights = charges.map((charge, index) => {
    let sum = 0
    for (const kind of cellKinds(model.chemistry)) {
      const cell = cellAt(kind, charge + moved, heard)
      for (const each of ohms)
        sum += kind.weight * Math.exp(ohmsLog(each, known) + fitOf(cell, each, heard))
    }
    return sum * (prior[index] ?? 0)
  })
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const low = quantile(weights, TAIL * total)
  const high = quantile(weights, (1 - TAIL) * total)
  return evenly(Math.max(0, low - 1 / FINE_STEPS), high, BEGINS)
}

function quantile(weights: readonly number[], wanted: number): number {
  let sum = 0
  for (const [index, weight] of weights.entries()) {
    sum += weight
    if (sum >= wanted) return index / FINE_STEPS
  }
  return 1
}

/** Of Student's distribution: one voltage that no kind explains must not decide everything. */
const FREEDOM = 12
/** How far a charge may be beyond full or empty before it is absurd. */
const BEYOND = 0.02

/** What a cell of some kind does at some charge. */
interface Cell {
  readonly volts: number
  readonly variance: number
  /** 1 at full, -1 at empty: voltages beyond are no surprise. */
  readonly end: number
  /** Logarithm of what is against it, whatever the voltage. */
  readonly doubt: number
}

function cellAt(kind: CellKind, charge: number, heard: Heard): Cell {
  const inside = clamped(charge)
  const at = inside * CHARGE_STEPS
  const below = Math.min(CHARGE_STEPS - 1, Math.floor(at))
  const low = kind.volts[below] ?? 0
  const volts = low + ((kind.volts[below + 1] ?? low) - low) * (at - below)
  const variance = (kind.variance[below] ?? 0) + heard.deviation ** 2
  const doubt = Math.log(variance) / 2 + ((charge - inside) / BEYOND) ** 2
  const end = charge >= 1 ? 1 : charge <= 0 ? -1 : 0
  return { volts, variance, end, doubt }
}

/** Logarithm of how likely the voltage is of such a cell with such a resistance. */
function fitOf({ volts, variance, end, doubt }: Cell, ohms: number, heard: Heard): number {
  const sag = heard.loadAmps * ohms
  const distance = heard.volts + sag - volts
  if (distance * end > 0) return -doubt
  // Resistances in between, and as they change, are not asked for.
  const square = distance ** 2 / (variance + (OHMS_DEVIATION * sag) ** 2)
  return -((FREEDOM + 1) / 2) * Math.log(1 + square / FREEDOM) - doubt
}

const OHMS_DEVIATION = 0.15

const clamped = (charge: number): number => (charge < 0 ? 0 : charge > 1 ? 1 : charge)

/** How well each explains what is heard, in the order of their logarithms; and the charge it would have. */
function fitsOf(
  { sizes, begins, ohms, logs }: Candidates,
  model: PackModel,
  heard: Heard,
): { readonly fits: Float64Array; readonly charges: Float64Array } {
  const fits = new Float64Array(logs.length)
  const charges = new Float64Array(logs.length)
  let place = 0
  for (const kind of cellKinds(model.chemistry))
    for (const size of sizes) {
      const moved = heard.countedAmpHours / (ampHours(model) * size)
      for (const begin of begins) {
        const cell = cellAt(kind, begin + moved, heard)
        for (const each of ohms) {
          charges[place] = clamped(begin + moved)
          fits[place++] = fitOf(cell, each, heard)
        }
      }
    }
  return { fits, charges }
}

/** They are judged anew each time so much was counted. */
const JUDGE_SHARE = 1 / 40
/** Neighbours on a curve err alike: so much less than a voltage of its own is each of them worth. */
const JUDGE_WEIGHT = 0.2

export function judged(
  at: Candidates,
  model: PackModel,
  known: Knowledge,
  heard: Heard,
): Candidates {
  const since = Math.abs(heard.countedAmpHours - at.judgedAmpHours)
  const isSoon = since < ampHours(model) * JUDGE_SHARE
  if (isSoon && isMistaken(at, known)) return candidatesFor(model, known, at.before, heard)
  if (isSoon) return at
  const logs = judgedLogs(at, model, heard, JUDGE_WEIGHT)
  return { ...at, logs, judgedAmpHours: heard.countedAmpHours }
}

/** The first steps of the load have shown that it resists far more or less than was believed: so did the first voltage. */
const OHMS_MISTAKE = Math.log(1.8)

const isMistaken = ({ judgedAmpHours, isAnchored, ohms }: Candidates, known: Knowledge): boolean =>
  judgedAmpHours === 0 &&
  !isAnchored &&
  Math.abs(Math.log(known.ohms / (ohms[OHMS_BELIEVED] ?? known.ohms))) > OHMS_MISTAKE

function judgedLogs(
  at: Candidates,
  model: PackModel,
  heard: Heard,
  weight: number,
): Candidates['logs'] {
  const { fits } = fitsOf(at, model, heard)
  return at.logs.map((log, place) => log + weight * (fits[place] ?? 0))
}

/** What the voltage of now is worth beside those that were judged. */
const NOW_WEIGHT = 0.4
const DEVIATION_MIN = 0.008
/** For what is like none of them. */
const HONESTY = 1.15
/** A logarithm so far behind the best counts for nothing. */
const BEHIND_MIN = -12

/** What they make of the charge together. */
export function believed(
  at: Candidates,
  model: PackModel,
  known: Knowledge,
  heard: Heard,
): Certainty {
  const { fits, charges } = fitsOf(at, model, heard)
  const ohmsLogs = at.ohms.map(each => ohmsLog(each, known))
  let highest = Number.NEGATIVE_INFINITY
  for (let place = 0; place < fits.length; place++) {
    const known = (at.logs[place] ?? 0) + (ohmsLogs[place % ohmsLogs.length] ?? 0)
    const log = NOW_WEIGHT * (fits[place] ?? 0) + known
    fits[place] = log
    if (log > highest) highest = log
  }
  let [total, sum, squares] = [0, 0, 0]
  for (let place = 0; place < fits.length; place++) {
    const behind = (fits[place] ?? 0) - highest
    if (behind < BEHIND_MIN) continue
    const weight = Math.exp(behind)
    const share = weight * (charges[place] ?? 0)
    total += weight
    sum += share
    squares += share * (charges[place] ?? 0)
  }
  const charge = sum / total
  const variance = Math.max(0, squares / total - charge ** 2)
  return { charge, deviation: Math.max(DEVIATION_MIN, HONESTY * Math.sqrt(variance)) }
}
