/**
 * The clock filter of RFC 5905, section 10: of the last eight exchanges with a server the one that was least delayed tells
 * best how its clock and the own oscillator differ.
 */
import type { MonotonicMs } from '../../../ports/clock.js'

/** What an oscillator may be off after it was measured (RFC 5905, figure 6: PHI). */
export const DRIFT = 15e-6
const SAMPLES_MAX = 8
/** What is further apart is not the same date (RFC 5905, figure 30: STEPT). */
const STEP_MS = 128
/** Of any crystal. */
const DRIFT_MAX = 500e-6

/** One exchange with a server. */
export interface Sample {
  /** When its answer came. */
  readonly at: MonotonicMs
  /** The server's date less the own monotonic clock: so nothing that is done to the date changes what was measured. */
  readonly differenceMs: number
  readonly delayMs: number
  /** Of the two clocks' precision, and of the time that the exchange took. */
  readonly dispersionMs: number
}

export interface Filtered {
  readonly best: Sample
  /** As far as the others are from the best one. */
  readonly jitterMs: number
  /** How far the best may be off by what was not seen; it grows with time. */
  readonly dispersionMs: number
}

export class NtpFilter {
  #samples: readonly Sample[] = []
  /** One that contradicts the others. */
  #odd: Sample | null = null

  /**
   * One that contradicts the others waits for the next: two that agree are a server whose date was set, and what it said
   * before is forgotten; one alone was held up on its way.
   */
  add(sample: Sample): void {
    const [last] = this.#samples
    const odd = this.#odd
    this.#odd = null
    if (last === undefined || doAgree(sample, last))
      this.#samples = [sample, ...this.#samples].slice(0, SAMPLES_MAX)
    else if (odd !== null && doAgree(sample, odd)) this.#samples = [sample, odd]
    else this.#odd = sample
  }

  clear(): void {
    this.#samples = []
    this.#odd = null
  }

  /** Null before the first. */
  at(now: MonotonicMs): Filtered | null {
    const ordered = [...this.#samples].sort((a, b) => distance(a, now) - distance(b, now))
    const [best] = ordered
    if (best === undefined) return null
    let dispersionMs = 0
    ordered.forEach((sample, index) => {
      dispersionMs += grown(sample, now) / 2 ** (index + 1)
    })
    const squares = ordered.reduce((sum, { differenceMs }) => {
      return sum + (differenceMs - best.differenceMs) ** 2
    }, 0)
    const jitterMs = Math.sqrt(squares / Math.max(1, ordered.length - 1))
    return { best, jitterMs, dispersionMs }
  }
}

/** Each may be off by half its delay; the oscillator drifts in between. */
const doAgree = (a: Sample, b: Sample): boolean =>
  Math.abs(a.differenceMs - b.differenceMs) <=
  STEP_MS + (a.delayMs + b.delayMs) / 2 + DRIFT_MAX * Math.abs(a.at - b.at)

const grown = ({ at, dispersionMs }: Sample, now: MonotonicMs): number =>
  dispersionMs + DRIFT * Math.max(0, now - at)

/** An old one with little delay is no better than a new one with more, once the oscillator may have drifted so far. */
const distance = (sample: Sample, now: MonotonicMs): number =>
  sample.delayMs / 2 + grown(sample, now)
