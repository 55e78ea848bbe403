/**
 * The charge of one pack: current is counted over the time that passed, from a charge that was certain; and the voltage
 * is weighed against the count by how much it can tell there. At rest it tells most, on the plateau of lifepo4 next to
 * nothing, full and empty all. Pure: what goes in is a reading and how long the last one is ago.
 */
import { begunAnew, believed, candidatesFor, judged } from './candidates.js'
import { capacityShare, cellOf, resistanceShare } from './chemistry.js'
import type { Estimate, Sample } from './estimate-state.js'
import {
  assumedAmps,
  clamp,
  countOf,
  heardNow,
  movedIn,
  restOf,
  strayedSince,
  wandered,
} from './evidence.js'
import { ampHours, type Knowledge, type PackModel, resistanceLearned } from './knowledge.js'
import { followed, lessonAtFull, lessonAtLow, noCourse, traced } from './lesson.js'
import {
  blended,
  byVoltage,
  type Certainty,
  type Rest,
  withVoltage,
  withVoltageAnew,
} from './weighing.js'

const HOUR_MS = 3_600_000
/** Readings that are further apart do not say what flowed in between. */
const APART_MS_MAX = 10_000
/** After so long without a current the voltage is asked as at a start. */
const UNSEEN_MS_MAX = 60_000
const SLOW_MS = 120_000
const SMOOTH_MS = 60_000
const WEIGH_MS = 20_000
/** Once what a pack may be is spread out; it takes a thousand times as long. */
const JUDGE_MS = 60_000

/** The next estimate. A sample without voltage or current only makes it less certain. */
export function estimated(before: Estimate, sample: Sample, model: PackModel): Estimate {
  const passed = count(before, sample, model)
  const heard = hear(passed, sample, model)
  if (heard.restVolts === null) return heard
  if (heard.base === null || heard.unseenMs > UNSEEN_MS_MAX)
    return sample.volts === null ? heard : seeded(heard, sample, model)
  const isSettled = heard.candidates !== null && heard.countedMs > JUDGE_MS
  const isDue = heard.sinceWeighedMs >= (isSettled ? JUDGE_MS : WEIGH_MS) && sample.volts !== null
  return isDue ? weigh(heard, sample, model) : { ...heard, now: shifted(before, heard, model) }
}

/** Between two weighings the count moves what was found. */
function shifted(before: Estimate, after: Estimate, model: PackModel): Certainty | null {
  if (before.now === null || before.base === null || after.base === null) return after.now
  const moved = movedIn(after, model) - movedIn(before, model)
  return { ...before.now, charge: clamp(before.now.charge + moved) }
}

function count(before: Estimate, sample: Sample, model: PackModel): Estimate {
  const { elapsedMs, amps, celsius } = sample
  const isSeen = amps !== null && before.lastAmps !== null && elapsedMs <= APART_MS_MAX
  if (!isSeen) return pass(before, sample, model)
  const mean = (amps + before.lastAmps) / 2
  const cell = cellOf(model.chemistry)
  const efficiency = mean > 0 ? cell.efficiency : 1
  const counted =
    (mean * efficiency * elapsedMs) / HOUR_MS / capacityShare(model.chemistry, celsius)
  const isOver = sample.volts !== null && before.unseenMs <= UNSEEN_MS_MAX
  const settled = isOver ? settledUnseen(before) : before
  return {
    ...settled,
    countedAmpHours: settled.countedAmpHours + counted,
    chargedAmpHours: settled.chargedAmpHours + Math.max(0, counted),
    countedMs: settled.countedMs + elapsedMs,
    course: followed(settled.course, counted),
  }
}

/** Nobody saw what flowed: as much as before, either way. */
function pass(before: Estimate, { elapsedMs }: Sample, model: PackModel): Estimate {
  const full = ampHours(model) * before.knowledge.capacityShare
  const rate = Math.max(Math.abs(before.slowAmps) / full, 1 / 50)
  return {
    ...before,
    unseen: Math.min(1, before.unseen + (rate * elapsedMs) / HOUR_MS),
    unseenMs: before.unseenMs + elapsedMs,
  }
}

/** A short gap is over: what it may have moved is one more error of where the count began. */
function settledUnseen(before: Estimate): Estimate {
  if (before.unseen === 0 || before.base === null) return before
  const deviation = Math.hypot(before.base.deviation, before.unseen)
  return { ...before, base: { ...before.base, deviation }, unseen: 0, unseenMs: 0 }
}

