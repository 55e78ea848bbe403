/**
 * A PTP ordinary clock with one port (IEEE 1588-2008 clause 9, figures 23 and 24): what arrives goes in, what is to be
 * done comes out. It neither sends nor waits nor knows what time it is: `nextTickAt` says when it wants `tick`.
 */
import { after, earlier } from '../../../core/time.js'
import type { MonotonicMs } from '../../../ports/clock.js'
import { type DataSet, decide } from './data-set.js'
import { type ForeignMaster, ForeignMasters, isNews } from './foreign-masters.js'
import { ManagementDesk } from './management.js'
import { type ClockView, heardFrom, type Timing } from './management-values.js'
import { MasterSide } from './master-side.js'
import {
  type Announce,
  type ClockQuality,
  Flag,
  type Grandmaster,
  type Message,
} from './message.js'
import { type Counts, PacketCounts } from './packet-counts.js'
import { parse } from './parse.js'
import {
  type Action,
  type Exchange,
  intervalMs,
  type Packet,
  type PortOptions,
  type PortState,
  type Send,
  type ShowAt,
} from './port.js'
import { SlaveSide } from './slave-side.js'
import { timelineTlv } from './timeline-tlv.js'
import { isSamePort, type PortIdentity } from './wire.js'

/** 7.6.2.4: what a clock says of itself that never leads. */
const SLAVE_ONLY_CLASS = 255
/** Exchanges until a newly chosen master counts as followed. */
const CALIBRATING_EXCHANGES = 4
/** Without an exchange for so long the master is no longer followed, though it may still announce itself. */
const SILENT_MS_MAX = 4000

export const noTiming: Timing = { offsetNs: 0, pathDelayNs: 0, rate: 0, ingressNs: 0n }

export class OrdinaryClock {
  readonly #options: PortOptions
  readonly #random: () => number
  readonly #masters: ForeignMasters
  readonly #masterSide: MasterSide
  readonly #slaveSide: SlaveSide
  readonly #desk = new ManagementDesk()
  #quality: ClockQuality
  #state: PortState = 'initializing'
  #parent: ForeignMaster | null = null
  /** In LISTENING: when nobody was heard for long enough. In PRE_MASTER: when the own claim stands. */
  #dueAt: MonotonicMs
  #exchangeCount = 0
  #exchangedAt: MonotonicMs
  #timing = noTiming
  readonly #counts = new PacketCounts()

