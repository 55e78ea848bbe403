/**
 * The venue's timeline over the own oscillator: what it shows at a moment, and when it shows a moment. It is led to
 * where the leader's is by running a little faster or slower, and goes on at the rate it has learned when there is
 * none. It jumps only when it is told that it may, and in between it never runs backwards.
 */
import { after, monotonicMs, NS_PER_MS, showTimeMs } from '../../core/time.js'
import type { MonotonicMs, ShowTimeMs } from '../../ports/clock.js'
import type { Estimate } from './ptp/path-filter.js'

/** What is off is made up for in so long, as far as the limit allows. */
const SLEW_MS = 2000
const SLEW_PPM_MAX = 500
/** Up to here an error is slewed away: fifty seconds. What is more is another timeline. */
const SLEW_NS_MAX = 25_000_000
/** No oscillator that works is farther off. */
const RATE_PPM_MAX = 500
/** The learned rate is a mean of about so long: noise goes, temperature stays. */
const LEARN_MS = 120_000
/** After so long it counts as learned. */
const LEARNED_MS = 60_000
/** A rate that is less sure than this teaches nothing. */
const TEACHING_PPM = 5
/** How wrong a rate may be that was learned, that just begins to be, and that nobody knows. */
const DRIFT_PPM = { learned: 0.5, young: 5, unknown: 100 } as const
/** Nothing is known yet of how far it is off. */
const UNKNOWN_NS = 1e12
/** How far from a leader's time whoever takes over from it usually is, and at most should be. */
const SUCCESSOR_NS = { usually: 1000, atMost: 100_000 } as const
/** So many deviations off is no chance: what was believed was wrong. */
const SURPRISE = 4
/** What was written between two readings of one moment in two ways. */
const CONTINUE_NS = 2n

/** `slew`: never jump. `step`: jump where it is too far to slew. `align`: jump whatever it is. */
export type Rule = 'slew' | 'step' | 'align'

export type Followed =
  | { readonly kind: 'slewed'; readonly errorNs: number }
  | { readonly kind: 'stepped'; readonly byNs: number }
  /** Too far off, and no jump is allowed: nothing has changed. */
  | { readonly kind: 'refused'; readonly byNs: number }

export interface ShowScaleOptions {
  readonly at: MonotonicMs
  /** What the timeline shows then. */
  readonly showNs: bigint
  /** How much faster the timeline runs than the oscillator, from an earlier life; null where that is not known. */
  readonly learnedPpm: number | null
  /** Where an earlier life on the same monotonic scale left it; then `at` and `showNs` do not count. Null: it begins. */
  readonly continued: Continued | null
}

/** All that another life of the program needs to go on with the same timeline, on the same monotonic scale. */
export interface Continued {
  readonly at: MonotonicMs
  readonly showNs: bigint
  readonly ratePpm: number
  /** As `ShowScale.errorNs` was then. */
  readonly errorNs: number
  /** As `ShowScale.hasLed` was then. */
  readonly hasLed: boolean
}

export class ShowScale {
  #baseAt: MonotonicMs
  #baseNs: bigint
  /** The base in two parts that a double holds well. */
  #wholeMs: number
  #fractionNs: number
  /** Parts per million are nanoseconds a millisecond. The first until the slew is over, then the second. */
  #slewedPpm: number
  #slewMs = 0
  #ratePpm: number
  #learnedPpm: number | null
  #learningMs = 0
  #learnedAt: MonotonicMs | null = null
  #boundNs = 0
  #boundAt: MonotonicMs
  /** Of the own time from the leader's, one standard deviation, at `boundAt`. */
  #deviationNs = UNKNOWN_NS
  /** What the leader, be it this box, did not know of the timeline when it took over: the same on all boxes. */
  #inheritedNs = 0
  #isLeading = false
  #hasLed = true
  /** Shared with nobody yet: how far it is from another timeline is not known. */
  #isFresh = true
  /** Since when others follow; null while they do not. */
  #definesSince: MonotonicMs | null = null

  constructor({ at, showNs, learnedPpm, continued }: ShowScaleOptions) {
    const base = continued ?? { at, showNs, ratePpm: learnedPpm ?? 0 }
    this.#baseAt = base.at
    this.#boundAt = base.at
    this.#baseNs = base.showNs
    this.#wholeMs = Number(base.showNs / BigInt(NS_PER_MS))
    this.#fractionNs = Number(base.showNs % BigInt(NS_PER_MS))
    this.#ratePpm = clamp(base.ratePpm, RATE_PPM_MAX)
    this.#slewedPpm = this.#ratePpm
    this.#learnedPpm = learnedPpm
    if (continued === null) return
    this.#isFresh = false
    this.#hasLed = continued.hasLed
    this.#deviationNs = Math.max(SUCCESSOR_NS.usually, continued.errorNs / SURPRISE)
    if (continued.hasLed) this.#inheritedNs = continued.errorNs
    else this.#boundNs = continued.errorNs
  }

