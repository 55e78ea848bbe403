/**
 * The venue's time on this box: carries what PTP decides to the network and to the box's clock, keeps what was learned of
 * the oscillator, and tells what it knows. A box without a network, or without the right to its ports, leads itself.
 */
import type { Bus } from '../../core/bus.js'
import { BoxError, messageOf } from '../../core/errors.js'
import type { Service } from '../../core/lifecycle.js'
import { repeat } from '../../core/repeat.js'
import { check, number, object } from '../../core/schema.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { Files } from '../../ports/files.js'
import type { Log } from '../../ports/log.js'
import type { PtpLink, PtpReceived } from '../../ports/ptp-link.js'
import type { ShowTimeline } from '../../ports/show-timeline.js'
import type { Messages, Payload } from '../../topics.js'
import type { Description, PortState, Send } from './ptp/port.js'
import { type PtpOptions, portOptions } from './ptp-options.js'
import { ShowScale } from './show-scale.js'
import { type Notice, type Outcome, VenueTime } from './venue-time.js'

const FILE = 'oscillator.json'
const STATE_EVERY_MS = 1_000
const SAVE_EVERY_MS = 600_000
const REOPEN_MS_MIN = 1_000
const REOPEN_MS_MAX = 15_000

const savedSchema = object({
  /** How much faster the venue's time runs than this box's oscillator. */
  learnedPpm: number({ min: -500, max: 500 }),
})

interface Ports {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
  readonly files: Files
  readonly timeline: ShowTimeline
  /** Null: nothing is said of a network to share the time on. */
  readonly link: PtpLink | null
}

export interface VenueClockOptions {
  readonly ptp: PtpOptions
  readonly description: Omit<Description, 'hardwareAddress'>
  readonly random: () => number
}

export class VenueClock implements Service {
  readonly name = 'clock'
  readonly #ports: Ports
  readonly #options: VenueClockOptions
  #life: Life | null = null

  constructor(ports: Ports, options: VenueClockOptions) {
    this.#ports = ports
    this.#options = options
  }

  async start(): Promise<void> {
    const learnedPpm = await readLearned(this.#ports)
    this.#life = new Life(this.#ports, this.#options, learnedPpm)
    this.#life.begin()
  }

  async stop(): Promise<void> {
    const life = this.#life
    this.#life = null
    await life?.end()
  }
}

/** From one start to the next stop. */
class Life {
  readonly #ports: Ports
  readonly #options: VenueClockOptions
  readonly #scale: ShowScale
  readonly #cancels: Cancel[] = []
  #venue: VenueTime | null = null
  #cancelTick: Cancel = () => {}
  #cancelReopen: Cancel = () => {}
  #reopenMs = REOPEN_MS_MIN
  #opening: Promise<void> = Promise.resolve()
  #isEnded = false
  #isFrozen = false
  #state: PortState = 'initializing'
  #leader: string | null = null
  #trouble: string | null = null

  constructor(ports: Ports, options: VenueClockOptions, learnedPpm: number | null) {
    this.#ports = ports
    this.#options = options
    const at = ports.clock.monotonicMs()
    const showNs = BigInt(Math.round(ports.clock.monotonicToShow(at) * 1e6))
    this.#scale = new ShowScale({ at, showNs, learnedPpm })
  }

