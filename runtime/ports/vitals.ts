import type { Percentiles } from './percentiles.js'

/** How the process itself is doing. */
export interface Vitals {
  rssBytes(): number
  /** How late the main loop was since the last call, in milliseconds. */
  takeLoopLagMs(): Percentiles
}
