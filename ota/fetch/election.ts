/**
 * Which box of a venue fetches an object over the uplink, for all. There is no vote: a box that may claims, in an order that
 * all know, once nobody else does. A claim holds while its box is heard and brings pieces. Two claims at once (words that
 * crossed, a venue that was split) end with the higher term, then the lower rank. Being wrong costs bytes and nothing else,
 * so no majority is needed. Pure: from state and view to new state.
 */

export interface ElectionState {
  /** 0: not claimed. */
  readonly claim: number
  /** Since when nobody is heard to claim; null while somebody does. */
  readonly vacantSinceMs: number | null
  /** The highest term ever seen of this object. */
  readonly highestTerm: number
}

export interface Candidate {
  readonly box: string
  /** Spreads the objects over the boxes: the lowest claims first. */
  readonly rank: string
  readonly isWanting: boolean
  readonly mayUseUplink: boolean
  readonly claim: number
  /** When it last had a piece more, or a claim that it had not before. */
  readonly gainedMs: number
}

export interface ElectionView {
  readonly nowMs: number
  readonly own: Omit<Candidate, 'claim'>
  /** Boxes that were heard within the lease, but for those not believed. */
  readonly others: readonly Candidate[]
}

/** Long enough to have heard everybody who is there. */
export const SETTLE_MS = 2_500
/** Between one claim and the next in order: a word arrives in less. */
export const STEP_MS = 1_500
/**
 * A claim without a new piece is void. It doubles with the term, so that a slow uplink is not passed round for ever; but a
 * piece that takes longer than a minute is given up anyway, and whoever claims with a high term is not waited for longer.
 */
export const STALL_MS = 30_000
const STALL_DOUBLINGS_MAX = 2
/** A word with more is none. */
export const TERM_MAX = 1_000_000

export const newElection: ElectionState = { claim: 0, vacantSinceMs: null, highestTerm: 0 }

export function elect(state: ElectionState, view: ElectionView): ElectionState {
  const { own, nowMs } = view
  const highestTerm = Math.max(state.highestTerm, state.claim, ...view.others.map(o => o.claim))
  const rival = strongest(view.others.filter(other => isHolding(other, nowMs)))
  if (!own.isWanting || !own.mayUseUplink)
    return { claim: 0, highestTerm, vacantSinceMs: rival ? null : (state.vacantSinceMs ?? nowMs) }
  if (state.claim > 0) {
    const isBeaten = rival !== null && isStronger(rival, { ...own, claim: state.claim })
    return { claim: isBeaten ? 0 : state.claim, highestTerm, vacantSinceMs: null }
  }
  if (rival !== null) return { claim: 0, highestTerm, vacantSinceMs: null }
  const vacantSinceMs = state.vacantSinceMs ?? nowMs
  const isDue = nowMs >= vacantSinceMs + SETTLE_MS + STEP_MS * placeOf(view)
  if (!isDue) return { claim: 0, highestTerm, vacantSinceMs }
  const claim = Math.min(TERM_MAX, highestTerm + 1)
  return { claim, highestTerm: claim, vacantSinceMs: null }
}

export const stallMs = (claim: number): number =>
  STALL_MS * 2 ** Math.min(STALL_DOUBLINGS_MAX, Math.max(0, claim - 1))

export const isStalled = ({ claim, gainedMs }: Candidate, nowMs: number): boolean =>
  claim > 0 && nowMs - gainedMs > stallMs(claim)

const isHolding = (candidate: Candidate, nowMs: number): boolean =>
  candidate.claim > 0 &&
  candidate.isWanting &&
  candidate.mayUseUplink &&
  !isStalled(candidate, nowMs)

function strongest(candidates: readonly Candidate[]): Candidate | null {
  let best: Candidate | null = null
  for (const candidate of candidates)
    if (best === null || isStronger(candidate, best)) best = candidate
  return best
}

function isStronger(one: Candidate, other: Candidate): boolean {
  return one.claim !== other.claim ? one.claim > other.claim : isBefore(one, other)
}

type Placed = Pick<Candidate, 'rank' | 'box'>
const isBefore = (one: Placed, other: Placed): boolean =>
  one.rank !== other.rank ? one.rank < other.rank : one.box < other.box

/** How many would claim before this box. Who has just been found stalled stands back. */
const placeOf = ({ own, others, nowMs }: ElectionView): number =>
  others.filter(
    other =>
      other.isWanting && other.mayUseUplink && !isStalled(other, nowMs) && isBefore(other, own),
  ).length
