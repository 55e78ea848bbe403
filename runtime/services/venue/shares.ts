/** What is answered only when another box has it, too: then the leader may be lost without losing it. */
import { after } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Place } from '../../ports/company.js'
import { isBefore } from './ranks.js'

/** A follower that has not said by then that it has it is as good as none. */
const PATIENCE_MS = 250
const WAITS_MAX = 1024

interface Wait {
  readonly place: Place
  readonly done: () => void
  readonly cancel: Cancel
}

export class Shares {
  readonly #clock: Clock
  #waits: Wait[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  wait(place: Place, done: () => void): void {
    const cancel = this.#clock.runAt(after(this.#clock.monotonicMs(), PATIENCE_MS), () =>
      this.#end(wait),
    )
    const wait: Wait = { place, done, cancel }
    this.#waits.push(wait)
    const oldest = this.#waits.length > WAITS_MAX ? this.#waits[0] : undefined
    if (oldest) this.#end(oldest)
  }

  /** A follower has everything up to there. */
  reached(head: Place): void {
    for (const wait of [...this.#waits]) if (!isBefore(head, wait.place)) this.#end(wait)
  }

  /** Nobody is there any more who could have it. */
  endAll(): void {
    for (const wait of [...this.#waits]) this.#end(wait)
  }

  #end(wait: Wait): void {
    if (!this.#waits.includes(wait)) return
    this.#waits = this.#waits.filter(other => other !== wait)
    wait.cancel()
    wait.done()
  }
}
