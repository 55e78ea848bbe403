/**
 * When each sample of a stream is heard. A sound card has an oscillator of its own; what it took by when tells how fast
 * that runs. It takes samples in lumps, and has never taken more than it plays: so of each half second the look that
 * finds the most counts, and a line goes through half a minute of those.
 */

import type { MonotonicMs } from '../ports/clock.js'
import { after, monotonicMs } from './time.js'

const LOOKS_MAX = 64
const SPAN_MS = 500
/** Until then nothing is known of where it stands. */
const LOOKS_ENOUGH = 4
/** No card's oscillator is farther off; a few looks may seem so, by their lumps. */
const RATE_SHARE_MAX = 1e-3
/** So far from the line it ran dry or was held up: what was known is void. */
const LEAP_MS = 60

interface Look {
  readonly atMs: number
  readonly taken: number
}

export class SoundClock {
  readonly #rate: number
  readonly #heldCount: number
  #looks: Look[] = []
  /** Of the span that is under way. */
  #most: Look | null = null
  #spanSince: MonotonicMs | null = null
  /** Samples a millisecond. */
  #perMs: number
  #centre: Look | null = null

  constructor({ rate, heldCount }: { readonly rate: number; readonly heldCount: number }) {
    this.#rate = rate
    this.#heldCount = heldCount
    this.#perMs = rate / 1_000
  }

  /** Whether it can tell when a sample is heard. */
  get isSure(): boolean {
    return this.#looks.length >= LOOKS_ENOUGH
  }

  /** What a card can have taken by then: one that swallows more plays nothing, and would be fed without an end. */
  takenMax(sinceMs: number): number {
    return this.#heldCount + (sinceMs * this.#rate * (1 + RATE_SHARE_MAX)) / 1_000
  }

  /** The stream is full, and so many samples were taken of it since it began. @returns false where it has leapt */
  look(taken: number, now: MonotonicMs): boolean {
    const hasLeapt = this.isSure && Math.abs(this.#takenAt(now) - taken) > LEAP_MS * this.#perMs
    if (hasLeapt) this.forget()
    const found = { atMs: now, taken }
    this.#spanSince ??= now
    if (this.#most === null || this.#isAhead(found, this.#most)) this.#most = found
    if (now - this.#spanSince >= SPAN_MS) this.#conclude(now, this.#most)
    return !hasLeapt
  }

  #isAhead(one: Look, other: Look): boolean {
    return one.taken - other.taken > (one.atMs - other.atMs) * this.#perMs
  }

  #conclude(now: MonotonicMs, most: Look): void {
    this.#spanSince = now
    this.#most = null
    this.#looks.push(most)
    if (this.#looks.length > LOOKS_MAX) this.#looks.shift()
    this.#fit()
  }

  forget(): void {
    this.#looks = []
    this.#most = null
    this.#spanSince = null
    this.#centre = null
    this.#perMs = this.#rate / 1_000
  }

  /** When the sample of this number is heard; the first is 0. */
  heardAt(sample: number): MonotonicMs {
    const { atMs, taken } = this.#centre ?? { atMs: 0, taken: 0 }
    return after(monotonicMs(atMs), (sample + this.#heldCount - taken) / this.#perMs)
  }

  #takenAt(now: MonotonicMs): number {
    const { atMs, taken } = this.#centre ?? { atMs: now, taken: 0 }
    return taken + (now - atMs) * this.#perMs
  }

  /** Least squares. */
  #fit(): void {
    const count = this.#looks.length
    const atMs = this.#looks.reduce((sum, look) => sum + look.atMs, 0) / count
    const taken = this.#looks.reduce((sum, look) => sum + look.taken, 0) / count
    let [both, square] = [0, 0]
    for (const look of this.#looks) {
      both += (look.atMs - atMs) * (look.taken - taken)
      square += (look.atMs - atMs) ** 2
    }
    const nominal = this.#rate / 1_000
    const widest = nominal * RATE_SHARE_MAX
    const found = square > 0 ? both / square : nominal
    this.#perMs = Math.min(nominal + widest, Math.max(nominal - widest, found))
    this.#centre = { atMs, taken }
  }
}
