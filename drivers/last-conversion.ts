/**
 * Whether what a converter's registers hold is a measurement. Its ready flag is cleared when it is looked at, and comes
 * again with the next conversion; until then the last measurement stands. A converter that has stopped shows by that.
 */
import { after } from '../runtime/core/time.js'
import type { MonotonicMs } from '../runtime/ports/clock.js'
import { type Known, unknown } from './gauge-reading.js'

export class LastConversion {
  readonly #conversionMs: number
  #last: { readonly at: MonotonicMs; readonly words: readonly number[] } | null = null

  /** @param conversionMs in which the next one must have ended */
  constructor(conversionMs: number) {
    this.#conversionMs = conversionMs
  }

  /** The converter was configured: what it measures from now on is not known yet. */
  forget(): void {
    this.#last = null
  }

  /**
   * @param isReady the flag, which the caller has cleared, or now clears, if it was set
   * @param words what the registers hold
   * @returns null when that is a measurement
   */
  staleness(isReady: boolean, words: readonly number[], at: MonotonicMs): Known<never> | null {
    if (isReady) {
      this.#last = { at, words }
      return null
    }
    const last = this.#last
    if (last === null || at >= after(last.at, this.#conversionMs)) return unknown('not-ready')
    // Registers that have changed without a conversion hold anything.
    return words.every((word, index) => word === last.words[index]) ? null : unknown('not-ready')
  }
}
