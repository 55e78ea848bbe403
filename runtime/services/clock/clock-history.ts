/** The last minutes of a clock, a point each second: what a person looks at to see whether it is well. */
import type { WallTimeMs } from '../../ports/clock.js'

/** Ten minutes. */
const POINTS_MAX = 600

export interface ClockPoint {
  readonly wallMs: WallTimeMs
  /** The own time less the leader's, as last found; null while nobody is followed. */
  readonly offsetMicroseconds: number | null
  readonly pathDelayMicroseconds: number | null
  readonly ratePpm: number
  readonly errorMs: number
}

export class ClockHistory {
  readonly #points: ClockPoint[] = []

  add(point: ClockPoint): void {
    this.#points.push(point)
    if (this.#points.length > POINTS_MAX) this.#points.shift()
  }

  /** Oldest first, at most 600. */
  points(): readonly ClockPoint[] {
    return [...this.#points]
  }
}
