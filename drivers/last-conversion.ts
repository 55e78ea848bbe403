/**
 * What the ready flag of a converter is good for. Its registers keep the last measurement and can be read at any time
 * (INA219: SBOS448G 8.3.1 and 8.6.3.2, INA226: SBOS547B 7.1.7, INA3221: SBOS576B 8.6.2.16); the flag is cleared when it
 * is looked at, by whoever looks, and by a configuration. So a value without the flag is a measurement like another, but
 * for two: the zero that a register holds until the first conversion has ended, and a converter that has stopped.
 */
import { after } from '../runtime/core/time.js'
import type { MonotonicMs } from '../runtime/ports/clock.js'

/** Many conversions of any chip. A flag that was seen before, and no change in so long: it does not convert any more. */
const SILENT_MS = 10_000

export class LastConversion {
  #hasEnded = false
  #sign: { readonly at: MonotonicMs; readonly words: readonly number[] } | null = null

  /** The converter was configured, or reset: no conversion has ended since. */
  forget(): void {
    this.#hasEnded = false
    this.#sign = null
  }

  /**
   * To be told of each look at the converter.
   * @param isReady the flag, which the caller has cleared, or now clears, if it was set
   * @param words what the registers hold
   */
  note(isReady: boolean, words: readonly number[], at: MonotonicMs): void {
    const isSame = words.every((word, index) => word === this.#sign?.words[index])
    if (isReady || !isSame) this.#sign = { at, words }
    if (isReady) this.#hasEnded = true
  }

  /** Whether a register that holds nothing but zeros has measured nothing, rather than zero. */
  isZeroMeasured(): boolean {
    return this.#hasEnded
  }

  /** Whether it converted, and does so no more. */
  hasStopped(at: MonotonicMs): boolean {
    return this.#hasEnded && this.#sign !== null && at >= after(this.#sign.at, SILENT_MS)
  }
}
