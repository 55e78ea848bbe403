/**
 * What a port does while it follows a master: pairs Sync with Follow_Up, asks for the way back and pairs the answer
 * (IEEE 1588-2008, 9.5.4 to 9.5.7 and 11.3). Late, doubled, missing and foreign messages leave no trace.
 */
import { forgetOldest } from '../../../core/oldest.js'
import { after, NS_PER_MS } from '../../../core/time.js'
import type { MonotonicMs } from '../../../ports/clock.js'
import { type DelayResponse, Flag, NO_INTERVAL, type Timed } from './message.js'
import { type Exchange, headerOf, intervalMs, type PortOptions, type Send } from './port.js'
import { serialise } from './serialise.js'
import { isSamePort, type PortIdentity } from './wire.js'

const PENDING_MAX = 8
/** After so many requests to the master alone that nobody answered, the group is asked. */
const UNANSWERED_MAX = 4
/** A way there and a way back belong together only while the path is the same. */
const PAIR_MS_MAX = 2000
/** An oscillator is not farther off than this, and stamps have their grain: below that a delay is negative. */
const RATE_MAX = 200e-6
const GRAIN_NS = 1000
/** Nothing stays so long in a transparent clock. */
const CORRECTION_NS_MAX = 1e9
const LOG_INTERVAL_MIN = -7
const LOG_INTERVAL_MAX = 5

interface Arrival {
  readonly at: MonotonicMs
  readonly correctionNs: bigint
}

interface Request {
  readonly sequenceId: number
  /** Null until it is told to have left. */
  sent: MonotonicMs | null
  receivedNs: bigint | null
}

export class SlaveSide {
  readonly #options: PortOptions
  readonly #nextToken: () => number
  readonly #random: () => number
  #master: { readonly port: PortIdentity; readonly address: string } | null = null
  /** Sync messages that wait for their Follow_Up, and the other way round, by sequence id. */
  readonly #arrivals = new Map<number, Arrival>()
  readonly #followUps = new Map<number, bigint>()
  #sync: { readonly sentNs: bigint; readonly received: MonotonicMs } | null = null
  #lastSequence: number | null = null
  readonly #requests = new Map<number, Request>()
  #requestSequence = 0
  #requestAt: MonotonicMs | null = null
  #requestIntervalMs: number
  #unanswered = 0
  #refusedCount = 0

  constructor(options: PortOptions, nextToken: () => number, random: () => number) {
    this.#options = options
    this.#nextToken = nextToken
    this.#random = random
    this.#requestIntervalMs = intervalMs(options.logDelayRequestInterval)
  }

  /** When the next request is due; null while there is nobody to ask. */
  get nextAt(): MonotonicMs | null {
    return this.#requestAt
  }

  /** Exchanges whose path delay would have been negative. */
  get refusedCount(): number {
    return this.#refusedCount
  }

  /** Follows another port, or none. What was pending is forgotten. */
  follow(port: PortIdentity | null, address: string): void {
    this.#master = port === null ? null : { port, address }
    this.#arrivals.clear()
    this.#followUps.clear()
    this.#requests.clear()
    this.#sync = null
    this.#lastSequence = null
    this.#requestAt = null
    this.#requestIntervalMs = intervalMs(this.#options.logDelayRequestInterval)
    this.#unanswered = 0
  }

  /** A Sync or a Follow_Up of the master. */
  time(message: Timed, at: MonotonicMs): void {
    if (message.type === 'sync') this.#takeSync(message, at)
    else this.#takeFollowUp(message)
  }

