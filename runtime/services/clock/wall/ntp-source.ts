/**
 * One server that is asked for the time, decided: when to ask, which answers are answers (RFC 5905, sections 8 and 14), and
 * what they say. Questions carry a number of chance in place of the own date, so that nobody who does not see them can
 * answer, and nobody who does learns anything.
 */
import { after } from '../../../core/time.js'
import type { MonotonicMs } from '../../../ports/clock.js'
import { DRIFT, type Filtered, NtpFilter } from './ntp-filter.js'
import {
  Mode,
  type NtpPacket,
  parse,
  referenceText,
  STRATUM_MAX,
  serialise,
  UNSYNCHRONISED,
} from './ntp-packet.js'
import { NO_STAMP, type NtpStamp, wallOf } from './ntp-time.js'

const VERSION = 4
/** Questions at first, and what lies between them: then something is known within seconds. */
const BURST = 4
const BURST_EVERY_MS = 2_000
/** What was told so long ago is an answer to nothing. */
const ANSWER_MS_MAX = 5_000
/** Of the last eight questions; none answered: it is not there. */
const REACH_MASK = 0xff
/** Good answers in a row until the next is asked for half as often. */
const STEADY = 12
/** Poll intervals are powers of two in seconds; RFC 5905, figure 6: MAXPOLL. */
const POLL_EVER_MAX = 17
const PRECISION_MS = 0.001
/** What the server says of itself at most (RFC 5905, figure 6: MAXDISP). */
const ROOT_DISTANCE_MS_MAX = 16_000
/**
 * Stamps repeat every 136 years. They are read as dates from 98 years before what is known to be past, where clocks are that
 * believe in 1970, to 38 years after it.
 */
const PAST_MS = 30 * 365.25 * 86_400_000

export interface SourceOptions {
  /** As it was configured. */
  readonly host: string
  readonly address: string
  /** 2^n seconds between questions. */
  readonly pollMin: number
  readonly pollMax: number
}

export type Verdict =
  | 'sample'
  /** Not an answer to what was asked last. */
  | 'stray'
  /** The server has no time to give, or says nonsense. */
  | 'unusable'
  /** Its date is before one that is known to be past. */
  | 'past'
  /** It asks for longer pauses. */
  | 'rate'
  /** It does not want to be asked. */
  | 'denied'

/** What a source says of itself and how well it is heard. */
export interface Heard extends Filtered {
  readonly host: string
  readonly address: string
  readonly leap: NtpPacket['leap']
  readonly stratum: number
  readonly rootDelayMs: number
  readonly rootDispersionMs: number
}

export class NtpSource {
  readonly #options: SourceOptions
  readonly #nonce: () => NtpStamp
  readonly #random: () => number
  readonly #filter = new NtpFilter()
  #nextPollAt: MonotonicMs | null
  #asked: { readonly nonce: NtpStamp; readonly at: MonotonicMs } | null = null
  #askedCount = 0
  #poll: number
  #pollMin: number
  #reach = 0
  #steadyCount = 0
  #last: NtpPacket | null = null
  #verdict: Verdict | null = null

  /**
   * @param nonce not guessable, never zero
   * @param random of a seed; 0 up to 1
   */
  constructor(
    options: SourceOptions,
    now: MonotonicMs,
    nonce: () => NtpStamp,
    random: () => number,
  ) {
    this.#options = options
    this.#nonce = nonce
    this.#random = random
    this.#poll = options.pollMin
    this.#pollMin = options.pollMin
    // Boxes that are switched on together do not all ask at once.
    this.#nextPollAt = after(now, 500 * random())
  }

  get host(): string {
    return this.#options.host
  }

  get address(): string {
    return this.#options.address
  }

  /** When it wants to be asked; null: never again. */
  get nextPollAt(): MonotonicMs | null {
    return this.#nextPollAt
  }

  /** Of the last thing that came from it; null: nothing did. */
  get verdict(): Verdict | null {
    return this.#verdict
  }

  get isReachable(): boolean {
    return this.#reach !== 0
  }

