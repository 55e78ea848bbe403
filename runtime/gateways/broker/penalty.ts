import { forgetOldest } from '../../core/oldest.js'
import { after } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'

const DELAY_MS_MIN = 250
const DELAY_MS_MAX = 8_000
const FORGET_MS = 600_000
const ADDRESSES_MAX = 1_024

/** Makes guessing slow: each failure from an address doubles the wait for its next refusal. A success is never delayed. */
export class Penalties {
  readonly #clock: Clock
  readonly #failures = new Map<string, { count: number; at: MonotonicMs }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How long to wait before the refusal is sent. */
  failed(address: string): number {
    const before = this.#failures.get(address)
    const now = this.#clock.monotonicMs()
    const isFresh = before !== undefined && now < after(before.at, FORGET_MS)
    const count = isFresh ? before.count + 1 : 1
    this.#failures.delete(address)
    this.#failures.set(address, { count, at: now })
    forgetOldest(this.#failures, ADDRESSES_MAX)
    return Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** Math.min(count - 1, 10))
  }

  succeeded(address: string): void {
    this.#failures.delete(address)
  }
}
