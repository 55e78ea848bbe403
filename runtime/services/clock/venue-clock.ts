/**
 * The venue's time on this box: carries what PTP decides to the network and to the box's clock, keeps what was learned of
 * the oscillator, and tells what it knows. A box without a network, or without the right to its ports, leads itself.
 */
import type { Bus } from '../../core/bus.js'
import { assert, BoxError, messageOf } from '../../core/errors.js'
import type { Service } from '../../core/lifecycle.js'
import { repeat } from '../../core/repeat.js'
import { after, NS_PER_MS } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { Files } from '../../ports/files.js'
import type { Log } from '../../ports/log.js'
import type { PtpDaemon, PtpReading } from '../../ports/ptp-daemon.js'
import type { PtpLink, PtpReceived } from '../../ports/ptp-link.js'
import type { ShowTimeline } from '../../ports/show-timeline.js'
import type { Messages } from '../../topics.js'
import { beginning } from './beginning.js'
import { ClockHistory, type ClockPoint } from './clock-history.js'
import { ClockReport } from './clock-report.js'
import { type KeptClock, keepClock, readKeptClock } from './kept-clock.js'
import { logNotice } from './notice-log.js'
import type { DaemonEngine } from './ptp/daemon-engine.js'
import type { Description, Send } from './ptp/port.js'
import type { PtpOptions } from './ptp-options.js'
import type { ShareTime } from './share-time.js'
import type { ShowScale } from './show-scale.js'
import type { Notice, Outcome, VenueTime } from './venue-time.js'

const STATE_EVERY_MS = 1_000
const SAVE_EVERY_MS = 60_000
const REOPEN_MS_MIN = 1_000
const REOPEN_MS_MAX = 15_000

interface Ports {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
  readonly files: Files
  readonly timeline: ShowTimeline
  /** Or what another program says of it. Null: nothing is said of a network to share the time on. */
  readonly link: PtpLink | PtpDaemon | null
  /** How it is shared there; null where there is no such network. */
  readonly shareTime: ShareTime | null
}

export interface VenueClockOptions {
  readonly ptp: PtpOptions
  readonly description: Omit<Description, 'hardwareAddress' | 'address'>
  readonly random: () => number
  /** Changes at each boot of the machine. */
  readonly bootId: string
  /** Nothing before is believed of anybody's time, and none begins before: in milliseconds since 1970. Null: all is. */
  readonly floorMs: number | null
  /** Names a timeline that nobody had before: sixteen hexadecimal digits. */
  readonly newTimeline: () => string
}

export class VenueClock implements Service {
  readonly name = 'clock'
  readonly #ports: Ports
  readonly #options: VenueClockOptions
  readonly #history = new ClockHistory()
  #life: Life | null = null

