/**
 * From exchanges with a master to where its clock stands, how fast it runs, and how far that may be wrong. A queue only
 * ever makes a way longer: what a Sync says is the least that the master can be ahead, what a request says the most.
 * So of each second the tightest of both are kept, and a line is laid through thirty seconds of their middles, where
 * the second in which both ways were short counts most.
 */
import { monotonicMs, NS_PER_MS } from '../../../core/time.js'
import type { MonotonicMs } from '../../../ports/clock.js'
import { fitLine, type Line, type Point, type Prior } from './line-fit.js'
import type { Exchange } from './port.js'

export interface Estimate {
  readonly at: MonotonicMs
  /** What the master's clock shows then. */
  readonly masterNs: bigint
  /** How much faster it runs than the own oscillator, in parts per million. */
  readonly ratePpm: number
  /** One standard deviation of that. */
  readonly rateDeviationPpm: number
  /** The shortest way of the last seconds, one direction. */
  readonly delayNs: number
  /** Half the width of the interval that holds the truth: the way itself, were it all on one side, and the noise. */
  readonly boundNs: number
  /** Of the noise alone, one standard deviation. */
  readonly deviationNs: number
}

export type Finding =
  | { readonly kind: 'estimate'; readonly estimate: Estimate }
  /** The master's clock has jumped: what was known of it is void. */
  | { readonly kind: 'stepped'; readonly byNs: number }

const SECOND_MS = 1000
const SECONDS_MAX = 30
/** So many exchanges in a row cannot all be wrong: the master's time is another. */
const STEP_EXCHANGES = 4
const TOLERANCE_NS = 20_000
/** So many tell a rate that is worth keeping over a step. */
const SECONDS_ENOUGH = 10
/** What a rate that was never learned may be off, and one that was. */
const UNKNOWN_PPM = 30
const LEARNED_PPM = 1
const RATE_PPM_MAX = 500

/** The tightest of one second. Times are in milliseconds from the origin, differences (master less own) in ns. */
interface Second {
  readonly index: number
  lowerAtMs: number
  lowerNs: number
  upperAtMs: number
  upperNs: number
}

interface Origin {
  readonly localMs: MonotonicMs
  readonly masterNs: bigint
}

/** One exchange as numbers: the master is ahead by at least `lowerNs` and at most `upperNs`. */
type Limits = Omit<Second, 'index'>

export class PathFilter {
  #origin: Origin | null = null
  #seconds: Second[] = []
  #line: Line | null = null
  /** What contradicts the line, one after the other. */
  #contradictions: Exchange[] = []
  #prior: Prior

  /** @param learnedPpm how much faster true time runs than the own oscillator, from an earlier life; null if unknown */
  constructor(learnedPpm: number | null) {
    this.#prior = priorOf(learnedPpm)
  }

  /** Another master: only the rate is worth a guess. */
  reset(learnedPpm: number | null): void {
    this.#prior = priorOf(learnedPpm)
    this.#origin = null
    this.#seconds = []
    this.#line = null
    this.#contradictions = []
  }

  /** @returns what a second that has passed tells; null within it */
  add(exchange: Exchange): Finding | null {
    const origin = this.#originOf(exchange)
    const limits = limitsOf(exchange, origin)
    const wrongNs = this.#contradiction(limits)
    if (wrongNs !== 0) return this.#doubt(exchange, wrongNs)
    this.#contradictions = []
    const index = Math.floor(limits.upperAtMs / SECOND_MS)
    const second = this.#seconds.at(-1)
    if (second?.index === index) {
      tighten(second, limits, this.#slope())
      return null
    }
    const finding = second === undefined ? null : this.#conclude(origin)
    this.#seconds.push({ index, ...limits })
    this.#seconds = this.#seconds.filter(one => one.index > index - SECONDS_MAX)
    return finding
  }

  #originOf({ syncReceived, syncSentNs }: Exchange): Origin {
    this.#origin ??= { localMs: syncReceived, masterNs: syncSentNs }
    return this.#origin
  }

