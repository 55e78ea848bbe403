/**
 * What a box may claim of the venue's timeline, as a clockClass (IEEE 1588-2008, 7.6.2.4). Who has held it together
 * goes before who has just started: a leader that comes back from a reboot follows whoever took over.
 */
import type { MonotonicMs } from '../../ports/clock.js'
import type { ClockQuality } from './ptp/message.js'

/** Began the timeline and was followed · continues it after a loss · the same, but unsure where it was · has none. */
const ClockClass = { original: 13, tookOver: 14, unsure: 58, fresh: 248 } as const

type Claim = keyof typeof ClockClass

/** Whoever takes over and knows the time no better than this is unsure. */
const UNSURE_NS = 10_000_000
/** Several lead at first, until they have heard each other. */
const ELECTION_MS = 5000
/** Table 6: more than so many nanoseconds is worse than this code. */
const accuracies: readonly (readonly [ns: number, code: number])[] = [
  [1_000, 0x23],
  [2_500, 0x24],
  [10_000, 0x25],
  [25_000, 0x26],
  [100_000, 0x27],
  [250_000, 0x28],
  [1_000_000, 0x29],
  [2_500_000, 0x2a],
  [10_000_000, 0x2b],
  [25_000_000, 0x2c],
  [100_000_000, 0x2d],
  [250_000_000, 0x2e],
  [1_000_000_000, 0x2f],
]
const ACCURACY_UNKNOWN = 0xfe
const VARIANCE_UNKNOWN = 0xffff

/** How far a leader of this quality may have been from the timeline that it took over: nothing where it began that. */
export function inheritedNsOf({ clockClass, accuracy }: ClockQuality): number {
  const hasTakenOver = clockClass === ClockClass.tookOver || clockClass === ClockClass.unsure
  if (!hasTakenOver) return 0
  return accuracies.find(([, code]) => code === accuracy)?.[0] ?? 0
}

export class Standing {
  #claim: Claim = 'fresh'
  #accuracy: number = ACCURACY_UNKNOWN
  /** Has taken over the time of another since it last led. */
  #hasAdopted = false
  #leadingSince: MonotonicMs | null = null

  /** While it follows it claims nothing: clocks of the classes up to 127 are never slaves. */
  get quality(): ClockQuality {
    return {
      clockClass: this.#isLeading() ? ClockClass[this.#claim] : ClockClass.fresh,
      accuracy: this.#isLeading() ? this.#accuracy : ACCURACY_UNKNOWN,
      variance: VARIANCE_UNKNOWN,
    }
  }

  /**
   * Nobody better is there. What it claimed before it listened to somebody whose time it did not take, it claims again.
   * @param errorNs how far it may be from the timeline that it continues
   */
  lead(errorNs: number, now: MonotonicMs): void {
    this.#leadingSince = now
    if (!this.#hasAdopted) return
    this.#hasAdopted = false
    this.#claim = errorNs <= UNSURE_NS ? 'tookOver' : 'unsure'
    this.#accuracy = accuracies.find(([ns]) => errorNs <= ns)?.[1] ?? ACCURACY_UNKNOWN
  }

  /** Somebody follows, and not only while it is being found out who leads: there is a timeline. @returns whether that is new */
  followed(now: MonotonicMs): boolean {
    const isElected = this.#leadingSince !== null && now - this.#leadingSince >= ELECTION_MS
    if (!isElected || this.#claim !== 'fresh') return false
    this.#claim = 'original'
    return true
  }

  /** Somebody better is there. */
  yield(): void {
    this.#leadingSince = null
  }

  /** The own timeline now is that of another. */
  adopt(): void {
    this.#hasAdopted = true
  }

  #isLeading(): boolean {
    return this.#leadingSince !== null
  }
}
