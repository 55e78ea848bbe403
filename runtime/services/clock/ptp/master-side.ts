/** What a port does while it is master: announces itself, sends its time, answers requests (IEEE 1588-2008, 9.5). */
import { forgetOldest } from '../../../core/oldest.js'
import { after } from '../../../core/time.js'
import type { MonotonicMs } from '../../../ports/clock.js'
import { AnswerBudget } from './answer-budget.js'
import { Flag, type Grandmaster, NO_INTERVAL, type Timed, type Tlv } from './message.js'
import {
  type Action,
  headerOf,
  intervalMs,
  type PortOptions,
  type Send,
  type ShowAt,
  type TimeProperties,
} from './port.js'
import { serialise } from './serialise.js'

/** A Sync whose departure is not told by then is not followed up. */
const SYNCS_PENDING_MAX = 16

export class MasterSide {
  readonly #options: PortOptions
  readonly #nextToken: () => number
  /** Sequence ids of Sync messages that have not been told to have left, by token. */
  readonly #departing = new Map<number, number>()
  readonly #budget = new AnswerBudget()
  #announceAt: MonotonicMs
  #syncAt: MonotonicMs
  #announceSequence = 0
  #syncSequence = 0
  #isFollowed = false
  #announced: readonly Tlv[] = []

  constructor(options: PortOptions, now: MonotonicMs, nextToken: () => number) {
    this.#options = options
    this.#announceAt = now
    this.#syncAt = now
    this.#nextToken = nextToken
  }

  get nextAt(): MonotonicMs {
    return this.#announceAt < this.#syncAt ? this.#announceAt : this.#syncAt
  }

  /** Whether anybody has asked for its time since it began. */
  get isFollowed(): boolean {
    return this.#isFollowed
  }

  /** Requests that came too often to be answered. */
  get unansweredCount(): number {
    return this.#budget.refusedCount
  }

  /** What is told behind every Announce from now on. */
  announceWith(tlvs: readonly Tlv[]): void {
    this.#announced = tlvs
  }

  /** Begins anew, with an Announce at once. */
  start(now: MonotonicMs): void {
    this.#announceAt = now
    this.#syncAt = now
    this.#departing.clear()
    this.#isFollowed = false
  }

  tick(now: MonotonicMs, grandmaster: Grandmaster, properties: TimeProperties): Action[] {
    const actions: Action[] = []
    if (this.#announceAt <= now) {
      this.#announceAt = next(this.#announceAt, now, intervalMs(this.#options.logAnnounceInterval))
      actions.push(this.#announce(grandmaster, properties))
    }
    if (this.#syncAt <= now) {
      this.#syncAt = next(this.#syncAt, now, intervalMs(this.#options.logSyncInterval))
      actions.push(this.#sync())
    }
    return actions
  }

  /** The Follow_Up of a Sync that has left; null where the token is of none. */
  departed(token: number, at: MonotonicMs, showAt: ShowAt): Send | null {
    const sequenceId = this.#departing.get(token)
    if (sequenceId === undefined) return null
    this.#departing.delete(token)
    const bytes = serialise({
      header: headerOf(this.#options, {
        sequenceId,
        logInterval: this.#options.logSyncInterval,
        flags: 0,
      }),
      type: 'follow-up',
      originNs: showAt(at),
      tlvs: [],
    })
    return { kind: 'send', bytes, port: 'general', address: null, token: null }
  }

  /**
   * The Delay_Resp (11.3.2): the correction of the request goes back with it. To whom asked alone it goes alone.
   * @returns null where there are too many requests
   */
  answer(request: Timed, at: MonotonicMs, from: string, showAt: ShowAt): Send | null {
    if (!this.#budget.take(from, at)) return null
    this.#isFollowed = true
    const isUnicast = (request.header.flags & Flag.unicast) !== 0
    const header = headerOf(this.#options, {
      sequenceId: request.header.sequenceId,
      logInterval: isUnicast ? NO_INTERVAL : this.#options.logDelayRequestInterval,
      flags: isUnicast ? Flag.unicast : 0,
    })
    const bytes = serialise({
      header: { ...header, correctionScaled: request.header.correctionScaled },
      type: 'delay-response',
      receivedNs: showAt(at),
      requester: request.header.source,
      tlvs: [],
    })
    return { kind: 'send', bytes, port: 'general', address: isUnicast ? from : null, token: null }
  }

  #announce(grandmaster: Grandmaster, properties: TimeProperties): Send {
    const bytes = serialise({
      header: headerOf(this.#options, {
        sequenceId: this.#announceSequence++,
        logInterval: this.#options.logAnnounceInterval,
        flags: properties.flags,
      }),
      type: 'announce',
      originNs: 0n,
      utcOffsetS: properties.utcOffsetS,
      grandmaster,
      stepsRemoved: 0,
      timeSource: properties.timeSource,
      tlvs: this.#announced,
    })
    return { kind: 'send', bytes, port: 'general', address: null, token: null }
  }

  #sync(): Send {
    const token = this.#nextToken()
    const sequenceId = this.#syncSequence++ & 0xffff
    this.#departing.set(token, sequenceId)
    forgetOldest(this.#departing, SYNCS_PENDING_MAX)
    const bytes = serialise({
      header: headerOf(this.#options, {
        sequenceId,
        logInterval: this.#options.logSyncInterval,
        flags: Flag.twoStep,
      }),
      type: 'sync',
      originNs: 0n,
      tlvs: [],
    })
    return { kind: 'send', bytes, port: 'event', address: null, token }
  }
}

/** In step with the last; where whole intervals were slept through, they are left out. */
const next = (last: MonotonicMs, now: MonotonicMs, everyMs: number): MonotonicMs =>
  now - last < everyMs ? after(last, everyMs) : after(now, everyMs)
