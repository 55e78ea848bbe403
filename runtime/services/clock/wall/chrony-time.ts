/** The date by chrony: starts it where nobody has, reads it, and starts it again when it ends. */
import { BoxError, messageOf } from '../../../core/errors.js'
import type { NtpConfig } from '../../../core/ntp-config.js'
import { repeat } from '../../../core/repeat.js'
import { after } from '../../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../../ports/clock.js'
import type { Log } from '../../../ports/log.js'
import type { DaemonFound, DaemonQuestion, TimeDaemon } from '../../../ports/time-daemon.js'
import type { WallTimeline } from '../../../ports/wall-timeline.js'
import { chronyConfig, localDirective, wantsNts } from './chrony-config.js'
import { foundIn, servedIn, sourcesIn, type Tracking, toldIn, trackingIn } from './chrony-report.js'
import { noStanding, type Standing } from './ntp-server.js'
import { NtsTrust, type NtsVerdict } from './nts-trust.js'
import type { Found, KnownDate, SourceReport, TimeEngine } from './time-engine.js'
import { strata } from './wall-policy.js'

const READ_EVERY_MS = 4_000
const AGAIN_MS_MIN = 1_000
const AGAIN_MS_MAX = 60_000
/** What ran so long did not end because of how it was started. */
const LASTED_MS = 60_000
/** What was read longer ago says nothing of now. */
const READ_MS_MAX = 20_000
/** What is further off is set at once, as by the embedded one. */
const STEP_MS = 128

interface Ports {
  readonly clock: Clock
  readonly log: Log
  readonly daemon: TimeDaemon
  readonly timeline: Pick<WallTimeline, 'systemAt'>
}

interface Reading {
  readonly at: MonotonicMs
  /** The system's date then: it is stepped in between, and the correction with it. */
  readonly systemMs: number
  readonly tracking: Tracking | null
  readonly told: Standing | null
  readonly sources: readonly SourceReport[]
  readonly served: number | null
}

export class ChronyTime implements TimeEngine {
  readonly kind = 'chrony'
  readonly isSystemSteered = true
  readonly #ports: Ports
  readonly #config: NtpConfig
  readonly #daemon: Exclude<DaemonFound, { kind: 'absent' }>
  readonly #known: KnownDate
  readonly #nts: NtsTrust
  #cancels: readonly Cancel[] = []
  #cancelAgain: Cancel = () => {}
  #cancelDate: Cancel = () => {}
  #againMs = AGAIN_MS_MIN
  #begunAt: MonotonicMs | null = null
  #isEnded = false
  #isFrozen = false
  #reading: Reading | null = null
  #trouble: string | null = null

  constructor(
    ports: Ports,
    config: NtpConfig,
    daemon: Exclude<DaemonFound, { kind: 'absent' }>,
    known: KnownDate,
  ) {
    this.#ports = ports
    this.#config = config
    this.#daemon = daemon
    this.#known = known
    const hasNts = daemon.kind === 'installed' && daemon.hasNts
    this.#nts = new NtsTrust(hasNts && wantsNts(config))
  }

