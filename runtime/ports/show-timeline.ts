import type { MonotonicMs, ShowTimeMs } from './clock.js'

/** What ties the venue's timeline to the machine's oscillator, at every moment anew. */
export interface ShowMapping {
  showAt(at: MonotonicMs): ShowTimeMs
  /** When the timeline shows `show`, as far as is known now. */
  monotonicAt(show: ShowTimeMs): MonotonicMs
  /** Half the width of the interval that holds the true show time, in nanoseconds. */
  errorNs(at: MonotonicMs): number
}

/** The part of a clock that can be led: from then on its show time is what the mapping says. */
export interface ShowTimeline {
  follow(mapping: ShowMapping): void
}
