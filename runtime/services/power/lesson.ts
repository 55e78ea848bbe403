/**
 * How much a pack holds is learned between a full charge and a charge near the end, in either direction; on the way down
 * its curve is learned as well. A surer end of the same discharge takes the place of a less sure one. Pure.
 */
import { cellOf } from './chemistry.js'
import {
  ampHours,
  capacityLearned,
  curveLearned,
  type Knowledge,
  type PackModel,
  type Trace,
} from './knowledge.js'
import type { Certainty } from './weighing.js'

/** What was counted since a certain charge. */
interface Since {
  readonly certain: Certainty
  readonly ampHours: number
  /** What was known then. */
  readonly before: Knowledge
  /** How sure the other end was of which something was learned; null: nothing yet. */
  readonly taughtDeviation: number | null
}

export interface Course {
  readonly sinceFull: Since | null
  readonly sinceLow: Since | null
  /** Since the full charge. */
  readonly trace: readonly Trace[]
}

export const noCourse: Course = { sinceFull: null, sinceLow: null, trace: [] }

/** Less is no pack: something was counted the wrong way, or not at all. */
const SHARE_MIN = 0.15
/** A curve is only learned to an end that is surer than the curve itself. */
const CURVE_DEVIATION_MAX = 0.035
/** A second end of one discharge must be so much surer than the first. */
const SURER_SHARE = 0.75
const TRACE_STEP = 1 / 40
const TRACE_MAX = 80
/** Of a gauge's current, which errs the same way from lesson to lesson, and between slow and quick discharges. */
const COUNT_SHARE = 0.01

export function followed(course: Course, byAmpHours: number): Course {
  const further = (since: Since | null): Since | null =>
    since && { ...since, ampHours: since.ampHours + byAmpHours }
  return { ...course, sinceFull: further(course.sinceFull), sinceLow: further(course.sinceLow) }
}

/** @param volts of one cell, without what its resistance took */
export function traced(course: Course, volts: number, model: PackModel): Course {
  const { sinceFull, trace } = course
  if (sinceFull === null || trace.length >= TRACE_MAX) return course
  const from = trace.at(-1)?.ampHours ?? 0
  if (from - sinceFull.ampHours < ampHours(model) * TRACE_STEP) return course
  return { ...course, trace: [...trace, { ampHours: sinceFull.ampHours, volts }] }
}

export interface Lesson {
  readonly knowledge: Knowledge
  readonly course: Course
}

export function lessonAtFull(
  course: Course,
  full: Certainty,
  known: Knowledge,
  model: PackModel,
): Lesson {
  const { sinceLow } = course
  const share = sinceLow && shareBetween(sinceLow, full, model)
  const knowledge = sinceLow && share ? capacityOf(sinceLow, full, share, known, model) : known
  const sinceFull = { certain: full, ampHours: 0, before: knowledge, taughtDeviation: null }
  return { knowledge, course: { sinceFull, sinceLow: null, trace: [] } }
}

export function lessonAtLow(
  course: Course,
  low: Certainty,
  known: Knowledge,
  model: PackModel,
): Lesson {
  const { sinceFull } = course
  const share = sinceFull && shareBetween(sinceFull, low, model)
  const isNew =
    sinceFull !== null &&
    share !== null &&
    (sinceFull.taughtDeviation === null || low.deviation < SURER_SHARE * sinceFull.taughtDeviation)
  const sinceLow = { certain: low, ampHours: 0, before: known, taughtDeviation: null }
  if (!isNew)
    return { knowledge: known, course: { ...course, sinceLow: lower(course.sinceLow, sinceLow) } }
  const sized = capacityOf(sinceFull, low, share, known, model)
  const perCharge = sinceFull.ampHours / (low.charge - sinceFull.certain.charge)
  const chargeAt = (counted: number): number => sinceFull.certain.charge + counted / perCharge
  const before = { ...sized, offsets: sinceFull.before.offsets }
  const knowledge =
    low.deviation <= CURVE_DEVIATION_MAX
      ? curveLearned(before, model, course.trace, chargeAt)
      : sized
  return {
    knowledge,
    course: {
      ...course,
      sinceFull: { ...sinceFull, taughtDeviation: low.deviation },
      sinceLow,
    },
  }
}

/** The surest low charge is the one to count from. */
const lower = (old: Since | null, found: Since): Since =>
  old !== null && old.ampHours >= 0 && old.certain.deviation < found.certain.deviation ? old : found

/**
 * Counted ampere-hours for each nominal one; null when that cannot be. A full charge and one near the end are always far
 * enough apart.
 */
function shareBetween(
  { certain, ampHours: counted }: Since,
  end: Certainty,
  model: PackModel,
): number | null {
  const share = counted / (end.charge - certain.charge) / ampHours(model)
  return share >= SHARE_MIN ? share : null
}

function capacityOf(
  { certain, before }: Since,
  end: Certainty,
  share: number,
  known: Knowledge,
  model: PackModel,
): Knowledge {
  const apart = Math.abs(end.charge - certain.charge)
  const lost = end.charge > certain.charge ? (1 - cellOf(model.chemistry).efficiency) / 2 : 0
  const deviation =
    share * Math.hypot(certain.deviation / apart, end.deviation / apart, COUNT_SHARE, lost)
  const { ohms, ohmsDeviation, offsets } = known
  return { ...capacityLearned(before, { share, deviation }), ohms, ohmsDeviation, offsets }
}
