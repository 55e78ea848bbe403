/**
 * When a ticket is too old to be begun. A time of day goes by the wall clock; a span goes by the monotonic clock for as
 * long as the box runs, so that a clock which is set does not end it, and by the wall clock over a restart.
 */
import type { OpenRow } from './job.js'

/** 2025-01-01. A clock that shows less was not set since its battery or its board is new: nothing expires by it. */
const KNOWN_WALL_MS = 1_735_689_600_000

/** Moments of this run of the box; null: none on that scale. */
export interface Deadline {
  readonly wallMs: number | null
  readonly monotonicMs: number | null
}

export interface Now {
  readonly wallMs: number
  readonly monotonicMs: number
}

export type Expiry = Pick<OpenRow, 'expiresAtWallMs' | 'expiresAfterMs' | 'askedWallMs'>

export const isKnown = (wallMs: number): boolean => wallMs >= KNOWN_WALL_MS

/** Of a job that was asked for just now. */
export const freshDeadline = (expiry: Expiry, now: Now): Deadline => ({
  wallMs: expiry.expiresAtWallMs,
  monotonicMs: expiry.expiresAfterMs === null ? null : now.monotonicMs + expiry.expiresAfterMs,
})

/** Of a job from before the restart. If the clock was not known when it was asked for, its span begins anew. */
export function keptDeadline(expiry: Expiry, now: Now): Deadline {
  if (expiry.expiresAfterMs === null) return { wallMs: expiry.expiresAtWallMs, monotonicMs: null }
  if (!isKnown(expiry.askedWallMs)) return freshDeadline(expiry, now)
  const endWallMs = expiry.askedWallMs + expiry.expiresAfterMs
  return {
    wallMs: Math.min(endWallMs, expiry.expiresAtWallMs ?? Number.POSITIVE_INFINITY),
    monotonicMs: null,
  }
}

export const isOver = (deadline: Deadline, now: Now): boolean =>
  (deadline.wallMs !== null && isKnown(now.wallMs) && now.wallMs >= deadline.wallMs) ||
  (deadline.monotonicMs !== null && now.monotonicMs >= deadline.monotonicMs)
