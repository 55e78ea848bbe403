/**
 * Tells a measurement that stands still from one that is stuck. A pack at rest shows the same voltage for hours, so
 * standing still alone proves nothing; what does is another quantity that says it cannot be.
 */
import type { MonotonicMs } from '../runtime/ports/clock.js'

/** As the chip tells it, unrounded: two values are the same when they are so bit for bit. Null: not known now. */
export interface Sample {
  readonly at: MonotonicMs
  readonly millivolts: number | null
  readonly milliamps: number | null
  readonly percent: number | null
}

/** Which of them are stuck. */
export interface Stuck {
  readonly millivolts: boolean
  readonly milliamps: boolean
  readonly percent: boolean
}

/** One value, for as long as it has not changed in a single bit. */
interface Stretch {
  readonly value: number
  readonly since: MonotonicMs
  readonly readings: number
  /** What the other quantity was when the stretch began. */
  readonly other: number | null
}

export interface Watched {
  readonly millivolts: Stretch | null
  readonly milliamps: Stretch | null
  readonly percent: Stretch | null
}

export const nothingWatched: Watched = { millivolts: null, milliamps: null, percent: null }

/** Fewer prove nothing, however far apart. */
const READINGS_MIN = 5
/**
 * A computer's current wanders by far more than one step of a converter within seconds: the same word for so long,
 * beside a voltage that is the same too, is no measurement.
 */
const FROZEN_MS = 600_000
/** Gauges settle after a load or a charger comes and goes; so long after it they have. */
const LEFT_BEHIND_MS = 1_800_000
/** The charge has moved so far, in points, and the voltage by nothing. */
const PERCENT_MOVED = 5
/** The voltage of one cell has moved so far, and the charge by nothing. */
const MILLIVOLTS_MOVED = 300

export const watch = (
  before: Watched,
  { at, millivolts, milliamps, percent }: Sample,
): Watched => ({
  millivolts: stretch(before.millivolts, millivolts, percent, at),
  milliamps: stretch(before.milliamps, milliamps, null, at),
  percent: stretch(before.percent, percent, millivolts, at),
})

/**
 * @param loadedMilliamps from so much on a current cannot stand still: some fifty steps of the chip's converter
 */
export function stuckOf(watched: Watched, sample: Sample, loadedMilliamps: number): Stuck {
  const { at, percent, millivolts } = sample
  const isLoaded = Math.abs(sample.milliamps ?? 0) >= loadedMilliamps
  const isFrozen =
    isLoaded && lasts(watched.millivolts, at, FROZEN_MS) && lasts(watched.milliamps, at, FROZEN_MS)
  return {
    millivolts: isFrozen || isLeftBehind(watched.millivolts, at, percent, PERCENT_MOVED),
    milliamps: isFrozen,
    percent:
      isWithinScale(percent) && isLeftBehind(watched.percent, at, millivolts, MILLIVOLTS_MOVED),
  }
}

/** A gauge that has reached either end waits there for its model to catch up. */
const isWithinScale = (percent: number | null): boolean =>
  percent !== null && percent > 0 && percent < 100

function stretch(
  before: Stretch | null,
  value: number | null,
  other: number | null,
  at: MonotonicMs,
): Stretch | null {
  if (value === null) return null
  if (before?.value !== value) return { value, since: at, readings: 1, other }
  return { ...before, readings: before.readings + 1, other: before.other ?? other }
}

const lasts = (stretch: Stretch | null, at: MonotonicMs, durationMs: number): boolean =>
  stretch !== null && stretch.readings >= READINGS_MIN && at - stretch.since >= durationMs

const isLeftBehind = (
  stretch: Stretch | null,
  at: MonotonicMs,
  other: number | null,
  moved: number,
): boolean =>
  lasts(stretch, at, LEFT_BEHIND_MS) &&
  other !== null &&
  typeof stretch?.other === 'number' &&
  Math.abs(other - stretch.other) >= moved
