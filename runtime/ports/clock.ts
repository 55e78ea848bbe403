declare const scale: unique symbol

/** Milliseconds on the machine's monotonic clock: since boot, fractional, never steps. For scheduling and measuring. */
export type MonotonicMs = number & { readonly [scale]: 'monotonic' }

/** Milliseconds on the venue's timeline, which all boxes share. Its epoch is arbitrary; it never steps during a show. */
export type ShowTimeMs = number & { readonly [scale]: 'show' }

/** Milliseconds since 1970-01-01 UTC, as well as the box knows it. For logs, certificates and people; may step. */
export type WallTimeMs = number & { readonly [scale]: 'wall' }

export type Cancel = () => void

/** The only way to learn the time or to wait. Nothing outside `drivers/` touches Date or timers. */
export interface Clock {
  monotonicMs(): MonotonicMs
  showTimeMs(): ShowTimeMs
  wallTimeMs(): WallTimeMs
  /** The moment on the monotonic scale at which the venue's timeline shows `at`. */
  showToMonotonic(at: ShowTimeMs): MonotonicMs
  monotonicToShow(at: MonotonicMs): ShowTimeMs
  /** Half the width of the interval that holds the true show time. */
  showErrorMs(): number
  /** Runs `task` once, on the main thread, at or after `at`. */
  runAt(at: MonotonicMs, task: () => void): Cancel
}
