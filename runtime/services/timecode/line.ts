/** The straight line through where a source was lately: how fast it runs, and where it is at any moment. Pure. */

import { after } from '../../core/time.js'
import { frameMs } from '../../core/timecode.js'
import type { MonotonicMs } from '../../ports/clock.js'
import type { Sighting } from './sighting.js'

/** How far back it looks, and how close together the sightings are that it keeps. */
const WINDOW_MS = 4_000
const SPACING_MS = 18
const POINTS_MAX = 160
/** Few sightings say little of the speed: until there are more, it is what sources have, within so much. */
const SPEED_SPREAD = 0.003
const JITTER_MS_LEAST = 1
/** What came later than the others by so many times their scatter was held up on its way. */
const HELD_UP = 2.5
const JITTER_MS_MIN = 0.05

interface Point {
  readonly at: MonotonicMs
  readonly frame: number
}

export interface Line {
  readonly points: readonly Point[]
  /** Of a frame at the nominal speed. */
  readonly frameMs: number
  readonly at: MonotonicMs
  /** Where the source is at `at`. */
  readonly frame: number
  /** 1 is the nominal speed. */
  readonly speed: number
  /** Root mean square of what lies between the sightings and the line. */
  readonly jitterMs: number
}

/** @param sightings in order of time, at least one, of one rate and with no midnight in between */
export function lineThrough(sightings: readonly [Sighting, ...Sighting[]]): Line {
  const points = sightings.map(({ at, frame }) => ({ at, frame }))
  return fitted(points, frameMs(sightings[0].rate))
}

/** The line with one more point, and without those that are too old. */
export function extended(line: Line, point: Point): Line {
  const last = line.points.at(-1)
  const isClose = last !== undefined && point.at - last.at < SPACING_MS
  // Of two neighbours the older stays, so that a dense source does not push its own past out.
  const kept = isClose ? line.points : [...line.points, point]
  const from = kept.findIndex(({ at }) => at >= point.at - WINDOW_MS)
  return fitted(kept.slice(Math.max(from, kept.length - POINTS_MAX)), line.frameMs)
}

export const frameOn = (line: Line, at: MonotonicMs): number =>
  line.frame + ((at - line.at) * line.speed) / line.frameMs

/** When the source is there. */
export const momentOn = (line: Line, frame: number): MonotonicMs =>
  after(line.at, ((frame - line.frame) * line.frameMs) / line.speed)

function fitted(points: readonly Point[], nominalMs: number): Line {
  const first = solve(points, points, nominalMs, JITTER_MS_LEAST)
  const limitMs = HELD_UP * Math.max(first.jitterMs, JITTER_MS_MIN)
  const punctual = points.filter(point => Math.abs(lateMs(first, point)) <= limitMs)
  return punctual.length < 3
    ? first
    : solve(points, punctual, nominalMs, Math.max(first.jitterMs, JITTER_MS_LEAST))
}

/** Least squares, drawn to the nominal speed as much as the sightings leave it open. */
function solve(
  points: readonly Point[],
  used: readonly Point[],
  nominalMs: number,
  jitterMs: number,
): Line {
  const origin = used[0]
  if (origin === undefined) throw new Error('a line has a point')
  const mean = (value: (point: Point) => number): number =>
    used.reduce((sum, point) => sum + value(point), 0) / used.length
  const atMean = mean(({ at }) => at - origin.at)
  const playedMean = mean(({ frame }) => (frame - origin.frame) * nominalMs)
  let [square, product] = [0, 0]
  for (const { at, frame } of used) {
    const apart = at - origin.at - atMean
    square += apart * apart
    product += apart * ((frame - origin.frame) * nominalMs - playedMean)
  }
  const trust = (jitterMs / SPEED_SPREAD) ** 2
  const speed = (product + trust) / (square + trust)
  const line = {
    points,
    frameMs: nominalMs,
    at: after(origin.at, atMean),
    frame: origin.frame + playedMean / nominalMs,
    speed,
    jitterMs: 0,
  }
  return { ...line, jitterMs: Math.sqrt(mean(point => lateMs(line, point) ** 2)) }
}

const lateMs = (line: Line, { at, frame }: Point): number => at - momentOn(line, frame)
