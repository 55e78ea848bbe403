/** Says the same more than once, a little apart: whoever loses one hears the next, and nobody has to ask. */
import { after } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import { REPEATED_MS } from './delivery.js'

/** After the first time, which is at once. */
const ENTRY_MS = [10, REPEATED_MS] as const
const PANIC_MS = [10, 30, 100, 200] as const
const PENDING_MAX = 512

export class Repeats {
  readonly #clock: Clock
  readonly #pending = new Set<Cancel>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  entry(say: () => void): void {
    this.#say(say, ENTRY_MS)
  }

  panic(say: () => void): void {
    this.#say(say, PANIC_MS)
  }

  stop(): void {
    for (const cancel of this.#pending) cancel()
    this.#pending.clear()
  }

  #say(say: () => void, laterMs: readonly number[]): void {
    say()
    for (const ms of laterMs) {
      if (this.#pending.size >= PENDING_MAX) return
      const cancel = this.#clock.runAt(after(this.#clock.monotonicMs(), ms), () => {
        this.#pending.delete(cancel)
        say()
      })
      this.#pending.add(cancel)
    }
  }
}