/** Takes in the voltage, and what the current does to it. */
function hear(before: Estimate, sample: Sample, model: PackModel): Estimate {
  const { elapsedMs, volts, celsius } = sample
  const amps = sample.amps ?? assumedAmps(sample, model)
  const cell = cellOf(model.chemistry)
  const hourly = ampHours(model)
  const next: Estimate = {
    ...before,
    lastAmps: sample.amps,
    lastVolts: volts,
    slowAmps: slowAmpsAfter(before, sample, amps),
    calmMs: Math.abs(amps) < hourly / 20 ? before.calmMs + elapsedMs : 0,
    surfaceVolts:
      amps > hourly / 100
        ? cell.surfaceVolts
        : before.surfaceVolts * Math.exp(-elapsedMs / cell.surfaceFadeMs),
    sinceWeighedMs: before.sinceWeighedMs + elapsedMs,
  }
  if (volts === null) return next
  const charge = before.now?.charge ?? 0.5
  const knowledge = stepped(before, sample, model, resistanceShare(charge, celsius))
  const loadAmps = -amps * resistanceShare(charge, celsius)
  // What it was before a silence says nothing of now.
  const since = before.lastVolts === null ? 0 : before.smoothedMs
  // The first reading must not stand for a minute: until there is one, it is a plain mean.
  const kept = Math.min(since / (since + elapsedMs + 1), Math.exp(-elapsedMs / SMOOTH_MS))
  const smooth = (old: number, fresh: number): number => fresh + kept * (old - fresh)
  return {
    ...next,
    knowledge,
    restVolts: smooth(before.restVolts ?? 0, volts + loadAmps * knowledge.ohms),
    loadedVolts: smooth(before.loadedVolts, volts),
    loadAmps: smooth(before.loadAmps, loadAmps),
    smoothedMs: Math.min(SMOOTH_MS, since + Math.max(elapsedMs, 1)),
  }
}

/** A silence leaves it as it was: whatever flowed goes on flowing, as far as anybody knows. */
function slowAmpsAfter(before: Estimate, { volts, elapsedMs }: Sample, amps: number): number {
  if (volts === null) return before.slowAmps
  if (before.restVolts === null) return amps
  return amps + (before.slowAmps - amps) * Math.exp(-elapsedMs / SLOW_MS)
}

function stepped(before: Estimate, sample: Sample, model: PackModel, share: number): Knowledge {
  const { lastVolts, lastAmps, knowledge } = before
  const { volts, amps, elapsedMs } = sample
  const isKnown = lastVolts !== null && lastAmps !== null && volts !== null && amps !== null
  if (!isKnown || elapsedMs > 3_000) return knowledge
  return resistanceLearned(knowledge, model, {
    volts: volts - lastVolts,
    amps: amps - lastAmps,
    share,
  })
}

/** The first voltage after nothing was known, or not enough. */
function seeded(at: Estimate, sample: Sample, model: PackModel): Estimate {
  if (isNewcomer(at, sample)) return introduced(at, sample, model)
  const rest = restOf(at, sample, model)
  const found =
    at.base === null
      ? byVoltage(model, at.knowledge, rest)
      : withVoltageAnew(model, at.knowledge, rest, countOf(at, at.base, model))
  // A capacity is only learned from what was counted without a gap.
  return { ...rebased(at, found, !isAtTop(found)), unseen: 0, unseenMs: 0, course: noCourse }
}

/** Nothing was learned of its curve, and its current is counted. */
const isNewcomer = ({ knowledge }: Estimate, { amps }: Sample): boolean =>
  knowledge.offsets === null && amps !== null

const stale = ({ unseen }: Estimate, { charge, deviation }: Certainty): Certainty => ({
  charge,
  deviation: Math.hypot(deviation, unseen),
})

function introduced(at: Estimate, sample: Sample, model: PackModel): Estimate {
  const before = at.now === null ? at.base && countOf(at, at.base, model) : stale(at, at.now)
  const heard = { ...heardNow(at, sample), countedAmpHours: 0 }
  const candidates = candidatesFor(model, at.knowledge, before, heard)
  const based = rebased(at, believed(candidates, model, at.knowledge, heard), true)
  return { ...based, candidates, unseen: 0, unseenMs: 0, course: noCourse }
}

const rebased = (at: Estimate, found: Certainty, isByVoltage: boolean): Estimate => ({
  ...at,
  base: { ...found, isByVoltage },
  countedAmpHours: 0,
  chargedAmpHours: 0,
  countedMs: 0,
  sinceWeighedMs: 0,
  now: found,
  candidates: null,
})

/** There all cells agree: what the voltage says farther down errs for other reasons. */
const isAtTop = ({ charge, deviation }: Certainty): boolean => charge > 0.97 && deviation < 0.04

