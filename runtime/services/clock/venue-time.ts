/**
 * The venue's time, decided: a PTP port, what its exchanges tell, the timeline that follows, and what the box claims
 * of it. What arrives goes in, what is to be sent and told comes out; sockets and timers are somebody else's.
 */
import { after } from '../../core/time.js'
import type { MonotonicMs } from '../../ports/clock.js'
import type { PtpEngine } from './ptp/engine.js'
import { type ForeignMaster, isSameRoot } from './ptp/foreign-masters.js'
import { OrdinaryClock } from './ptp/ordinary-clock.js'
import { type Estimate, PathFilter } from './ptp/path-filter.js'
import type { Action, Exchange, Packet, PortOptions, PortState, Send } from './ptp/port.js'
import { timelineIn } from './ptp/timeline-tlv.js'
import type { Followed, Rule, ShowScale } from './show-scale.js'
import { inheritedNsOf, Standing } from './standing.js'

/** Estimates in a row that are too far off until their grandmaster is not believed. */
const REFUSED_MAX = 3
const DISTRUST_MS = 600_000
/** Who has run a show alone for longer has cues on its own timeline; for less, it has only just come back. */
const SERVING_MS = 120_000

/** What a technician would want to know. */
export type Notice =
  | { readonly kind: 'state'; readonly state: PortState }
  /** Who leads now. */
  | { readonly kind: 'leader'; readonly identity: string; readonly isOwn: boolean }
  | { readonly kind: 'stepped'; readonly byNs: number }
  /** A grandmaster whose time is another timeline's, and which is left alone for a while. */
  | { readonly kind: 'distrusted'; readonly identity: string; readonly byNs: number }
  /** The leader's clock jumped under its followers. */
  | { readonly kind: 'leader-stepped'; readonly byNs: number }

export interface Outcome {
  readonly sends: readonly Send[]
  readonly notices: readonly Notice[]
}

export interface VenueTimeOptions {
  readonly port: Omit<PortOptions, 'quality'>
  /** No time before this is believed: the box knows that it is later (its release, or what it has seen). */
  readonly floorNs: bigint
  /** The timeline of an earlier life that the scale goes on with; null where it begins. */
  readonly timeline: string | null
  /** Names one that nobody had before: sixteen hexadecimal digits. */
  readonly newTimeline: () => string
}

export class VenueTime {
  readonly #options: VenueTimeOptions
  readonly #scale: ShowScale
  readonly #clock: PtpEngine
  readonly #filter: PathFilter
  readonly #standing = new Standing()
  #isInShow = false
  /** Since when it has led in show mode, be it alone; null when it has not. */
  #servingSince: MonotonicMs | null = null
  /** Has taken part in a timeline with others: what comes now is never a first lock. */
  #hasSettled = false
  #mayStepOnce = false
  #refusedCount = 0
  #estimate: Estimate | null = null
  #offsetNs = 0
  #leader: string | null = null
  #timeline: string | null
  readonly #isContinued: boolean
  /** Whose exchanges the filter knows. */
  #measured: ForeignMaster | null = null
  #sends: Send[] = []
  #notices: Notice[] = []

  /**
   * @param random of a seed; 0 up to 1
   * @param engine null: a port of its own, by the options
   */
  constructor(
    scale: ShowScale,
    options: VenueTimeOptions,
    now: MonotonicMs,
    random: () => number,
    engine: PtpEngine | null = null,
  ) {
    this.#options = options
    this.#scale = scale
    const port = { ...options.port, quality: this.#standing.quality }
    this.#clock = engine ?? new OrdinaryClock(port, now, random)
    this.#filter = new PathFilter(scale.learnedPpm)
    this.#isContinued = !scale.isFresh
    this.#timeline = options.timeline
    this.#clock.setTimeline(options.timeline)
  }

  get clock(): Pick<PtpEngine, 'state' | 'parent' | 'grandmaster' | 'counts'> {
    return this.#clock
  }

  /** Whose time is shown now, be it the own; null while nobody is known to lead. */
  get leader(): string | null {
    switch (this.#clock.state) {
      case 'pre-master':
      case 'master':
        return this.identity
      case 'uncalibrated':
      case 'slave':
        return this.#clock.grandmaster.identity
      default:
        return null
    }
  }

  /** Which one is shown, and served by whoever leads; null before there is one, and where a foreign leader has no name for it. */
  get timeline(): string | null {
    return this.#timeline
  }

  /** Of the own clock, as other clocks name it. */
  get identity(): string {
    return this.#options.port.identity.clock
  }

  /** How far the own time was from the leader's when it was last found: positive is ahead. */
  get offsetNs(): number {
    return this.#offsetNs
  }

  /** Of the leader as last found; null while nobody is followed, or nothing is known yet. */
  get estimate(): Estimate | null {
    return this.#estimate
  }

  get nextTickAt(): MonotonicMs | null {
    return this.#clock.nextTickAt
  }

  /** From the start, and when the link is back. */
  start(now: MonotonicMs): Outcome {
    return this.#outcome(this.#clock.start(now), now)
  }

  /** The link is lost. */
  fail(now: MonotonicMs): Outcome {
    return this.#outcome(this.#clock.fail(), now)
  }

  receive(packet: Packet): Outcome {
    const actions = this.#clock.receive(packet, this.#showAt)
    if (this.#clock.isFollowed && this.#standing.followed(packet.at)) {
      this.#hasSettled = true
      this.#scale.define(packet.at)
      actions.push(...this.#clock.setQuality(this.#standing.quality, packet.at))
    }
    return this.#outcome(actions, packet.at)
  }

  /** What an engine that was given has to say by itself. */
  carry(actions: readonly Action[], now: MonotonicMs): Outcome {
    return this.#outcome(actions, now)
  }

  /** A message that was sent with a token has left. */
  departed(token: number, at: MonotonicMs): Outcome {
    return this.#outcome(this.#clock.departed(token, at, this.#showAt), at)
  }

  tick(now: MonotonicMs): Outcome {
    return this.#outcome(this.#clock.tick(now), now)
  }

  /** In show mode nothing steps: what is too far off to be slewed is not followed. */
  setShowMode(isInShow: boolean, now: MonotonicMs): void {
    this.#isInShow = isInShow
    this.#servingSince = isInShow && this.#clock.state === 'master' ? now : null
  }

  /** A person says so: what is found next of the leader is taken over, however far off. */
  allowStep(): void {
    this.#mayStepOnce = true
  }

  readonly #showAt = (at: MonotonicMs): bigint => this.#scale.showAtNs(at)

  #outcome(actions: readonly Action[], now: MonotonicMs): Outcome {
    this.#takeAll(actions, now)
    const outcome = { sends: this.#sends, notices: this.#notices }
    this.#sends = []
    this.#notices = []
    return outcome
  }

  #takeAll(actions: readonly Action[], now: MonotonicMs): void {
    for (const action of actions) this.#take(action, now)
  }

  #take(action: Action, now: MonotonicMs): void {
    switch (action.kind) {
      case 'send':
        this.#sends.push(action)
        break
      case 'state':
        this.#enter(action.state, now)
        break
      case 'parent':
        this.#changeParent(action.parent, now)
        break
      case 'measured':
        this.#measure(action.exchange, now)
        break
    }
  }

