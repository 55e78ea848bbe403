/** Who should lead: pure, so that boxes that know the same come to the same. */
import type { Place } from '../../ports/company.js'
import type { Beat } from './messages.js'

/** Reigns are counted in steps of this; the rest is the box's own, so that two boxes never begin the same one. */
const STEP = 2 ** 20

/** More than a venue reigns in half a year at one a second, and decides in a year at a hundred a second. */
const REIGNS_MAX = 2 ** 24
const ENTRIES_MAX = 2 ** 32

/**
 * Whether a place can be one of the same venue. What is further ahead than a venue comes in a year is nonsense, and from
 * nonsense no reign must count on: its numbers would soon be none that anybody can read.
 * @param known what this box knows of it
 */
export const isBelievable = (place: Place, known: Place): boolean =>
  place.epoch <= known.epoch + REIGNS_MAX * STEP && place.position <= known.position + ENTRIES_MAX

export const isBefore = (one: Place, other: Place): boolean =>
  one.epoch < other.epoch || (one.epoch === other.epoch && one.position < other.position)

export const isSame = (one: Place, other: Place): boolean =>
  one.epoch === other.epoch && one.position === other.position

/** What makes a box's reigns its own. */
export function markOf(box: string): number {
  // FNV-1a, 32 bits, folded.
  let hash = 0x811c9dc5
  for (const letter of box) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return ((hash ^ (hash >>> 20)) >>> 0) % STEP
}

/** The first reign of this box that is later than `seen`. */
export const epochAfter = (seen: number, box: string): number =>
  (Math.floor(seen / STEP) + 1) * STEP + markOf(box)

export type Candidate = Pick<Beat, 'box' | 'head' | 'isKeeping' | 'isPreferred'>

/** Negative when `one` should lead rather than `other`: who knows more, whose disk works, who is preferred, then by name. */
export function byClaim(one: Candidate, other: Candidate): number {
  if (!isSame(one.head, other.head)) return isBefore(one.head, other.head) ? 1 : -1
  if (one.isKeeping !== other.isKeeping) return one.isKeeping ? -1 : 1
  if (one.isPreferred !== other.isPreferred) return one.isPreferred ? -1 : 1
  return one.box < other.box ? -1 : 1
}

/** Negative when `one` is fitter to lead than `other`, if both know the same. */
export const byFitness = (one: Fitness, other: Fitness): number =>
  Number(other.canLead) - Number(one.canLead) || Number(other.isKeeping) - Number(one.isKeeping)

export type Fitness = Pick<Beat, 'canLead' | 'isKeeping'>

export type Leader = Pick<Beat, 'box' | 'party' | 'isPreferred' | 'epoch' | 'canLead'>

/** Negative when of two leaders that have met `one` goes on: who leads more, then who is preferred, then who is newer. */
export function byParty(one: Leader, other: Leader): number {
  if (one.canLead !== other.canLead) return one.canLead ? -1 : 1
  if (one.party !== other.party) return other.party - one.party
  if (one.isPreferred !== other.isPreferred) return one.isPreferred ? -1 : 1
  if (one.epoch !== other.epoch) return other.epoch - one.epoch
  return one.box < other.box ? -1 : 1
}
