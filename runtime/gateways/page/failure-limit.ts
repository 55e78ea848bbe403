import { forgetOldest } from '../../core/oldest.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'

const FAILURES_MAX = 10
const WINDOW_MS = 60_000
const ADDRESSES_MAX = 256

/**
 * Counts failed log-ins per address; after ten within a minute, wrong tokens are told to wait for the rest of it. The
 * token is compared first: the right one always gets in.
 */
export class FailureLimit {
  readonly #clock: Clock
  readonly #counts = new Map<string, { count: number; readonly since: MonotonicMs }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  isExceeded(address: string): boolean {
    return (this.#current(address)?.count ?? 0) >= FAILURES_MAX
  }

  /** True for the first failure of a minute: the one that is worth a line in the log. */
  add(address: string): boolean {
    const current = this.#current(address)
    if (current) {
      current.count++
      return false
    }
    this.#counts.set(address, { count: 1, since: this.#clock.monotonicMs() })
    forgetOldest(this.#counts, ADDRESSES_MAX)
    return true
  }

  #current(address: string): { count: number } | null {
    const found = this.#counts.get(address)
    if (!found) return null
    if (this.#clock.monotonicMs() - found.since < WINDOW_MS) return found
    this.#counts.delete(address)
    return null
  }
}
