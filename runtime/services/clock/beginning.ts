/** Where a box's show time begins, and what it believes of nobody. */
import { NS_PER_MS } from '../../core/time.js'
import type { Clock } from '../../ports/clock.js'
import type { KeptClock } from './kept-clock.js'
import { ShowScale } from './show-scale.js'

/** Two clocks of one box that agree on a day are wrong by no more. */
const DAY_MS = 86_400_000
const LEAST_NS = -(2n ** 63n)

export interface Beginning {
  readonly scale: ShowScale
  /** No time before this is believed. */
  readonly floorNs: bigint
}

/** @param isShared whether there is a network to share the time on; otherwise it is what the box's clock says */
export function beginning(
  clock: Clock,
  { learnedPpm, timeline }: KeptClock,
  { floorMs, isShared }: { readonly floorMs: number | null; readonly isShared: boolean },
): Beginning {
  const at = clock.monotonicMs()
  const ownMs = clock.monotonicToShow(at)
  const scale = new ShowScale({
    at,
    // Boxes that do not know the date would begin in other years, and not believe each other.
    showNs: nanoseconds(isShared ? Math.max(ownMs, floorMs ?? ownMs) : ownMs),
    learnedPpm,
    continued: isShared ? (timeline?.continued ?? null) : null,
  })
  if (floorMs === null) return { scale, floorNs: LEAST_NS }
  const knownMs = Math.min(ownMs, clock.wallTimeMs()) - DAY_MS
  return { scale, floorNs: nanoseconds(Math.max(floorMs, knownMs)) }
}

const nanoseconds = (ms: number): bigint => BigInt(Math.round(ms * NS_PER_MS))