  begin(): void {
    const { clock, bus, link, timeline } = this.#ports
    this.#cancels.push(
      repeat(clock, STATE_EVERY_MS, async () => this.#tell()),
      repeat(clock, SAVE_EVERY_MS, () => this.#save()),
      bus.subscribe('show/state', ({ isArmed }) => this.#freeze(isArmed)),
    )
    this.#scale.lead(clock.monotonicMs())
    if (link !== null) {
      timeline.follow(this.#scale)
      this.#cancels.push(
        link.onMessage(received => this.#hear(received)),
        link.onLost(why => this.#lost(why)),
      )
      this.#opening = this.#open(link)
    }
    this.#tell()
  }

  async end(): Promise<void> {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#cancelTick()
    this.#cancelReopen()
    for (const cancel of this.#cancels) cancel()
    await this.#save()
    // Whoever begins anew must find it closed.
    await this.#opening
    await this.#ports.link?.close()
  }

  async #open(link: PtpLink): Promise<void> {
    try {
      await link.open()
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#notOpened(link, error)
      return
    }
    if (this.#isEnded) return
    this.#reopenMs = REOPEN_MS_MIN
    this.#trouble = null
    const { log } = this.#ports
    const { interfaceName, stamps } = link
    log.info('clock.link', { interface: interfaceName, stamps })
    const now = this.#ports.clock.monotonicMs()
    this.#venue ??= this.#newVenue(link, now)
    this.#carryOut(this.#venue.start(now))
  }

  #newVenue({ hardwareAddress }: PtpLink, now: MonotonicMs): VenueTime {
    const { ptp, description, random } = this.#options
    const port = portOptions(ptp, { ...description, hardwareAddress })
    const venue = new VenueTime(this.#scale, { port, floorNs: 0n }, now, random)
    venue.setShowMode(this.#isFrozen, now)
    return venue
  }

  #notOpened(link: PtpLink, error: BoxError): void {
    if (this.#isEnded) return
    const trouble = messageOf(error)
    if (trouble !== this.#trouble) {
      this.#ports.log.warn('clock.no-link', { error: trouble })
      this.#trouble = trouble
      this.#tell()
    }
    this.#openLater(link)
  }

  #openLater(link: PtpLink): void {
    const { clock } = this.#ports
    this.#cancelReopen = clock.runAt(after(clock.monotonicMs(), this.#reopenMs), () => {
      this.#opening = this.#open(link)
    })
    this.#reopenMs = Math.min(REOPEN_MS_MAX, 2 * this.#reopenMs)
  }

  #lost(why: Error): void {
    const { link, clock, log } = this.#ports
    if (this.#isEnded || link === null) return
    log.warn('clock.link-lost', { error: messageOf(why) })
    this.#trouble = messageOf(why)
    if (this.#venue !== null) this.#carryOut(this.#venue.fail(clock.monotonicMs()))
    // Not at once: what can be opened and is lost at once would be so again and again.
    this.#openLater(link)
  }

  #hear({ message, at, from, port }: PtpReceived): void {
    if (this.#venue === null || this.#isEnded) return
    this.#carryOut(this.#venue.receive({ bytes: message, at, from, port }))
  }

  #tick(): void {
    if (this.#venue !== null) this.#carryOut(this.#venue.tick(this.#ports.clock.monotonicMs()))
  }

  #carryOut({ sends, notices }: Outcome): void {
    for (const notice of notices) this.#take(notice)
    for (const send of sends) void this.#send(send)
    if (notices.length > 0) this.#tell()
    this.#cancelTick()
    const at = this.#venue?.nextTickAt ?? null
    if (at === null || this.#isEnded) return
    this.#cancelTick = this.#ports.clock.runAt(at, () => this.#tick())
  }

  async #send({ bytes, port, address, token }: Send): Promise<void> {
    const { link, log } = this.#ports
    if (link === null) return
    try {
      const at = await link.send(bytes, port, address)
      if (token !== null && this.#venue !== null && !this.#isEnded)
        this.#carryOut(this.#venue.departed(token, at))
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      // What is lost for longer is told by `onLost`; one message more or less does not matter.
      if (error.code !== 'device.absent') log.warn('clock.not-sent', { error: messageOf(error) })
    }
  }

  #take(notice: Notice): void {
    const { log, bus } = this.#ports
    switch (notice.kind) {
      case 'state':
        this.#state = notice.state
        break
      case 'leader':
        this.#leader = notice.identity
        log.info('clock.leader', { identity: notice.identity, isOwn: notice.isOwn })
        break
      case 'stepped':
        log.warn('clock.stepped', { byMs: notice.byNs / 1e6 })
        bus.publish('clock/stepped', { byMs: notice.byNs / 1e6 })
        break
      case 'distrusted':
        log.warn('clock.distrusted', { identity: notice.identity, byMs: notice.byNs / 1e6 })
        break
      case 'leader-stepped':
        log.warn('clock.leader-stepped', { byMs: notice.byNs / 1e6 })
    }
  }

  /** Nothing jumps while a show is armed. */
  #freeze(isFrozen: boolean): void {
    if (isFrozen === this.#isFrozen) return
    this.#isFrozen = isFrozen
    this.#venue?.setShowMode(isFrozen, this.#ports.clock.monotonicMs())
    this.#tell()
  }

  #tell(): void {
    const { clock, bus, link } = this.#ports
    const now = clock.monotonicMs()
    const estimate = this.#venue?.estimate ?? null
    const isLinked = link !== null && this.#venue !== null && this.#state !== 'faulty'
    bus.publish('clock/state', {
      state: this.#standing(),
      identity: this.#venue?.identity ?? null,
      leader: this.#leader,
      interface: link?.interfaceName ?? null,
      domain: link === null ? null : this.#options.ptp.domain,
      stamps: isLinked ? link.stamps : null,
      offsetMicroseconds: estimate === null ? null : (this.#venue?.offsetNs ?? 0) / 1e3,
      pathDelayMicroseconds: estimate === null ? null : estimate.delayNs / 1e3,
      ratePpm: this.#scale.ratePpmAt(now),
      errorMs: this.#scale.errorNs(now) / 1e6,
      clocksHeard: this.#venue?.clock.counts.masters ?? 0,
      isFrozen: this.#isFrozen,
      wallMs: clock.wallTimeMs(),
      trouble: this.#trouble,
    })
  }

  #standing(): Payload<'clock/state'>['state'] {
    switch (this.#state) {
      case 'master':
      case 'pre-master':
        return 'leading'
      case 'slave':
        return 'following'
      case 'uncalibrated':
        return 'acquiring'
      case 'listening':
      case 'passive':
        return this.#scale.hasLed ? 'listening' : 'holdover'
      default:
        return this.#scale.hasLed ? 'alone' : 'holdover'
    }
  }

  async #save(): Promise<void> {
    const { learnedPpm } = this.#scale
    if (learnedPpm === null) return
    const { files, log } = this.#ports
    try {
      await files.replace(FILE, new TextEncoder().encode(JSON.stringify({ learnedPpm })))
    } catch (error) {
      log.warn('clock.not-saved', { error: messageOf(error) })
    }
  }
}

/** Null when nothing was learned yet, or what was cannot be read. */
async function readLearned({ files, log }: Pick<Ports, 'files' | 'log'>): Promise<number | null> {
  try {
    const bytes = await files.read(FILE)
    if (bytes === null) return null
    return check(savedSchema, JSON.parse(new TextDecoder().decode(bytes)), 'oscillator').learnedPpm
  } catch (error) {
    log.warn('clock.unreadable', { error: messageOf(error) })
    return null
  }
}
