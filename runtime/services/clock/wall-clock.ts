/**
 * The date on this box: from whom it is taken, and what is told of it. It is never less than what is known to be past, and
 * nothing sets or slews it while a show is armed. The system's own date is chrony's to set, not this program's.
 */
import type { Bus } from '../../core/bus.js'
import { messageOf } from '../../core/errors.js'
import type { Service } from '../../core/lifecycle.js'
import { repeat } from '../../core/repeat.js'
import type { Cancel, Clock, MonotonicMs, WallTimeMs } from '../../ports/clock.js'
import type { DateKeepers } from '../../ports/date-keepers.js'
import type { Files } from '../../ports/files.js'
import type { Log } from '../../ports/log.js'
import type { WallTimeline } from '../../ports/wall-timeline.js'
import type { Messages, Payload } from '../../topics.js'
import { keepDate, readKept } from './wall/kept-date.js'
import { noStanding, type Standing } from './wall/ntp-server.js'
import { type KnownDate, noEngine, type TimeEngine } from './wall/time-engine.js'
import type { Served } from './wall/time-server.js'
import { type SetRefusal, WallDate } from './wall/wall-date.js'
import { wallState } from './wall/wall-state.js'

const TICK_MS = 1_000
const SAVE_EVERY_MS = 60_000
const COUNT_EVERY_MS = 10_000

interface Ports {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
  readonly files: Files
  readonly timeline: WallTimeline
  readonly keepers: DateKeepers
}

export interface WallClockOptions {
  /** It was later than that when this release was made. */
  readonly releasedMs: number
  /** Others may follow this box also when it does not know UTC. */
  readonly isLocalSource: boolean
  /** The date comes from a box of the venue. */
  readonly isFollower: boolean
  /** Changes at each boot of the machine. */
  readonly bootId: string
  /** @param served what it tells to others */
  readonly engine: (served: Served, known: KnownDate) => Promise<TimeEngine>
}

export class WallClock implements Service {
  readonly name = 'wall-clock'
  readonly #ports: Ports
  readonly #options: WallClockOptions
  #life: Life | null = null

  constructor(ports: Ports, options: WallClockOptions) {
    this.#ports = ports
    this.#options = options
  }

