/** Counts what is not believed, and tells the log of it now and then: whoever reaches the port can cause any number. */
import { after } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'

const TELL_EVERY_MS = 60_000
/** What all boxes of a venue say together is a fraction of it. */
const DATAGRAMS_MAX = 1_000
const WINDOW_MS = 100

export type Refusal = 'forged' | 'replayed' | 'malformed' | 'flood'

export class Refusals {
  readonly #clock: Clock
  readonly #log: Log
  readonly #counts = { forged: 0, replayed: 0, malformed: 0, flood: 0 }
  #toldAt: MonotonicMs | null = null
  #windowAt: MonotonicMs
  #datagrams = 0

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
    this.#windowAt = clock.monotonicMs()
  }

  get counts(): Readonly<Record<Refusal, number>> {
    return this.#counts
  }

  /** Whether one more datagram is looked at. */
  isTooMuch(): boolean {
    const now = this.#clock.monotonicMs()
    if (now > after(this.#windowAt, WINDOW_MS)) {
      this.#windowAt = now
      this.#datagrams = 0
    }
    return ++this.#datagrams > DATAGRAMS_MAX
  }

  add(refusal: Refusal, from: string): void {
    this.#counts[refusal]++
    const now = this.#clock.monotonicMs()
    if (this.#toldAt !== null && now < after(this.#toldAt, TELL_EVERY_MS)) return
    this.#toldAt = now
    this.#log.warn('venue.refused', { from, ...this.#counts })
  }
}
