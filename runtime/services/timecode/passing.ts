/** Which of the positions that somebody waits for a run of timecode comes to, each once a pass. Pure. */
import { frameOfLabel, framesPerDay, readLabel, type TimecodeRate } from '../../core/timecode.js'
import type { MonotonicMs } from '../../ports/clock.js'
import { frameAt, momentOf, type Run } from './chase.js'

export interface Passed {
  /** As it was asked for. */
  readonly position: string
  /** Past for what was passed while the source was still being found. */
  readonly at: MonotonicMs
}

interface Place {
  readonly position: string
  readonly frame: number
}

/** A run begins at its first frame, not behind it. */
const BEFORE_FRAMES = 0.5

export class Passing {
  readonly #positions: readonly string[]
  #places: { readonly rate: TimecodeRate; readonly all: readonly Place[] } | null = null
  #beganAt: MonotonicMs | null = null
  /** Up to here the present run was looked through. */
  #frame = 0

  /** @param positions texts that `readLabel` can read */
  constructor(positions: readonly string[]) {
    this.#positions = positions
  }

  /** Those that there are not at this rate: 29 frames at 25. They are never passed. */
  absent(rate: TimecodeRate): readonly string[] {
    const found = this.#placesAt(rate).map(({ position }) => position)
    return this.#positions.filter(position => !found.includes(position))
  }

  /**
   * What the run comes to until `until`, in order, and what it came to since `since` and nobody was told of. What lies
   * before the run's first frame was jumped over.
   */
  next(run: Run, since: MonotonicMs, until: MonotonicMs): Passed[] {
    if (run.beganAt !== this.#beganAt) {
      this.#beganAt = run.beganAt
      this.#frame = Math.max(run.firstFrame - BEFORE_FRAMES, frameAt(run, since))
    }
    const from = this.#frame
    const to = frameAt(run, until)
    if (to <= from) return []
    this.#frame = to
    const day = framesPerDay(run.rate)
    return this.#placesAt(run.rate)
      .map(place => ({
        ...place,
        frame: place.frame + day * Math.ceil((from - place.frame) / day),
      }))
      .map(place => (place.frame === from ? { ...place, frame: from + day } : place))
      .filter(({ frame }) => frame <= to)
      .sort((a, b) => a.frame - b.frame)
      .map(({ position, frame }) => ({ position, at: momentOf(run, frame) }))
  }

  #placesAt(rate: TimecodeRate): readonly Place[] {
    if (this.#places?.rate !== rate)
      this.#places = {
        rate,
        all: this.#positions.flatMap(position => {
          const label = readLabel(position)
          const frame = label && frameOfLabel(label, rate)
          return frame === null ? [] : [{ position, frame }]
        }),
      }
    return this.#places.all
  }
}