  #enter(state: PortState, now: MonotonicMs): void {
    this.#notices.push({ kind: 'state', state })
    if (state === 'master' || state === 'slave') return
    if (state === 'pre-master') this.#lead(now)
    else this.#standing.yield()
    // What nobody shares is right by definition, for as long as nobody else is heard.
    const isAlone = this.#scale.isFresh && state !== 'uncalibrated'
    if (state !== 'pre-master' && state !== 'passive' && !isAlone) this.#scale.holdOver(now)
    // Where somebody better is there while it claims the timeline it is passive; it follows once it claims nothing.
    this.#takeAll(this.#clock.setQuality(this.#standing.quality, now), now)
  }

  #lead(now: MonotonicMs): void {
    this.#standing.lead(this.#scale.distanceNs(now), now)
    this.#scale.lead(now)
    this.#serve(this.#timeline ?? this.#options.newTimeline())
    if (this.#isInShow) this.#servingSince ??= now
    this.#tellLeader(this.#options.port.identity.clock)
  }

  #serve(timeline: string | null): void {
    this.#timeline = timeline
    this.#clock.setTimeline(timeline)
  }

  #changeParent(parent: ForeignMaster | null, now: MonotonicMs): void {
    const isSame = isSameRoot(this.#measured, parent)
    this.#measured = parent
    if (isSame) return
    this.#filter.reset(this.#scale.learnedPpm)
    this.#estimate = null
    this.#refusedCount = 0
    if (parent === null) return
    this.#scale.holdOver(now)
    this.#tellLeader(parent.announce.grandmaster.identity)
  }

  #tellLeader(identity: string): void {
    if (identity === this.#leader) return
    this.#leader = identity
    const isOwn = identity === this.#options.port.identity.clock
    this.#notices.push({ kind: 'leader', identity, isOwn })
  }

  #measure(exchange: Exchange, now: MonotonicMs): void {
    const finding = this.#filter.add(exchange)
    if (finding === null) return
    if (finding.kind === 'stepped') {
      this.#estimate = null
      this.#notices.push({ kind: 'leader-stepped', byNs: finding.byNs })
    } else this.#follow(finding.estimate, now)
  }

  #follow(estimate: Estimate, now: MonotonicMs): void {
    const followed = this.#judge(estimate, now)
    if (followed.kind === 'refused') {
      this.#refuse(followed.byNs, now)
      return
    }
    this.#refusedCount = 0
    this.#estimate = estimate
    this.#hasSettled = true
    this.#mayStepOnce = false
    this.#standing.adopt()
    this.#serve(timelineIn(this.#clock.parent?.announce.tlvs ?? []))
    if (followed.kind === 'stepped') this.#notices.push(followed)
    this.#offsetNs = followed.kind === 'slewed' ? -followed.errorNs : 0
    this.#clock.setTiming({
      offsetNs: this.#offsetNs,
      pathDelayNs: estimate.delayNs,
      rate: estimate.ratePpm / 1e6,
      ingressNs: this.#scale.showAtNs(estimate.at),
    })
  }

  #judge(estimate: Estimate, now: MonotonicMs): Followed {
    const inheritedNs = inheritedNsOf(this.#clock.grandmaster)
    if (estimate.masterNs >= this.#options.floorNs)
      return this.#scale.follow(estimate, now, this.#rule(now), inheritedNs)
    return { kind: 'refused', byNs: Number(estimate.masterNs - this.#scale.showAtNs(estimate.at)) }
  }

  #rule(now: MonotonicMs): Rule {
    const isServing = this.#servingSince !== null && now - this.#servingSince > SERVING_MS
    if (!this.#hasSettled && !isServing) return this.#isContinued ? 'step' : 'align'
    return this.#isInShow && !this.#mayStepOnce ? 'slew' : 'step'
  }

  #refuse(byNs: number, now: MonotonicMs): void {
    this.#refusedCount++
    if (this.#refusedCount < REFUSED_MAX) return
    const { identity } = this.#clock.grandmaster
    this.#notices.push({ kind: 'distrusted', identity, byNs })
    this.#takeAll(this.#clock.distrust(identity, after(now, DISTRUST_MS), now), now)
  }
}
