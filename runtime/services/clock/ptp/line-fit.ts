/** A line through points that are the surer the narrower they are, with a guess of its slope while there are few. */

export interface Point {
  readonly atMs: number
  readonly value: number
  /** Between the limits whose middle the value is; what is wider than the narrowest is what a queue added. */
  readonly width: number
}

/** What is known of the slope before. */
export interface Prior {
  readonly slope: number
  /** One standard deviation. */
  readonly deviation: number
}

/** The value at a moment, the last of the points, and how it goes on. Deviations are one standard deviation. */
export interface Line {
  readonly atMs: number
  readonly value: number
  /** In units of the value, a millisecond. */
  readonly slope: number
  readonly deviation: number
  readonly slopeDeviation: number
  readonly widthMin: number
}

/** So many points say enough by themselves. */
const POINTS_ENOUGH = 10
/** The grain of stamps: nobody is surer. */
const NOISE_MIN = 50
/** Of the narrowest width, while there is but one point: nobody knows how much of it a queue made. */
const QUEUE_SHARE = 1 / 4

/** @param points at least one, in order of time */
export function fitLine(points: readonly Point[], prior: Prior): Line {
  const widths = points.map(({ width }) => width)
  const widthMin = Math.min(...widths)
  const excess = widths.map(width => (width - widthMin) / 2)
  const unseen = (QUEUE_SHARE * widthMin) / points.length
  const noise = Math.max(NOISE_MIN, median(excess), unseen)
  const weights = excess.map(one => 1 / (noise + one) ** 2)
  const sum = weights.reduce((a, b) => a + b, 0)
  const atMean = weightedMean(points, weights, sum, ({ atMs }) => atMs)
  const mean = weightedMean(points, weights, sum, ({ value }) => value)
  let spread = 0
  let lean = 0
  for (const [index, { atMs, value }] of points.entries()) {
    const weight = weights[index] ?? 0
    spread += weight * (atMs - atMean) ** 2
    lean += weight * (atMs - atMean) * (value - mean)
  }
  const trust = Math.max(0, 1 - points.length / POINTS_ENOUGH) / prior.deviation ** 2
  const precision = spread + trust
  const slope = precision > 0 ? (lean + trust * prior.slope) / precision : prior.slope
  const slopeDeviation = precision > 0 ? 1 / Math.sqrt(precision) : prior.deviation
  const atMs = points.at(-1)?.atMs ?? atMean
  return {
    atMs,
    value: mean + slope * (atMs - atMean),
    slope,
    deviation: Math.hypot(1 / Math.sqrt(sum), slopeDeviation * (atMs - atMean)),
    slopeDeviation,
    widthMin,
  }
}

function weightedMean(
  points: readonly Point[],
  weights: readonly number[],
  sum: number,
  of: (point: Point) => number,
): number {
  return points.reduce((total, point, index) => total + of(point) * (weights[index] ?? 0), 0) / sum
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
