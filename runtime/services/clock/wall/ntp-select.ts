/**
 * Which of several servers are believed, and what they say together: RFC 5905, sections 11.2.1 to 11.2.3. More than half of
 * them must agree; one that disagrees with the others is a falseticker, however good it says it is.
 */
import { later } from '../../../core/time.js'
import type { MonotonicMs } from '../../../ports/clock.js'
import type { Heard } from './ntp-source.js'

/** Beyond that a server is not believed at all (RFC 5905, figure 6: MAXDIST), in milliseconds. */
const ROOT_DISTANCE_MS_MAX = 1_500
/** Survivors are not made fewer than that (NMIN). */
const SURVIVORS_MIN = 3

export interface Selected {
  /** The server's date less the own monotonic clock, at the moment asked for. */
  readonly differenceMs: number
  /** Of the newest answer in it. */
  readonly at: MonotonicMs
  readonly jitterMs: number
  /** Whose stratum, leap and root are passed on. */
  readonly leader: Heard
  /** Half the width of the interval that holds the true time, as far as the servers tell the truth. */
  readonly errorMs: number
  /** By their addresses. */
  readonly believed: readonly string[]
}

interface Candidate {
  readonly heard: Heard
  readonly differenceMs: number
  readonly distanceMs: number
}

/** Half the delay to the true time, and whatever else may be wrong (section 11.2.1). */
export const rootDistanceMs = (heard: Heard): number =>
  (heard.rootDelayMs + heard.best.delayMs) / 2 +
  heard.rootDispersionMs +
  heard.dispersionMs +
  heard.jitterMs

/**
 * @param ratePpm how much faster than the own oscillator the date runs, as far as is known
 * @returns null where nobody, or no majority, is believed
 */
export function select(
  heard: readonly Heard[],
  now: MonotonicMs,
  ratePpm: number,
): Selected | null {
  const candidates = heard
    .map(one => ({
      heard: one,
      differenceMs: one.best.differenceMs + (now - one.best.at) * ratePpm * 1e-6,
      distanceMs: rootDistanceMs(one),
    }))
    .filter(({ distanceMs }) => distanceMs < ROOT_DISTANCE_MS_MAX)
  const survivors = clustered(truechimers(candidates))
  const [leader] = [...survivors].sort((a, b) => rank(a) - rank(b))
  if (leader === undefined) return null
  return { ...combined(survivors), leader: leader.heard, errorMs: leader.distanceMs }
}

const rank = ({ heard, distanceMs }: Candidate): number =>
  heard.stratum * ROOT_DISTANCE_MS_MAX + distanceMs

/** Those whose middle lies in the smallest interval that is common to more than half of all. */
function truechimers(candidates: readonly Candidate[]): readonly Candidate[] {
  const edges = candidates
    .flatMap(({ differenceMs, distanceMs }) => [
      { at: differenceMs - distanceMs, step: 1 },
      { at: differenceMs + distanceMs, step: -1 },
    ])
    .sort((a, b) => a.at - b.at || b.step - a.step)
  for (let liars = 0; 2 * liars < candidates.length; liars++) {
    const wanted = candidates.length - liars
    const low = firstReached(edges, 1, wanted)
    const high = firstReached([...edges].reverse(), -1, wanted)
    if (low === null || high === null || low > high) continue
    const chimers = candidates.filter(one => isCommon(one, low, high))
    if (chimers.length >= wanted) return chimers
  }
  return []
}

/** Their intervals meet the common one. */
const isCommon = ({ differenceMs, distanceMs }: Candidate, low: number, high: number): boolean =>
  differenceMs + distanceMs >= low && differenceMs - distanceMs <= high

/** Where so many intervals are open for the first time, going over their edges in the order given. */
function firstReached(
  edges: readonly { readonly at: number; readonly step: number }[],
  opening: number,
  wanted: number,
): number | null {
  let open = 0
  for (const { at, step } of edges) {
    open += step * opening
    if (open >= wanted) return at
  }
  return null
}

/** Leaves out the one that is furthest from the others, as long as that makes it better (section 11.2.2). */
function clustered(candidates: readonly Candidate[]): readonly Candidate[] {
  let kept = candidates
  while (kept.length > SURVIVORS_MIN) {
    const spreads = kept.map(one => spreadMs(one, kept))
    const widest = Math.max(...spreads)
    const steadiest = Math.min(...kept.map(({ heard }) => heard.jitterMs))
    if (widest <= steadiest) break
    const without = spreads.indexOf(widest)
    kept = kept.filter((_, index) => index !== without)
  }
  return kept
}

function spreadMs(one: Candidate, all: readonly Candidate[]): number {
  const squares = all.reduce((sum, other) => {
    return sum + (other.differenceMs - one.differenceMs) ** 2
  }, 0)
  return Math.sqrt(squares / Math.max(1, all.length - 1))
}

/** The nearer to the true time, the more it counts (section 11.2.3). There is one at least. */
function combined(
  survivors: readonly Candidate[],
): Pick<Selected, 'differenceMs' | 'at' | 'jitterMs' | 'believed'> {
  const weights = survivors.map(({ distanceMs }) => 1 / Math.max(1e-6, distanceMs))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const mean = (value: (one: Candidate) => number): number =>
    survivors.reduce((sum, one, index) => sum + value(one) * ((weights[index] ?? 0) / total), 0)
  // From one of them on, so that nothing is lost to rounding: differences are large numbers.
  const base = survivors[0]?.differenceMs ?? 0
  return {
    differenceMs: base + mean(({ differenceMs }) => differenceMs - base),
    at: survivors.map(({ heard }) => heard.best.at).reduce((a, b) => later(a, b)),
    jitterMs: mean(({ heard }) => heard.jitterMs),
    believed: survivors.map(({ heard }) => heard.address),
  }
}
