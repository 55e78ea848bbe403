import type { MonotonicMs, WallTimeMs } from './clock.js'

/** What ties the date to the machine's oscillator, at every moment anew. */
export interface WallMapping {
  wallAt(at: MonotonicMs): WallTimeMs
}

/** The part of a clock that shows the date. The system's own date is read and never set. */
export interface WallTimeline {
  /** What the system says, whatever is followed; to the microsecond. */
  systemAt(at: MonotonicMs): WallTimeMs
  /** From then on the clock's wall time is what the mapping says. */
  followWall(mapping: WallMapping): void
}