  /** How far the line is outside of what an exchange allows, with its sign; zero where it is not, or is not known. */
  #contradiction({ lowerAtMs, lowerNs, upperAtMs, upperNs }: Limits): number {
    const line = this.#line
    if (line === null) return 0
    const sinceMs = Math.max(0, upperAtMs - line.atMs)
    const toleranceNs = TOLERANCE_NS + 3 * line.deviation + sinceMs * line.slopeDeviation * 3
    const above = lowerNs - (line.value + line.slope * (lowerAtMs - line.atMs))
    const below = line.value + line.slope * (upperAtMs - line.atMs) - upperNs
    if (above > toleranceNs) return above
    return below > toleranceNs ? -below : 0
  }

  #doubt(exchange: Exchange, wrongNs: number): Finding | null {
    this.#contradictions.push(exchange)
    if (this.#contradictions.length < STEP_EXCHANGES) return null
    const exchanges = this.#contradictions
    this.reset(this.#seconds.length >= SECONDS_ENOUGH ? this.#slope() : null)
    for (const one of exchanges) this.add(one)
    return { kind: 'stepped', byNs: wrongNs }
  }

  #slope(): number {
    return this.#line?.slope ?? this.#prior.slope
  }

  /** A second is over: lays the line anew. A slope is parts per million, since that is nanoseconds a millisecond. */
  #conclude(origin: Origin): Finding | null {
    let line = fitLine(this.#points(this.#slope()), this.#prior)
    // The middles were taken along the old slope; the new one is better.
    line = fitLine(this.#points(line.slope), this.#prior)
    if (Math.abs(line.slope) > RATE_PPM_MAX) {
      this.reset(null)
      return null
    }
    this.#line = line
    const delayNs = Math.max(0, line.widthMin / 2)
    const estimate: Estimate = {
      at: monotonicMs(origin.localMs + line.atMs),
      masterNs: origin.masterNs + BigInt(Math.round(line.atMs * NS_PER_MS + line.value)),
      ratePpm: line.slope,
      rateDeviationPpm: line.slopeDeviation,
      delayNs,
      boundNs: delayNs + 3 * line.deviation,
      deviationNs: line.deviation,
    }
    return { kind: 'estimate', estimate }
  }

  #points(slope: number): Point[] {
    return this.#seconds.map(({ lowerAtMs, lowerNs, upperAtMs, upperNs }) => {
      const atMs = (lowerAtMs + upperAtMs) / 2
      const lower = lowerNs + slope * (atMs - lowerAtMs)
      const upper = upperNs + slope * (atMs - upperAtMs)
      return { atMs, value: (lower + upper) / 2, width: upper - lower }
    })
  }
}

const priorOf = (learnedPpm: number | null): Prior => ({
  slope: learnedPpm ?? 0,
  deviation: learnedPpm === null ? UNKNOWN_PPM : LEARNED_PPM,
})

function limitsOf(exchange: Exchange, origin: Origin): Limits {
  const lowerAtMs = exchange.syncReceived - origin.localMs
  const upperAtMs = exchange.requestSent - origin.localMs
  return {
    lowerAtMs,
    lowerNs: Number(exchange.syncSentNs - origin.masterNs) - lowerAtMs * NS_PER_MS,
    upperAtMs,
    upperNs: Number(exchange.requestReceivedNs - origin.masterNs) - upperAtMs * NS_PER_MS,
  }
}

function tighten(second: Second, limits: Limits, slope: number): void {
  if (limits.lowerNs - slope * (limits.lowerAtMs - second.lowerAtMs) > second.lowerNs) {
    second.lowerAtMs = limits.lowerAtMs
    second.lowerNs = limits.lowerNs
  }
  if (limits.upperNs - slope * (limits.upperAtMs - second.upperAtMs) < second.upperNs) {
    second.upperAtMs = limits.upperAtMs
    second.upperNs = limits.upperNs
  }
}