  get trouble(): string | null {
    if (this.#trouble !== null || this.#daemon.kind === 'foreign') return this.#trouble
    const isUnable = !this.#daemon.hasNts && wantsNts(this.#config)
    if (isUnable) return 'this chrony knows no NTS: servers that want it are not asked'
    return this.#nts.trouble
  }

  get served(): number | null {
    return this.#config.serve === 'off' ? null : (this.#reading?.served ?? 0)
  }

  async start(): Promise<void> {
    const { clock, daemon } = this.#ports
    this.#cancels = [
      daemon.onEnded(why => this.#ended(why)),
      daemon.onSaid(line => this.#nts.hear(line)),
      repeat(clock, READ_EVERY_MS, () => this.#read()),
    ]
    await this.#begin()
  }

  async stop(): Promise<void> {
    this.#isEnded = true
    this.#cancelAgain()
    this.#cancelDate()
    for (const cancel of this.#cancels) cancel()
    if (this.#daemon.kind === 'installed') await this.#ports.daemon.stop()
  }

  freeze(isFrozen: boolean): void {
    this.#isFrozen = isFrozen
    void this.#setOnline()
  }

  found(now: MonotonicMs): Found | null {
    const reading = this.#current(now)
    if (reading === null || reading.tracking === null) return null
    return foundIn(reading.tracking, now, reading.systemMs + (now - reading.at))
  }

  sources(now: MonotonicMs): readonly SourceReport[] {
    return this.#current(now)?.sources ?? []
  }

  told(now: MonotonicMs): Standing | null {
    return this.#current(now)?.told ?? noStanding
  }

  /** At the next whole second, since it is told in those. */
  setDate(wallMs: number): void {
    const { clock } = this.#ports
    if (this.#daemon.kind === 'foreign') return
    const wallSeconds = Math.ceil(wallMs / 1e3)
    const at = after(clock.monotonicMs(), wallSeconds * 1e3 - wallMs)
    this.#cancelDate()
    this.#cancelDate = clock.runAt(at, () => void this.#tellDate(wallSeconds))
  }

  async #tellDate(wallSeconds: number): Promise<void> {
    const { daemon, log } = this.#ports
    if (this.#daemon.kind === 'foreign' || this.#isEnded) return
    const { version } = this.#daemon
    const local = this.#config.isLocalSource ? localDirective(strata.technician, version) : null
    try {
      await daemon.setDate(wallSeconds, local)
      await this.#read()
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      log.warn('wall.daemon-not-set', { error: messageOf(error) })
    }
  }

  #current(now: MonotonicMs): Reading | null {
    const reading = this.#reading
    return reading !== null && now - reading.at < READ_MS_MAX ? reading : null
  }

  async #begin(): Promise<void> {
    if (this.#isEnded) return
    const found = this.#daemon
    const { daemon, log } = this.#ports
    try {
      if (found.kind === 'installed') {
        this.#nts.begin(this.#known.isSystemRight())
        const isDateKnown = !this.#nts.isUnchecked
        const facts = { ...found, setsSystem: found.maySetSystem, isDateKnown }
        const render = chronyConfig.bind(null, this.#config, facts)
        await daemon.start(render, found.maySetSystem)
        // It was stopped while it started.
        if (this.#isEnded) return await daemon.stop()
        log.info('wall.daemon', { version: found.version.join('.'), sets: found.maySetSystem })
      }
      this.#begunAt = this.#ports.clock.monotonicMs()
      this.#trouble = null
      await this.#setOnline()
      await this.#read()
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#ended(messageOf(error))
    }
  }

  #ended(why: string): void {
    if (this.#isEnded) return
    const { clock, log } = this.#ports
    log.warn('wall.daemon-ended', { why })
    this.#trouble = `chronyd ended: ${why}`
    this.#cancelAgain()
    const now = clock.monotonicMs()
    if (this.#begunAt !== null && now - this.#begunAt > LASTED_MS) this.#againMs = AGAIN_MS_MIN
    this.#begunAt = null
    const at = after(now, this.#againMs)
    this.#cancelAgain = clock.runAt(at, () => void this.#begin())
    this.#againMs = Math.min(AGAIN_MS_MAX, 2 * this.#againMs)
  }

  /** A show that is armed is not moved by the internet; a leader of the venue is followed on, as all follow it. */
  async #setOnline(): Promise<void> {
    const hasInternet = this.#config.follow === null && this.#config.servers.length > 0
    if (this.#daemon.kind === 'foreign' || !hasInternet) return
    await this.#ask(this.#isFrozen ? 'offline' : 'online')
  }

  async #read(): Promise<void> {
    let reading = await this.#look()
    if (this.#mustStep(reading) && (await this.#ask('makestep')) !== null)
      reading = await this.#look()
    if (reading === null || this.#isEnded) return
    const verdict = this.#judge(reading)
    this.#reading = verdict === 'known' ? reading : { ...reading, tracking: null }
    if (verdict === 'ask-again') await this.#begin()
  }

  #judge({ tracking, systemMs }: Reading): NtsVerdict {
    if (tracking === null || !this.#nts.isUnchecked) return 'known'
    // Who is asked anew now would not be heard.
    if (this.#isFrozen) return 'doubtful'
    const { correctionMs } = tracking
    return this.#nts.judge(systemMs + correctionMs, correctionMs, this.#known.floorMs())
  }

  /** Slewing would take hours, and nothing relies on the date while no show is armed. */
  #mustStep(reading: Reading | null): boolean {
    const off = Math.abs(reading?.tracking?.correctionMs ?? 0)
    const maySet = this.#daemon.kind === 'installed' && this.#daemon.maySetSystem
    return maySet && !this.#isFrozen && off > STEP_MS
  }

  async #look(): Promise<Reading | null> {
    if (this.#isEnded) return null
    const { clock, timeline } = this.#ports
    const tracking = await this.#ask('tracking')
    const at = clock.monotonicMs()
    const systemMs = timeline.systemAt(at)
    const sources = await this.#ask('sources')
    const served = this.#config.serve === 'off' ? [] : await this.#ask('serverstats')
    const keys = this.#nts.isWanted ? await this.#ask('authdata') : []
    if (tracking === null || sources === null || served === null || keys === null) return null
    this.#nts.read(keys)
    return {
      at,
      systemMs,
      tracking: trackingIn(tracking),
      told: toldIn(tracking),
      sources: sourcesIn(sources),
      served: servedIn(served),
    }
  }

  /** Null when it does not answer, which is told. */
  async #ask(question: DaemonQuestion): Promise<readonly (readonly string[])[] | null> {
    try {
      const answer = await this.#ports.daemon.ask(question)
      this.#trouble = null
      return answer
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      if (!this.#isEnded) this.#trouble = messageOf(error)
      return null
    }
  }
}
