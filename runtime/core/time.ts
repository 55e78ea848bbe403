/** The few steps that may cross from a plain number to a moment on one of the three scales. */
import type { MonotonicMs, ShowTimeMs, WallTimeMs } from '../ports/clock.js'

type Moment = MonotonicMs | ShowTimeMs | WallTimeMs

export const monotonicMs = (value: number): MonotonicMs => value as MonotonicMs
export const showTimeMs = (value: number): ShowTimeMs => value as ShowTimeMs
export const wallTimeMs = (value: number): WallTimeMs => value as WallTimeMs

export const NS_PER_MS = 1e6

/** As it is published: to the microsecond. What a clock says beyond that is noise. */
export const publishedMs = (ms: number): number => Math.round(ms * 1000) / 1000

/** The moment `durationMs` later (earlier when negative) on the same scale. A difference is plain subtraction. */
export const after = <T extends Moment>(moment: T, durationMs: number): T =>
  (moment + durationMs) as T

export const later = <T extends Moment>(a: T, b: T): T => (a >= b ? a : b)
export const earlier = <T extends Moment>(a: T, b: T): T => (a <= b ? a : b)