  async start(): Promise<void> {
    const { clock, files, log, timeline } = this.#ports
    const kept = await readKept(files, log)
    const at = clock.monotonicMs()
    const date = new WallDate(this.#options, at, timeline.systemAt(at), kept)
    timeline.followWall(date)
    const life = new Life(this.#ports, date)
    this.#life = life
    const known: KnownDate = {
      floorMs: () => date.floorMs,
      isSystemRight: () => date.isSystemRight(clock.monotonicMs()),
    }
    await life.begin(() => this.#options.engine(life, known))
  }

  async stop(): Promise<void> {
    const life = this.#life
    this.#life = null
    await life?.end()
  }

  /** Something that was signed says that it is later than that. */
  atLeast(wallMs: number): void {
    this.#life?.atLeast(wallMs)
  }
}

/** From one start to the next stop. */
class Life implements Served {
  readonly #ports: Ports
  readonly #date: WallDate
  readonly #cancels: Cancel[] = []
  #engine: TimeEngine = noEngine
  #starting: Promise<void> = Promise.resolve()
  #isEnded = false
  #standing: Standing = noStanding
  #servedBefore = 0
  #servedPerSecond = 0
  #servedAt: MonotonicMs
  #told: Pick<Payload<'clock/wall'>, 'source' | 'isUtcKnown'> | null = null

  constructor(ports: Ports, date: WallDate) {
    this.#ports = ports
    this.#date = date
    this.#servedAt = ports.clock.monotonicMs()
  }

  async begin(makeEngine: () => Promise<TimeEngine>): Promise<void> {
    const { clock, bus, keepers } = this.#ports
    await this.#look()
    const rtcMs = await keepers.rtcMs()
    if (rtcMs !== null) this.#date.hearRtc(clock.monotonicMs(), rtcMs)
    this.#cancels.push(
      repeat(clock, TICK_MS, () => this.#tick()),
      repeat(clock, SAVE_EVERY_MS, () => this.#save()),
      bus.subscribe('show/state', ({ isArmed }) => this.#freeze(isArmed)),
      bus.subscribe('clock/set-requested', asked => this.#set(asked)),
    )
    this.#steerAndTell()
    // Nobody in the dark waits for a date.
    this.#starting = this.#startEngine(makeEngine)
  }

  async end(): Promise<void> {
    this.#isEnded = true
    for (const cancel of this.#cancels.splice(0)) cancel()
    // First of all: what is still being started is then not waited for.
    await this.#engine.stop()
    await this.#starting
    await this.#save()
  }

  async #startEngine(makeEngine: () => Promise<TimeEngine>): Promise<void> {
    const engine = await makeEngine()
    if (this.#isEnded) return
    this.#engine = engine
    this.#ports.log.info('wall.engine', { engine: engine.kind })
    if (this.#date.isFrozen) engine.freeze(true)
    await engine.start()
    if (!this.#isEnded) this.#steerAndTell()
  }

  wallAt(at: MonotonicMs): WallTimeMs {
    return this.#date.wallAt(at)
  }

  standingAt(): Standing {
    return this.#standing
  }

  atLeast(wallMs: number): void {
    const { clock, log } = this.#ports
    if (this.#date.raiseFloor(clock.monotonicMs(), wallMs)) log.info('wall.later', { wallMs })
    this.#steerAndTell()
  }

  async #tick(): Promise<void> {
    await this.#look()
    this.#steerAndTell()
  }

  async #look(): Promise<void> {
    const { keepers, clock, timeline } = this.#ports
    const systemErrorMs = await keepers.systemErrorMs()
    const now = clock.monotonicMs()
    this.#date.look(now, timeline.systemAt(now), systemErrorMs)
  }

  #steerAndTell(): void {
    const { clock, bus, log } = this.#ports
    const engine = this.#engine
    const now = clock.monotonicMs()
    const date = this.#date
    const byMs = date.steer(now, engine.found(now, date.ratePpm), engine)
    if (byMs !== null) log.info('wall.set', { byMs, source: date.trustAt(now).source })
    this.#standing = date.standingAt(now)
    const state = wallState(date, engine, now, this.#countServed(engine, now))
    const { source, isUtcKnown } = state
    if (source !== this.#told?.source || isUtcKnown !== this.#told.isUtcKnown)
      log.info('wall.source', { source, isUtcKnown })
    this.#told = state
    bus.publish('clock/wall', state)
  }

  #countServed({ served }: TimeEngine, now: MonotonicMs): number | null {
    if (served === null) return null
    const elapsedMs = now - this.#servedAt
    if (elapsedMs >= COUNT_EVERY_MS) {
      this.#servedPerSecond = Math.max(0, ((served - this.#servedBefore) / elapsedMs) * 1_000)
      this.#servedBefore = served
      this.#servedAt = now
    }
    return Math.round(this.#servedPerSecond * 10) / 10
  }

  #freeze(isFrozen: boolean): void {
    if (isFrozen === this.#date.isFrozen) return
    this.#date.freeze(this.#ports.clock.monotonicMs(), isFrozen)
    this.#engine.freeze(isFrozen)
    this.#steerAndTell()
  }

  #set({ id, wallMs, origin }: Payload<'clock/set-requested'>): void {
    const { clock, bus, log } = this.#ports
    const refusal: SetRefusal | null = this.#date.setByHand(clock.monotonicMs(), wallMs)
    log.info('wall.set-by-hand', { wallMs, isAccepted: refusal === null })
    const answer = refusal ?? { code: null, message: null }
    bus.publish('clock/set-answered', { id, origin, isAccepted: refusal === null, ...answer })
    this.#steerAndTell()
    if (refusal !== null) return
    this.#engine.setDate(wallMs)
    void this.#save()
  }

  async #save(): Promise<void> {
    const { clock, files, log } = this.#ports
    try {
      await keepDate(files, this.#date.keptAt(clock.monotonicMs()))
    } catch (error) {
      log.warn('wall.not-saved', { error: messageOf(error) })
    }
  }
}
