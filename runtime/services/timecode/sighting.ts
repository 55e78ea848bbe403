import type { TimecodeRate } from '../../core/timecode.js'
import type { MonotonicMs } from '../../ports/clock.js'

/** Where a source was at one moment. */
export interface Sighting {
  readonly rate: TimecodeRate
  /** Frames since 00:00:00:00; a part of a frame where the source tells more than whole ones. */
  readonly frame: number
  readonly at: MonotonicMs
}