  constructor(ports: Ports, options: VenueClockOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** Of the last ten minutes, oldest first. */
  history(): readonly ClockPoint[] {
    return this.#history.points()
  }

  async start(): Promise<void> {
    const now = this.#ports.clock.monotonicMs()
    const kept = await readKeptClock(this.#ports, { bootId: this.#options.bootId, now })
    this.#life = new Life(this.#ports, this.#options, this.#history, kept)
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
  readonly #history: ClockHistory
  readonly #kept: KeptClock
  readonly #scale: ShowScale
  readonly #floorNs: bigint
  readonly #report = new ClockReport()
  readonly #cancels: Cancel[] = []
  #venue: VenueTime | null = null
  #daemon: DaemonEngine | null = null
  #cancelTick: Cancel = () => {}
  #cancelReopen: Cancel = () => {}
  #reopenMs = REOPEN_MS_MIN
  #opening: Promise<void> = Promise.resolve()
  #saving: Promise<void> | null = null
  #isEnded = false
  #isFrozen = false
  /** The timeline is another than was kept. */
  #isNews = false

  constructor(ports: Ports, options: VenueClockOptions, history: ClockHistory, kept: KeptClock) {
    this.#ports = ports
    this.#options = options
    this.#history = history
    this.#kept = kept
    const { clock, link } = ports
    const { floorMs } = options
    const begun = beginning(clock, kept, { floorMs, isShared: link !== null })
    this.#scale = begun.scale
    this.#floorNs = begun.floorNs
  }

  begin(): void {
    const { clock, bus, link, timeline } = this.#ports
    this.#cancels.push(
      repeat(clock, STATE_EVERY_MS, async () => this.#everySecond()),
      bus.subscribe('show/state', ({ isArmed }) => this.#freeze(isArmed)),
    )
    if (this.#scale.hasLed) this.#scale.lead(clock.monotonicMs())
    if (link !== null) {
      timeline.follow(this.#scale)
      this.#cancels.push(
        repeat(clock, SAVE_EVERY_MS, () => this.#save()),
        'onReading' in link
          ? link.onReading(reading => this.#read(reading))
          : link.onMessage(received => this.#hear(received)),
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
    await this.#saving
    await this.#save()
    // Whoever begins anew must find it closed.
    await this.#opening
    await this.#ports.link?.close()
  }

  async #open(link: PtpLink | PtpDaemon): Promise<void> {
    try {
      await link.open()
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#notOpened(link, error)
      return
    }
    if (this.#isEnded) return
    this.#reopenMs = REOPEN_MS_MIN
    this.#report.trouble = null
    const { log } = this.#ports
    const { interfaceName, stamps } = link
    log.info('clock.link', { interface: interfaceName, stamps })
    const now = this.#ports.clock.monotonicMs()
    this.#venue ??= this.#newVenue(link, now)
    this.#carryOut(this.#venue.start(now))
  }

  #newVenue(link: PtpLink | PtpDaemon, now: MonotonicMs): VenueTime {
    const { shareTime } = this.#ports
    assert(shareTime !== null, 'where there is a link the time is shared on it')
    const { ptp, description, random, newTimeline } = this.#options
    const timeline = this.#kept.timeline?.id ?? null
    const how = { ptp, description, random, floorNs: this.#floorNs, timeline, newTimeline }
    const { venue, daemon } = shareTime(link, this.#scale, how, now)
    this.#daemon = daemon
    venue.setShowMode(this.#isFrozen, now)
    return venue
  }

  #notOpened(link: PtpLink | PtpDaemon, error: BoxError): void {
    if (this.#isEnded) return
    const trouble = messageOf(error)
    if (trouble !== this.#report.trouble) {
      this.#ports.log.warn('clock.no-link', { error: trouble })
      this.#report.trouble = trouble
      this.#tell()
    }
    this.#openLater(link)
  }

  #openLater(link: PtpLink | PtpDaemon): void {
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
    this.#report.trouble = messageOf(why)
    if (this.#venue !== null) this.#carryOut(this.#venue.fail(clock.monotonicMs()))
    // Not at once: what can be opened and is lost at once would be so again and again.
    this.#openLater(link)
  }

  #hear({ message, at, from, port }: PtpReceived): void {
    if (this.#venue === null || this.#isEnded) return
    this.#carryOut(this.#venue.receive({ bytes: message, at, from, port }))
  }

  #read(reading: PtpReading): void {
    if (this.#venue === null || this.#daemon === null || this.#isEnded) return
    const now = this.#ports.clock.monotonicMs()
    this.#carryOut(this.#venue.carry(this.#daemon.read(reading, now), now))
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
    if (link === null || 'onReading' in link) return
    try {
      const at = await link.send(bytes, port, address)
      if (token !== null && this.#venue !== null && !this.#isEnded)
        this.#carryOut(this.#venue.departed(token, at))
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      // What is lost for longer is told by `onLost`; one message more or less does not matter.
      const isFirst = this.#report.noteNotSent()
      if (isFirst && error.code !== 'device.absent')
        log.warn('clock.not-sent', { error: messageOf(error) })
    }
  }

  #take(notice: Notice): void {
    const { log, bus } = this.#ports
    this.#report.note(notice)
    logNotice(log, notice)
    if (notice.kind === 'state' || notice.kind === 'stepped') this.#isNews = true
    if (notice.kind === 'stepped') bus.publish('clock/stepped', { byMs: notice.byNs / NS_PER_MS })
  }

  /** Nothing jumps while a show is armed. */
  #freeze(isFrozen: boolean): void {
    if (isFrozen === this.#isFrozen) return
    this.#isFrozen = isFrozen
    this.#venue?.setShowMode(isFrozen, this.#ports.clock.monotonicMs())
    this.#tell()
  }

  #everySecond(): void {
    this.#history.add(this.#tell())
    // Once a second at most, however often it changes.
    if (this.#isNews) void this.#save()
  }

  #tell(): ClockPoint {
    const { clock, bus, link } = this.#ports
    const { interfaceName = null, stamps = null } = link ?? {}
    const state = this.#report.state(this.#scale, this.#venue, {
      now: clock.monotonicMs(),
      wallMs: clock.wallTimeMs(),
      isFrozen: this.#isFrozen,
      interface: interfaceName,
      domain: link === null ? null : this.#options.ptp.domain,
      stamps,
    })
    bus.publish('clock/state', state)
    const { offsetMicroseconds, pathDelayMicroseconds, ratePpm, errorMs } = state
    const wallMs = clock.wallTimeMs()
    return { wallMs, offsetMicroseconds, pathDelayMicroseconds, ratePpm, errorMs }
  }

  /** A slow disk is not asked again until it has answered. */
  async #save(): Promise<void> {
    if (this.#ports.link === null || this.#saving !== null) return
    this.#isNews = false
    this.#saving = this.#keep()
    await this.#saving
    this.#saving = null
  }

  #keep(): Promise<void> {
    const id = this.#venue === null ? this.#kept.timeline?.id : this.#venue.timeline
    return keepClock(this.#ports, this.#options.bootId, {
      learnedPpm: this.#scale.learnedPpm,
      timeline: {
        continued: this.#scale.continuation(this.#ports.clock.monotonicMs()),
        id: id ?? null,
      },
    })
  }
}
