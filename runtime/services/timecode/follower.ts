/**
 * Follows the source that box.json names: keeps it open, says where it is, and tells ahead which of the awaited positions
 * it comes to.
 */
import type { Bus } from '../../core/bus.js'
import type { Door } from '../../core/door.js'
import { repeat } from '../../core/repeat.js'
import { after } from '../../core/time.js'
import { frameOfDay, nsOfFrame, type TimecodeRate, timecodeText } from '../../core/timecode.js'
import type { TimecodeSourceConfig } from '../../core/timecode-config.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { Messages, Payload } from '../../topics.js'
import { Chase, type ChaseState, frameAt, momentOf, type Run } from './chase.js'
import { doorTo } from './door.js'
import { Passing } from './passing.js'
import type { Sighting } from './sighting.js'
import { earlierBy, type Source } from './source.js'
import { SparingLog } from './sparing-log.js'

/** Between looks; the positions until the next one, and then some, are told before. */
const LOOK_MS = 20
/** Positions that a source was found behind by less are still told. */
const JUST_PASSED_MS = 250

export interface FollowerPorts {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
}

/** What the state of the box says of the source. */
export type Followed = Omit<Payload<'timecode/state'>, 'source' | 'outputs'>

export class Follower {
  readonly #ports: FollowerPorts
  readonly #source: Source
  readonly #config: TimecodeSourceConfig
  readonly #door: Door
  readonly #chase: Chase
  readonly #passing: Passing
  readonly #log: SparingLog
  readonly #cancels: Cancel[] = []
  /** At which it was said what is never passed. */
  readonly #toldRates = new Set<TimecodeRate>()
  #state: ChaseState = 'none'
  #jumpCount = 0

  /** @param positions what triggers wait for */
  constructor(
    ports: FollowerPorts,
    source: Source,
    config: TimecodeSourceConfig,
    positions: readonly string[],
  ) {
    this.#ports = ports
    this.#source = source
    this.#config = config
    this.#door = doorTo(ports.clock, ports.log, config.kind, source)
    this.#chase = new Chase(config)
    this.#passing = new Passing(positions)
    this.#log = new SparingLog(ports.clock, ports.log)
  }

  start(): void {
    const { clock } = this.#ports
    this.#cancels.push(
      this.#source.onSighting(sighting => this.#see(sighting)),
      this.#source.onLost(why => this.#door.lose(why)),
      repeat(clock, LOOK_MS, async () => this.#look()),
    )
    this.#door.open()
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    await this.#door.close()
  }

  read(): Followed {
    const now = this.#ports.clock.monotonicMs()
    const state = this.#chase.state(now)
    const { run } = this.#chase
    return {
      state,
      isRunning: run !== null,
      ...this.#whereabouts(run),
      lostCount: this.#chase.lostCount,
      jumpCount: this.#jumpCount,
      trouble: this.#door.trouble,
    }
  }

  #whereabouts(
    run: Run | null,
  ): Pick<Followed, 'rate' | 'position' | 'positionShowMs' | 'speed' | 'jitterMs'> {
    if (run === null)
      return { rate: null, position: null, positionShowMs: null, speed: null, jitterMs: null }
    const { clock } = this.#ports
    const { rate, line } = run
    const frame = Math.floor(frameAt(run, clock.monotonicMs()))
    return {
      rate,
      position: timecodeText(frameOfDay(frame, rate), rate),
      positionShowMs: clock.monotonicToShow(momentOf(run, frame)),
      speed: line.speed,
      jitterMs: line.jitterMs,
    }
  }

  #see(sighting: Sighting): void {
    const jump = this.#chase.see(earlierBy(sighting, this.#config.latencyMs))
    if (jump !== null) {
      this.#jumpCount++
      const { rate } = sighting
      const [from, to] = [jump.fromFrame, jump.toFrame].map(frame =>
        timecodeText(frameOfDay(Math.round(frame), rate), rate),
      )
      const byMs = (nsOfFrame(jump.toFrame, rate) - nsOfFrame(jump.fromFrame, rate)) / 1e6
      this.#log.info('timecode.jumped', { from, to, byMs })
    }
    this.#look()
  }

  #look(): void {
    const { clock, bus } = this.#ports
    const now = clock.monotonicMs()
    const state = this.#chase.state(now)
    if (state !== this.#state) this.#log.info('timecode.state', { state, before: this.#state })
    this.#state = state
    const { run } = this.#chase
    if (run === null) return
    this.#tellAbsent(run)
    const until = after(now, this.#config.aheadMs + LOOK_MS)
    for (const { position, at } of this.#passing.next(run, after(now, -JUST_PASSED_MS), until))
      bus.publish('timecode/passed', { position, atShowMs: clock.monotonicToShow(at) })
  }

  /** Once for each rate: a show that waits for what never comes was written for another one. */
  #tellAbsent({ rate }: Run): void {
    if (this.#toldRates.has(rate)) return
    this.#toldRates.add(rate)
    const positions = this.#passing.absent(rate)
    if (positions.length > 0) this.#ports.log.warn('timecode.no-such-frame', { rate, positions })
  }
}
