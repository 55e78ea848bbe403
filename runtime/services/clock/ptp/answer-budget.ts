/**
 * How many requests a master answers: of a venue of 500 boxes that ask eight times a second all of them, of a flood no
 * more. One that asks much more than a clock would does not eat what the others need.
 */
import { after } from '../../../core/time.js'
import type { MonotonicMs } from '../../../ports/clock.js'

const WINDOW_MS = 100
/** 500 boxes ask 400 times in a window; as they do not ask evenly, a quarter more. */
const ANSWERS_MAX = 500
/** The quickest interval that IEEE 1588-2008 lets a master ask for, 128 a second, is 13. */
const ANSWERS_EACH_MAX = 32

export class AnswerBudget {
  #until: MonotonicMs | null = null
  #count = 0
  /** By address, in this window: never more than are answered in it. */
  readonly #counts = new Map<string, number>()
  /** Requests that were not answered. */
  refusedCount = 0

  /** @param from an address */
  take(from: string, at: MonotonicMs): boolean {
    // The kernel's stamps of two sockets' packets may run back a little; then the window is the same.
    if (this.#until === null || at >= this.#until) {
      this.#until = after(at, WINDOW_MS)
      this.#count = 0
      this.#counts.clear()
    }
    const count = this.#counts.get(from) ?? 0
    if (this.#count >= ANSWERS_MAX || count >= ANSWERS_EACH_MAX) {
      this.refusedCount++
      return false
    }
    this.#count++
    this.#counts.set(from, count + 1)
    return true
  }
}
