/**
 * Lets a few go on in each turn of the main loop, all together, and makes the others wait for the next one: what is told
 * to somebody who subscribes to everything must not hold up the lights.
 */
import { after } from '../../core/time.js'
import type { Clock } from '../../ports/clock.js'

/** Less than a millisecond from now is the next turn of the main loop. */
const NEXT_TURN_MS = 0.05

export class Turns {
  readonly #clock: Clock
  readonly #perTurn: number
  #left: number
  #next: Promise<void> | null = null

  constructor(clock: Clock, perTurn: number) {
    this.#clock = clock
    this.#perTurn = perTurn
    this.#left = perTurn
  }

  /** Those who wait go on in the order in which they came. */
  async take(share: number): Promise<void> {
    while (this.#left <= 0) await this.#nextTurn()
    this.#left -= share
  }

  #nextTurn(): Promise<void> {
    this.#next ??= new Promise(resolve => {
      this.#clock.runAt(after(this.#clock.monotonicMs(), NEXT_TURN_MS), () => {
        this.#next = null
        this.#left = this.#perTurn
        resolve()
      })
    })
    return this.#next
  }
}
