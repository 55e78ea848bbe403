/** What is known of a pack's charge between two readings, and where it begins. Pure. */
import type { Candidates } from './candidates.js'
import { type Knowledge, nothingLearned, ofAnotherPack, type PackModel } from './knowledge.js'
import { type Course, noCourse } from './lesson.js'
import type { Certainty } from './weighing.js'

/** One reading of one pack, and how long the one before it is ago. */
export interface Sample {
  readonly elapsedMs: number
  /** Of one cell; null when it is not known. */
  readonly volts: number | null
  /** Into the pack is positive. */
  readonly amps: number | null
  readonly celsius: number | null
  /** For gauges that measure no current. */
  readonly isCharging: boolean | null
}

/** From where it is counted. */
export interface Base extends Certainty {
  /** Whether it came from a voltage: then the voltage of now may be wrong in the same way. */
  readonly isByVoltage: boolean
}

export interface Estimate {
  readonly knowledge: Knowledge
  /** Null until a voltage was seen. */
  readonly base: Base | null
  /** Since the base: net, in, and how long. */
  readonly countedAmpHours: number
  readonly chargedAmpHours: number
  readonly countedMs: number
  /** How far the charge may have gone while nobody saw the current, 0..1. */
  readonly unseen: number
  readonly unseenMs: number
  readonly lastVolts: number | null
  readonly lastAmps: number | null
  /** The current as the pack's slow chemistry feels it. */
  readonly slowAmps: number
  readonly calmMs: number
  /** What charging has left on the surface, in volts of one cell. */
  readonly surfaceVolts: number
  /** The voltage without current, smoothed; null until there was one. */
  readonly restVolts: number | null
  /** Smoothed alike: the voltage as it is, and by how much an ohm would lower it. */
  readonly loadedVolts: number
  readonly loadAmps: number
  /** Since when they are smoothed. */
  readonly smoothedMs: number
  readonly sinceWeighedMs: number
  readonly fullMs: number
  /** What is believed now. */
  readonly now: Certainty | null
  /** What the pack may be, since the base; null where its own curve is known, or no current. */
  readonly candidates: Candidates | null
  /** From the last certain charges, for learning. */
  readonly course: Course
}

/** @param remembered what was known when the box was last on, made less certain by the time it was off */
export const freshEstimate = (
  knowledge: Knowledge,
  remembered: Certainty | null = null,
): Estimate => ({
  knowledge,
  base: remembered && { ...remembered, isByVoltage: true },
  countedAmpHours: 0,
  chargedAmpHours: 0,
  countedMs: 0,
  unseen: 0,
  unseenMs: remembered ? Number.POSITIVE_INFINITY : 0,
  lastVolts: null,
  lastAmps: null,
  slowAmps: 0,
  calmMs: 0,
  surfaceVolts: 0,
  restVolts: null,
  loadedVolts: 0,
  loadAmps: 0,
  smoothedMs: 0,
  sinceWeighedMs: 0,
  fullMs: 0,
  now: null,
  candidates: null,
  course: noCourse,
})

/** Another pack of the same kind has been put in. */
export const swapped = (before: Estimate): Estimate =>
  freshEstimate(ofAnotherPack(before.knowledge))

export const unknownPack = (model: PackModel): Estimate => freshEstimate(nothingLearned(model))