  /** A Sync of one step is whole by itself; of two, it waits for its Follow_Up. */
  #takeSync(message: Timed, at: MonotonicMs): void {
    const correctionNs = nsOf(message.header.correctionScaled)
    const { sequenceId } = message.header
    if (correctionNs === null || this.#isOld(sequenceId) || this.#arrivals.has(sequenceId)) return
    if ((message.header.flags & Flag.twoStep) === 0) {
      this.#complete(sequenceId, message.originNs + correctionNs, at)
      return
    }
    const sentNs = this.#followUps.get(sequenceId)
    if (sentNs !== undefined) this.#complete(sequenceId, sentNs + correctionNs, at)
    else remember(this.#arrivals, sequenceId, { at, correctionNs })
  }

  /** May overtake its Sync. */
  #takeFollowUp(message: Timed): void {
    const correctionNs = nsOf(message.header.correctionScaled)
    const { sequenceId } = message.header
    if (correctionNs === null || this.#isOld(sequenceId)) return
    const sentNs = message.originNs + correctionNs
    const arrival = this.#arrivals.get(sequenceId)
    if (arrival) this.#complete(sequenceId, sentNs + arrival.correctionNs, arrival.at)
    else remember(this.#followUps, sequenceId, sentNs)
  }

  /** The request that is due, if one is. Requests are spread at random, so that a hundred boxes do not ask at once. */
  tick(now: MonotonicMs): Send | null {
    if (this.#master === null || this.#requestAt === null || now < this.#requestAt) return null
    this.#requestAt = this.#spread(now)
    const isUnicast = this.#options.delayRequests === 'unicast' && this.#unanswered < UNANSWERED_MAX
    this.#unanswered++
    const token = this.#nextToken()
    const sequenceId = this.#requestSequence++ & 0xffff
    remember(this.#requests, token, { sequenceId, sent: null, receivedNs: null })
    const bytes = serialise({
      header: headerOf(this.#options, {
        sequenceId,
        logInterval: NO_INTERVAL,
        flags: isUnicast ? Flag.unicast : 0,
      }),
      type: 'delay-request',
      originNs: 0n,
      tlvs: [],
    })
    const address = isUnicast ? this.#master.address : null
    return { kind: 'send', bytes, port: 'event', address, token }
  }

  /** Some links tell the moment of departure only after the answer has come. */
  departed(token: number, at: MonotonicMs): Exchange | null {
    const request = this.#requests.get(token)
    if (request === undefined) return null
    request.sent = at
    return this.#finish(token, request)
  }

  /** The answer to a request of this very port. */
  response(message: DelayResponse): Exchange | null {
    const correctionNs = nsOf(message.header.correctionScaled)
    if (correctionNs === null || !isSamePort(message.requester, this.#options.identity)) return null
    for (const [token, request] of this.#requests) {
      if (request.sequenceId !== message.header.sequenceId) continue
      this.#unanswered = 0
      this.#slowDownTo(message)
      request.receivedNs = message.receivedNs - correctionNs
      return this.#finish(token, request)
    }
    return null
  }

  /** Doubled, or overtaken by one that is whole already. */
  #isOld(sequenceId: number): boolean {
    if (this.#lastSequence === null) return false
    return ((this.#lastSequence - sequenceId) & 0xffff) < PENDING_MAX
  }

  #complete(sequenceId: number, sentNs: bigint, received: MonotonicMs): void {
    this.#arrivals.delete(sequenceId)
    this.#followUps.delete(sequenceId)
    this.#lastSequence = sequenceId
    this.#sync = { sentNs, received }
    this.#requestAt ??= after(received, this.#random() * this.#requestIntervalMs)
  }

  /** Uniform between nothing and twice the interval (9.5.11.2). */
  #spread(now: MonotonicMs): MonotonicMs {
    return after(now, 2 * this.#random() * this.#requestIntervalMs)
  }

  /** The master says how often it wants to be asked; never more often than the own profile does. */
  #slowDownTo({ header: { logInterval } }: DelayResponse): void {
    const isInterval = logInterval >= LOG_INTERVAL_MIN && logInterval <= LOG_INTERVAL_MAX
    if (!isInterval) return
    const ownMs = intervalMs(this.#options.logDelayRequestInterval)
    this.#requestIntervalMs = Math.max(ownMs, intervalMs(logInterval))
  }

  #finish(token: number, { sent, receivedNs }: Request): Exchange | null {
    if (sent === null || receivedNs === null) return null
    this.#requests.delete(token)
    const sync = this.#sync
    const pairMsMax = Math.max(PAIR_MS_MAX, 2 * this.#requestIntervalMs)
    if (sync === null || Math.abs(sent - sync.received) > pairMsMax) return null
    const elapsedNs = (sent - sync.received) * NS_PER_MS
    const delayNs = (Number(receivedNs - sync.sentNs) - elapsedNs) / 2
    if (delayNs < -GRAIN_NS - RATE_MAX * Math.abs(elapsedNs)) {
      this.#refusedCount++
      return null
    }
    return {
      syncSentNs: sync.sentNs,
      syncReceived: sync.received,
      requestSent: sent,
      requestReceivedNs: receivedNs,
    }
  }
}

/** @returns null for a correction that cannot be, the mark of one that did not fit (13.3.2.7) included */
function nsOf(scaled: bigint): bigint | null {
  const ns = scaled >> 16n
  return Math.abs(Number(ns)) > CORRECTION_NS_MAX ? null : ns
}

/** The oldest gives way when there are too many. */
function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.set(key, value)
  forgetOldest(map, PENDING_MAX)
}