/** Where the voltage has made it so much surer, counting begins anew from there. */
const REBASE_SHARE = 0.7
/** A charge that was certain by itself is counted from for longer. */
const REBASE_DEVIATION_MIN = 0.05

function weigh(at: Estimate, sample: Sample, model: PackModel): Estimate {
  if (at.base === null) return at
  const full = anchoredFull(at, sample, model)
  if (full.fullMs >= FULL_MS) return filled(full, sample, model)
  const rest = restOf(at, sample, model)
  const voltage = byVoltage(model, at.knowledge, rest)
  if (isNewcomer(at, sample)) return emptied(judgedAnew(full, sample, model), rest, voltage, model)
  const counted = withoutCurrent(sample) ? wandered(at, at.base) : countOf(at, at.base, model)
  const now = at.base.isByVoltage
    ? blended(counted, voltage)
    : withVoltage(model, at.knowledge, rest, counted)
  const weighed = { ...full, now, sinceWeighedMs: 0 }
  const isWorn = at.base.isByVoltage || counted.deviation > REBASE_DEVIATION_MIN
  const isSurer = isWorn && now.deviation < REBASE_SHARE * counted.deviation
  const based = isSurer || withoutCurrent(sample) ? rebased(weighed, now, true) : weighed
  return emptied(based, rest, voltage, model)
}

/** Beyond this, counting has gone so far astray that it begins anew from what is believed now. */
const STRAYED_MAX = 0.04

function judgedAnew(at: Estimate, sample: Sample, model: PackModel): Estimate {
  if (at.candidates === null) return introduced(at, sample, model)
  const heard = heardNow(at, sample)
  const candidates = judged(at.candidates, model, at.knowledge, heard)
  const { charge, deviation } = believed(candidates, model, at.knowledge, heard)
  const strayed = strayedSince(at, model)
  const now = { charge, deviation: Math.hypot(deviation, strayed) }
  if (strayed < STRAYED_MAX) return { ...at, candidates, now, sinceWeighedMs: 0 }
  return { ...rebased(at, now, true), unseen: 0, candidates: begunAnew(candidates, now) }
}

const withoutCurrent = ({ amps }: Sample): boolean => amps === null

const FULL_MS = 60_000
const FULL: Certainty = { charge: 1, deviation: 0.015 }

/** Full when a charger has let the current taper off at the top. */
function anchoredFull(at: Estimate, sample: Sample, model: PackModel): Estimate {
  const hourly = ampHours(model)
  const amps = sample.amps ?? Number.NaN
  const isTapered = amps < hourly / 30 && amps > -hourly / 100
  const isTop = (sample.volts ?? 0) >= cellOf(model.chemistry).fullVolts
  return { ...at, fullMs: isTapered && isTop ? at.fullMs + at.sinceWeighedMs : 0 }
}

/** Near the end every curve falls, and the voltage alone is worth a lesson; the nearer the surer. */
const LOW_CHARGE_MAX = 0.2
const LOW_DEVIATION_MAX = 0.09

function emptied(at: Estimate, rest: Rest, voltage: Certainty, model: PackModel): Estimate {
  if (at.slowAmps >= 0) return at
  const course = traced(at.course, rest.volts, model)
  const isLow = voltage.charge <= LOW_CHARGE_MAX && voltage.deviation <= LOW_DEVIATION_MAX
  if (!isLow) return { ...at, course }
  return { ...at, ...lessonAtLow(course, voltage, at.knowledge, model) }
}

function filled(at: Estimate, sample: Sample, model: PackModel): Estimate {
  const lesson = lessonAtFull(at.course, FULL, at.knowledge, model)
  const based = { ...rebased(at, FULL, false), ...lesson }
  if (!isNewcomer(based, sample)) return based
  const heard = { ...heardNow(at, sample), countedAmpHours: 0 }
  const known = at.candidates ?? candidatesFor(model, based.knowledge, FULL, heard)
  return { ...based, candidates: begunAnew(known, FULL) }
}

/** The state of charge in points, and half the width of the interval that holds it (two deviations). */
export interface Charge {
  readonly percent: number
  readonly percentError: number
}

/** Wider than this it would be a guess, and nothing is said. */
const ERROR_MAX = 50
const ERROR_MIN = 1

export function chargeOf({ now, unseen }: Estimate): Charge | null {
  if (now === null) return null
  const percentError = Math.max(ERROR_MIN, 200 * Math.hypot(now.deviation, unseen))
  return percentError > ERROR_MAX ? null : { percent: 100 * now.charge, percentError }
}