  /** The question; it is to leave now. */
  ask(now: MonotonicMs): Uint8Array {
    this.#reach = (this.#reach << 1) & REACH_MASK
    this.#askedCount++
    if (this.#askedCount > BURST && this.#reach === 0) this.#seldom()
    const nonce = this.#nonce()
    this.#asked = { nonce, at: now }
    this.#nextPollAt = after(now, this.#pauseMs())
    return serialise({ ...question, poll: this.#poll, transmit: nonce })
  }

  /** When the question really left, where that is known only afterwards. */
  departed(at: MonotonicMs): void {
    if (this.#asked !== null) this.#asked = { ...this.#asked, at }
  }

  /**
   * @param at when it came
   * @param floorMs a date that is past
   */
  receive(bytes: Uint8Array, at: MonotonicMs, floorMs: number): Verdict {
    const asked = this.#asked
    const answer = parse(bytes)
    const isAnswer =
      asked !== null &&
      answer !== null &&
      answer.mode === Mode.server &&
      answer.origin === asked.nonce &&
      at >= asked.at &&
      at - asked.at <= ANSWER_MS_MAX
    if (!isAnswer) return 'stray'
    // A second answer to one question is no answer.
    this.#asked = null
    const verdict = this.#take(answer, asked.at, at, floorMs)
    this.#verdict = verdict
    return verdict
  }

  /** Null while it is not reachable or has no time to give. */
  heardAt(now: MonotonicMs): Heard | null {
    const filtered = this.#filter.at(now)
    const last = this.#last
    if (filtered === null || last === null || this.#reach === 0) return null
    const { host, address } = this.#options
    const { leap, stratum, rootDelayMs, rootDispersionMs } = last
    return { ...filtered, host, address, leap, stratum, rootDelayMs, rootDispersionMs }
  }

  #take(answer: NtpPacket, askedAt: MonotonicMs, at: MonotonicMs, floorMs: number): Verdict {
    if (answer.stratum === 0) return this.#kissed(answer)
    const nearMs = floorMs - PAST_MS
    const received = wallOf(answer.receive, nearMs)
    const sent = wallOf(answer.transmit, nearMs)
    if (received === null || sent === null || !isUsable(answer)) return this.#unusable()
    const delayMs = at - askedAt - (sent - received)
    if (sent < received || delayMs < -PRECISION_MS) return this.#unusable()
    if (sent < floorMs) {
      this.#unusable()
      return 'past'
    }
    this.#filter.add({
      at,
      differenceMs: (received - askedAt + (sent - at)) / 2,
      delayMs: Math.max(PRECISION_MS, delayMs),
      dispersionMs: 2 ** answer.precision * 1_000 + PRECISION_MS + DRIFT * (at - askedAt),
    })
    this.#last = answer
    this.#reach |= 1
    if (++this.#steadyCount >= STEADY) this.#seldom()
    return 'sample'
  }

  /** What it said before is not true any more. */
  #unusable(): Verdict {
    this.#filter.clear()
    this.#last = null
    this.#steadyCount = 0
    return 'unusable'
  }

  /** RFC 5905, section 7.4. Believed only from whom was asked, and only once for a question. */
  #kissed({ referenceId }: NtpPacket): Verdict {
    const code = referenceText(referenceId, 0)
    if (code === 'DENY' || code === 'RSTR') {
      this.#unusable()
      this.#reach = 0
      this.#nextPollAt = null
      return 'denied'
    }
    if (code !== 'RATE') return this.#unusable()
    this.#askedCount = Math.max(this.#askedCount, BURST)
    this.#pollMin = Math.min(POLL_EVER_MAX, this.#poll + 1)
    this.#poll = this.#pollMin
    if (this.#nextPollAt !== null) this.#nextPollAt = after(this.#nextPollAt, this.#pauseMs())
    return 'rate'
  }

  #seldom(): void {
    this.#steadyCount = 0
    const most = Math.max(this.#pollMin, this.#options.pollMax)
    this.#poll = Math.min(most, this.#poll + 1)
  }

  /** A little shorter or longer each time, so that boxes do not ask in step. */
  #pauseMs(): number {
    if (this.#askedCount < BURST) return BURST_EVERY_MS
    return 2 ** this.#poll * 1_000 * (1 + 0.05 * this.#random())
  }
}

function isUsable({ leap, stratum, rootDelayMs, rootDispersionMs }: NtpPacket): boolean {
  const isSynchronised = leap !== UNSYNCHRONISED && stratum <= STRATUM_MAX
  return isSynchronised && rootDelayMs / 2 + rootDispersionMs < ROOT_DISTANCE_MS_MAX
}

/** RFC 5905, section 14, with nothing in it that a server needs not know. */
const question: NtpPacket = {
  leap: 0,
  version: VERSION,
  mode: Mode.client,
  stratum: 0,
  poll: 0,
  precision: 32,
  rootDelayMs: 0,
  rootDispersionMs: 0,
  referenceId: 0,
  reference: NO_STAMP,
  origin: NO_STAMP,
  receive: NO_STAMP,
  transmit: NO_STAMP,
}
