/** What a box thinks of a source by what it did: how long it is left alone, and when it is avoided. Pure. */
import type { SourceKind } from '../../runtime/ports/piece-source.js'

export interface Standing {
  /** In a row. */
  readonly failures: number
  /** Pieces that were not what is signed. Never forgiven while the process lives. */
  readonly lies: number
  /** On the monotonic scale. */
  readonly pausedUntilMs: number
  /** It has no ranges: each request brings the object from its beginning. */
  readonly isWholeOnly: boolean
}

/**
 * What became of a transfer. `gave`: at least one piece, and nothing went wrong; `broke`: something went wrong after at
 * least one piece; `busy`: it said that it has enough to do.
 */
export type Deed = 'gave' | 'broke' | 'failed' | 'busy' | 'absent' | 'lied'

export interface DeedContext {
  readonly kind: SourceKind
  readonly nowMs: number
  /** 0 to 1: boxes that fail together do not come back together. */
  readonly chance: number
}

const PAUSE_MS_MIN = 500
const PAUSE_MS_MAX = 60_000
const ABSENT_MS = 30_000
/** Of a box that many ask at once: until it has given some of them what they want. */
const BUSY_MS = 1_000
/** Whoever lies on the LAN does it on purpose: its pieces are hashed before they leave an honest box. */
const PEER_LIE_MS = 60 * 60_000
/** Its claim to fetch for all does not hold up boxes that cannot reach it. */
const PEER_FAILURES_MAX = 5
/** A mirror may have a rotten copy of one piece, or a proxy that means well. */
const LIE_MS = 30_000
const LIES_MAX = 3

export const newStanding: Standing = {
  failures: 0,
  lies: 0,
  pausedUntilMs: Number.NEGATIVE_INFINITY,
  isWholeOnly: false,
}

export function judged(standing: Standing, deed: Deed, context: DeedContext): Standing {
  if (deed === 'gave') return { ...standing, failures: 0 }
  const failures = failuresAfter(standing, deed, context)
  const lies = standing.lies + (deed === 'lied' ? 1 : 0)
  const pauseMs = pauseOf({ failures, lies }, deed, context)
  return { ...standing, failures, lies, pausedUntilMs: context.nowMs + pauseMs }
}

function failuresAfter({ failures }: Standing, deed: Deed, { kind }: DeedContext): number {
  // A link that breaks again and again, and brings something each time, is not left alone for longer and longer.
  if (deed === 'broke') return 1
  // A box of the venue said that it has it, before it was asked.
  const isInnocent = deed === 'busy' || (deed === 'absent' && kind !== 'peer')
  return isInnocent ? failures : failures + 1
}

function pauseOf(
  { failures, lies }: Pick<Standing, 'failures' | 'lies'>,
  deed: Deed,
  { kind, chance }: DeedContext,
): number {
  const share = 0.5 + chance / 2
  if (deed === 'lied') {
    if (kind !== 'peer' && lies < LIES_MAX) return LIE_MS * 4 ** (lies - 1) * share
    return PEER_LIE_MS * 2 ** Math.min(10, lies - 1)
  }
  if (deed === 'absent' && kind !== 'peer') return ABSENT_MS * share
  if (deed === 'busy') return BUSY_MS * share
  return Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(10, failures - 1)) * share
}

/** How long the word of a box that behaves so is not listened to; 0: it is. */
export function deafMs({ failures, lies }: Standing): number {
  if (lies > 0) return PEER_LIE_MS * 2 ** Math.min(10, lies - 1)
  return failures >= PEER_FAILURES_MAX ? PAUSE_MS_MAX : 0
}

export const isUsable = (standing: Standing, nowMs: number): boolean =>
  nowMs >= standing.pausedUntilMs