  /** @param random of a seed: spreads what all boxes would do at once; 0 up to 1 */
  constructor(options: PortOptions, now: MonotonicMs, random: () => number) {
    let tokenCount = 0
    const nextToken = (): number => ++tokenCount
    this.#options = options
    this.#random = random
    this.#quality = options.quality
    this.#masters = new ForeignMasters({
      receiver: options.identity,
      announceIntervalMs: intervalMs(options.logAnnounceInterval),
      announceReceiptTimeout: options.announceReceiptTimeout,
    })
    this.#masterSide = new MasterSide(options, now, nextToken)
    this.#slaveSide = new SlaveSide(options, nextToken, random)
    this.#dueAt = now
    this.#exchangedAt = now
  }

  get state(): PortState {
    return this.#state
  }

  get parent(): ForeignMaster | null {
    return this.#parent
  }

  /** Who leads as far as this port knows: itself, or whom its parent names. */
  get grandmaster(): Grandmaster {
    return this.#parent?.announce.grandmaster ?? this.#own()
  }

  /** Whether it is master of anybody. */
  get isFollowed(): boolean {
    return this.#state === 'master' && this.#masterSide.isFollowed
  }

  get counts(): Counts {
    return {
      ...this.#counts.faults,
      refused: this.#slaveSide.refusedCount,
      unanswered: this.#masterSide.unansweredCount,
      masters: this.#masters.size,
    }
  }

  /** Null while nothing but a message can make it act. */
  get nextTickAt(): MonotonicMs | null {
    const moments = [
      this.#masters.nextExpiry(this.#parentPort()),
      this.#isFollowing() ? this.#slaveSide.nextAt : null,
      this.#state === 'slave' ? after(this.#exchangedAt, this.#silentMsMax()) : null,
      this.#state === 'master' ? this.#masterSide.nextAt : null,
      this.#isWaiting() ? this.#dueAt : null,
    ]
    return moments.reduce((a, b) => (a === null ? b : b === null ? a : earlier(a, b)), null)
  }

  /** From the start, and when the link is back. */
  start(now: MonotonicMs): Action[] {
    return this.#listen(now)
  }

  /** The link is lost: nothing is sent or believed until the next `start`. */
  fail(): Action[] {
    this.#masters.clear()
    return [...this.#abandon(), ...this.#enter('faulty')]
  }

  /** What is announced of the own clock from now on. */
  setQuality(quality: ClockQuality, now: MonotonicMs): Action[] {
    this.#quality = quality
    return this.#decide(now)
  }

  /** Which timeline it serves when it is master; null: it does not say. */
  setTimeline(timeline: string | null): void {
    this.#masterSide.announceWith(timeline === null ? [] : [timelineTlv(timeline)])
  }

  /** What is told to those who ask; the port itself does not know how its exchanges were judged. */
  setTiming(timing: Timing): void {
    this.#timing = timing
  }

  /** Nothing that this clock tells is believed until then: another master is chosen, or none. */
  distrust(grandmaster: string, until: MonotonicMs, now: MonotonicMs): Action[] {
    this.#masters.distrust(grandmaster, until)
    return this.#decide(now)
  }

  receive(packet: Packet, showAt: ShowAt): Action[] {
    const message = parse(packet.bytes)
    this.#counts.note(message, packet, this.#options.domain)
    if (message === null || !this.#concerns(message)) return []
    const isEvent = message.type === 'sync' || message.type === 'delay-request'
    if (isEvent !== (packet.port === 'event')) return []
    switch (message.type) {
      case 'announce':
        return this.#hear(message, packet)
      case 'management':
        return listed(this.#desk.answer(message, packet, this.#view()))
      case 'signaling':
        return []
      case 'delay-request':
        if (this.#state !== 'master') return []
        return listed(this.#masterSide.answer(message, packet.at, packet.from, showAt))
      case 'delay-response':
        return this.#isOfParent(message)
          ? this.#measured(this.#slaveSide.response(message), packet.at)
          : []
      default:
        if (this.#isOfParent(message)) this.#slaveSide.time(message, packet.at)
        return []
    }
  }

  /** A message that was sent with a token has left. */
  departed(token: number, at: MonotonicMs, showAt: ShowAt): Action[] {
    const followUp = this.#state === 'master' ? this.#masterSide.departed(token, at, showAt) : null
    if (followUp) return [followUp]
    return this.#measured(this.#slaveSide.departed(token, at), at)
  }

  tick(now: MonotonicMs): Action[] {
    // A claim stands one tick after it was made: what is claimed may be told first, by `setQuality`.
    const isClaimDue = this.#state === 'pre-master' && this.#dueAt <= now
    const actions = this.#decide(now)
    if (isClaimDue && this.#state === 'pre-master') {
      this.#masterSide.start(now)
      actions.push(...this.#enter('master'))
    }
    if (this.#state === 'master')
      actions.push(...this.#masterSide.tick(now, this.#own(), this.#options.timeProperties))
    if (this.#state === 'slave' && now - this.#exchangedAt >= this.#silentMsMax())
      actions.push(...this.#calibrate())
    const request = this.#isFollowing() ? this.#slaveSide.tick(now) : null
    if (request) actions.push(request)
    return actions
  }

  /** Of this domain, of another clock, of no alternate master (17.4), and not before the port has started. */
  #concerns({ type, header: { domain, sdo, source, flags } }: Message): boolean {
    if (this.#state === 'initializing' || this.#state === 'faulty') return false
    const isOurs = domain === this.#options.domain && sdo === 0
    const isForeign = source.clock !== this.#options.identity.clock
    return isOurs && isForeign && (type === 'management' || (flags & Flag.alternateMaster) === 0)
  }

  /** An Announce to one alone was never asked for: unicast is not negotiated here. */
  #hear(announce: Announce, { at, from }: Packet): Action[] {
    const isAsked = (announce.header.flags & Flag.unicast) === 0
    if (!isAsked || !this.#masters.hear(announce, at, from, this.#parentPort())) return []
    return this.#decide(at)
  }

  #isOfParent({ header: { source } }: Message): boolean {
    const parent = this.#parentPort()
    return parent !== null && isSamePort(source, parent) && this.#isFollowing()
  }

  #measured(exchange: Exchange | null, at: MonotonicMs): Action[] {
    if (exchange === null || !this.#isFollowing()) return []
    this.#exchangedAt = at
    this.#exchangeCount++
    const isCalibrated =
      this.#state === 'uncalibrated' && this.#exchangeCount >= CALIBRATING_EXCHANGES
    return [{ kind: 'measured', exchange }, ...(isCalibrated ? this.#enter('slave') : [])]
  }

  /** The state decision event (9.2.6.8). */
  #decide(now: MonotonicMs): Action[] {
    if (this.#state === 'initializing' || this.#state === 'faulty') return []
    this.#masters.expire(now, this.#parentPort())
    const best = this.#masters.best()
    const decision = decide(this.#ownDataSet(), best?.dataSet ?? null, this.#options.isSlaveOnly)
    if (decision === 'S1' && best !== null) return this.#follow(best)
    if (decision === 'P1') return [...this.#abandon(), ...this.#enter('passive')]
    if (decision === 'none') return this.#isFollowing() ? this.#listen(now) : []
    return this.#claim(best, now)
  }

  #follow(best: ForeignMaster): Action[] {
    const before = this.#parent
    this.#parent = best
    const isSame =
      before !== null && isSamePort(before.announce.header.source, best.announce.header.source)
    if (isSame && this.#isFollowing())
      return isNews(before, best) ? [{ kind: 'parent', parent: best }] : []
    this.#slaveSide.follow(best.announce.header.source, best.address)
    return [{ kind: 'parent', parent: best }, ...this.#calibrate()]
  }

  #calibrate(): Action[] {
    this.#exchangeCount = 0
    return this.#enter('uncalibrated')
  }

  /** M1 and M2: qualified at once (9.2.6.10 a), but while listening only after others had time to be heard. */
  #claim(best: ForeignMaster | null, now: MonotonicMs): Action[] {
    if (this.#state === 'master' || this.#state === 'pre-master') return []
    if (this.#state === 'listening' && best === null && now < this.#dueAt) return []
    this.#dueAt = now
    return [...this.#abandon(), ...this.#enter('pre-master')]
  }

  #listen(now: MonotonicMs): Action[] {
    const intervals = this.#options.announceReceiptTimeout + this.#random()
    this.#dueAt = after(now, intervals * intervalMs(this.#options.logAnnounceInterval))
    return [...this.#abandon(), ...this.#enter('listening')]
  }

  /** Follows nobody. */
  #abandon(): Action[] {
    this.#slaveSide.follow(null, '')
    this.#timing = noTiming
    if (this.#parent === null) return []
    this.#parent = null
    return [{ kind: 'parent', parent: null }]
  }

  #enter(state: PortState): Action[] {
    if (this.#state === state) return []
    this.#state = state
    return [{ kind: 'state', state }]
  }

  #isFollowing(): boolean {
    return this.#state === 'uncalibrated' || this.#state === 'slave'
  }

  /** Who may only follow waits for a message. */
  #isWaiting(): boolean {
    if (this.#state === 'pre-master') return true
    return this.#state === 'listening' && !this.#options.isSlaveOnly
  }

  #silentMsMax(): number {
    return Math.max(SILENT_MS_MAX, 8 * intervalMs(this.#options.logDelayRequestInterval))
  }

  #parentPort(): PortIdentity | null {
    return this.#parent?.announce.header.source ?? null
  }

  #own(): Grandmaster {
    const { identity, priority1, priority2, isSlaveOnly } = this.#options
    const { clockClass, accuracy, variance } = this.#quality
    return {
      identity: identity.clock,
      priority1,
      priority2,
      clockClass: isSlaveOnly ? SLAVE_ONLY_CLASS : clockClass,
      accuracy,
      variance,
    }
  }

  #ownDataSet(): DataSet {
    const port = { clock: this.#options.identity.clock, port: 0 }
    return { grandmaster: this.#own(), stepsRemoved: 0, sender: port, receiver: port }
  }

  #view(): ClockView {
    const announce = this.#parent?.announce
    const { timeProperties, identity } = this.#options
    const own = { clock: identity.clock, port: 0 }
    return {
      options: this.#options,
      state: this.#state,
      own: this.#own(),
      grandmaster: this.grandmaster,
      ...(announce ? heardFrom(announce) : { parent: own, stepsRemoved: 0, timeProperties }),
      timing: this.#timing,
    }
  }
}

const listed = (send: Send | null): Action[] => (send === null ? [] : [send])