  /** Worth keeping over a reboot; null until there was a leader to learn from. */
  get learnedPpm(): number | null {
    return this.#learnedPpm
  }

  /** Whether the time is its own: nobody was followed since it began, or since it last led. */
  get hasLed(): boolean {
    return this.#hasLed
  }

  /** Whether it was never shared with another box. */
  get isFresh(): boolean {
    return this.#isFresh
  }

  /** At which it runs now, a slew that is under way included. */
  ratePpmAt(at: MonotonicMs): number {
    return at - this.#baseAt < this.#slewMs ? this.#slewedPpm : this.#ratePpm
  }

  showAtNs(at: MonotonicMs): bigint {
    return this.#baseNs + BigInt(Math.floor(this.#advanceNs(at - this.#baseAt)))
  }

  showAt(at: MonotonicMs): ShowTimeMs {
    const passedNs = this.#fractionNs + this.#advanceNs(at - this.#baseAt)
    return showTimeMs(this.#wholeMs + passedNs / NS_PER_MS)
  }

  /** When the timeline shows `show`, as far as is known now. */
  monotonicAt(show: ShowTimeMs): MonotonicMs {
    const advanceNs = (show - this.#wholeMs) * NS_PER_MS - this.#fractionNs
    const slewedNs = this.#slewMs * (NS_PER_MS + this.#slewedPpm)
    const isSlewed = advanceNs <= slewedNs
    const ms = isSlewed
      ? advanceNs / (NS_PER_MS + this.#slewedPpm)
      : this.#slewMs + (advanceNs - slewedNs) / (NS_PER_MS + this.#ratePpm)
    return after(this.#baseAt, ms)
  }

  /**
   * Half the width of the interval that holds the timeline: how far this box may be from the leader, and how far the leader
   * may have been from the timeline when it took that over. Who began the timeline is right by definition.
   */
  errorNs(at: MonotonicMs): number {
    return this.#inheritedNs + (this.#isLeading ? 0 : this.distanceNs(at))
  }

  /** The part of the error that is the leader's, and so the same on all boxes that follow it. */
  get inheritedNs(): number {
    return this.#inheritedNs
  }

  /** How far it may be from the leader that is or was followed; means nothing while it leads. */
  distanceNs(at: MonotonicMs): number {
    const leftMs = Math.max(0, this.#slewMs - Math.max(0, at - this.#baseAt))
    const slewNs = Math.abs(this.#slewedPpm - this.#ratePpm) * leftMs
    return this.#boundNs + slewNs + Math.max(0, at - this.#boundAt) * this.#driftPpm()
  }

  /** What another life goes on with. A slew that is under way counts as done: soon it will be. */
  continuation(at: MonotonicMs): Continued {
    const leftMs = Math.max(0, this.#slewMs - (at - this.#baseAt))
    const leftNs = BigInt(Math.round(leftMs * (this.#slewedPpm - this.#ratePpm)))
    return {
      at,
      showNs: this.showAtNs(at) + leftNs,
      ratePpm: this.#ratePpm,
      errorNs: this.errorNs(at),
      hasLed: this.#hasLed,
    }
  }

  /**
   * Goes towards what was found of the leader.
   * @param inheritedNs how far the leader says it may have been from the timeline when it took over
   */
  follow(estimate: Estimate, now: MonotonicMs, rule: Rule, inheritedNs = 0): Followed {
    const ratePpm = clamp(estimate.ratePpm, RATE_PPM_MAX)
    const ahead = Math.round((now - estimate.at) * (NS_PER_MS + ratePpm))
    const errorNs = Number(estimate.masterNs + BigInt(ahead) - this.showAtNs(now))
    const isFar = Math.abs(errorNs) > SLEW_NS_MAX
    if (isFar && rule === 'slew') return { kind: 'refused', byNs: errorNs }
    const isJump = isFar || rule === 'align'
    const share = isJump ? 1 : this.#gain(errorNs, estimate)
    this.#isLeading = false
    this.#hasLed = false
    this.#isFresh = false
    this.#inheritedNs = inheritedNs
    this.#deviationNs = estimate.deviationNs * Math.sqrt(share)
    this.#boundNs = estimate.boundNs + (1 - share) * Math.abs(errorNs)
    this.#boundAt = estimate.at
    this.#learn(ratePpm, estimate.rateDeviationPpm, now)
    if (isJump) {
      this.#rebase(now, this.showAtNs(now) + BigInt(Math.round(errorNs)))
      this.#run(ratePpm, 0, 0)
      return { kind: 'stepped', byNs: errorNs }
    }
    this.#continue(now)
    const slewPpm = clamp((share * errorNs) / SLEW_MS, SLEW_PPM_MAX)
    this.#run(ratePpm, slewPpm, slewPpm === 0 ? 0 : (share * errorNs) / slewPpm)
    return { kind: 'slewed', errorNs }
  }

  /** How much of an error is made up for: the more, the surer the estimate is beside what was believed (Kalman). */
  #gain(errorNs: number, { at, deviationNs }: Estimate): number {
    const believedNs = this.#deviationNs + Math.max(0, at - this.#boundAt) * this.#driftPpm()
    const isSurprise = Math.abs(errorNs) > SURPRISE * Math.hypot(believedNs, deviationNs)
    const ownNs = isSurprise ? Math.abs(errorNs) : believedNs
    return ownNs ** 2 / (ownNs ** 2 + deviationNs ** 2)
  }

  /** The leader is gone: what was under way to it is finished, then the learned rate is kept. */
  holdOver(now: MonotonicMs): void {
    if (this.#isLeading) this.#resign(now)
    this.#learnedAt = null
    const leftMs = Math.max(0, this.#slewMs - (now - this.#baseAt))
    const slewPpm = leftMs > 0 ? this.#slewedPpm - this.#ratePpm : 0
    this.#continue(now)
    this.#run(this.#learnedPpm ?? this.#ratePpm, slewPpm, leftMs)
  }

  /** From now on this is the timeline, which goes on from where it is; nothing steers it. */
  lead(now: MonotonicMs): void {
    if (!this.#hasLed) this.#inheritedNs = this.distanceNs(now)
    this.#learnedAt = null
    this.#continue(now)
    this.#run(this.#learnedPpm ?? this.#ratePpm, 0, 0)
    this.#isLeading = true
    this.#hasLed = true
  }

  /** Others follow: from now on the rate at which it runs is the timeline's. */
  define(now: MonotonicMs): void {
    this.#definesSince = now
    this.#isFresh = false
  }

  #advanceNs(ms: number): number {
    if (ms <= this.#slewMs) return ms * (NS_PER_MS + this.#slewedPpm)
    const slewedNs = this.#slewMs * (NS_PER_MS + this.#slewedPpm)
    return slewedNs + (ms - this.#slewMs) * (NS_PER_MS + this.#ratePpm)
  }

  /** A base rounds to nanoseconds: upwards, so that no reading is behind one of before. */
  #continue(now: MonotonicMs): void {
    this.#rebase(now, this.showAtNs(now) + CONTINUE_NS)
  }

  #rebase(now: MonotonicMs, showNs: bigint): void {
    this.#baseAt = monotonicMs(now)
    this.#baseNs = showNs
    this.#wholeMs = Number(showNs / BigInt(NS_PER_MS))
    this.#fractionNs = Number(showNs % BigInt(NS_PER_MS))
  }

  #run(ratePpm: number, slewPpm: number, slewMs: number): void {
    this.#ratePpm = ratePpm
    this.#slewedPpm = ratePpm + slewPpm
    this.#slewMs = slewMs
  }

  /** Whoever takes over goes on as it has learned from here. */
  #resign(now: MonotonicMs): void {
    this.#isLeading = false
    this.#deviationNs = this.#isFresh ? UNKNOWN_NS : SUCCESSOR_NS.usually
    this.#boundNs = this.#isFresh ? UNKNOWN_NS : SUCCESSOR_NS.atMost
    this.#boundAt = now
    const definedMs = this.#definesSince === null ? 0 : now - this.#definesSince
    this.#definesSince = null
    if (definedMs < LEARNED_MS) return
    this.#learnedPpm = this.#ratePpm
    this.#learningMs = Math.max(this.#learningMs, LEARNED_MS)
  }

  /** A rate teaches by how sure it is; one that contradicts what was learned begins anew. */
  #learn(ratePpm: number, deviationPpm: number, now: MonotonicMs): void {
    const passedMs = this.#learnedAt === null ? 0 : Math.min(now - this.#learnedAt, LEARN_MS)
    this.#learnedAt = now
    if (deviationPpm > TEACHING_PPM) return
    const wrongPpm = Math.abs(ratePpm - (this.#learnedPpm ?? ratePpm))
    if (wrongPpm > SURPRISE * Math.hypot(1, deviationPpm)) this.#learningMs = 0
    const taughtMs = passedMs * Math.min(1, 1 / deviationPpm ** 2)
    this.#learningMs += taughtMs
    const shareMs = Math.min(LEARN_MS, Math.max(this.#learningMs, 1))
    const share = this.#learnedPpm === null ? 1 : Math.min(1, taughtMs / shareMs)
    this.#learnedPpm = (this.#learnedPpm ?? 0) + share * (ratePpm - (this.#learnedPpm ?? 0))
  }

  #driftPpm(): number {
    if (this.#learnedPpm === null) return DRIFT_PPM.unknown
    return this.#learningMs >= LEARNED_MS ? DRIFT_PPM.learned : DRIFT_PPM.young
  }
}

const clamp = (value: number, limit: number): number => Math.min(limit, Math.max(-limit, value))
