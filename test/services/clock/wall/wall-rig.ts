/** A simulated internet with time servers, and boxes with crystals of their own that ask them. */
import { SimulatedClock } from '../../../../drivers/simulated/clock.js'
import { SimulatedDateKeepers } from '../../../../drivers/simulated/date-keepers.js'
import { SimulatedFiles } from '../../../../drivers/simulated/files.js'
import { SimulatedKeys } from '../../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../../drivers/simulated/log.js'
import {
  SimulatedInternet,
  SimulatedNtpNetwork,
} from '../../../../drivers/simulated/ntp-network.js'
import { Bus } from '../../../../runtime/core/bus.js'
import { randomFrom } from '../../../../runtime/core/random.js'
import { check } from '../../../../runtime/core/schema.js'
import { wallTimeMs } from '../../../../runtime/core/time.js'
import type { Files } from '../../../../runtime/ports/files.js'
import type { WallMapping } from '../../../../runtime/ports/wall-timeline.js'
import { EmbeddedTime } from '../../../../runtime/services/clock/wall/embedded-time.js'
import { networkOf } from '../../../../runtime/services/clock/wall/networks.js'
import { referenceOf } from '../../../../runtime/services/clock/wall/ntp-packet.js'
import type { Standing } from '../../../../runtime/services/clock/wall/ntp-server.js'
import type { TimeEngine } from '../../../../runtime/services/clock/wall/time-engine.js'
import { TimeServer } from '../../../../runtime/services/clock/wall/time-server.js'
import { WallClock } from '../../../../runtime/services/clock/wall-clock.js'
import { type Messages, type Payload, topics } from '../../../../runtime/topics.js'
import { arm } from '../../arm.js'
import { OscillatorClock } from '../oscillator-clock.js'

export const TRUTH_MS = Date.UTC(2026, 11, 24, 18)
export const RELEASED_MS = Date.UTC(2026, 10, 22)
const CHECKED_EVERY = 50
const STATES_MAX = 100
const EVERYBODY = [networkOf('0.0.0.0/0') ?? { first: 0, last: 0 }]
const UNLIMITED = { questionsPerSecond: 1_000, burst: 1_000, clientsMax: 100 }

export type WallState = Payload<'clock/wall'>

interface ServerOptions {
  /** Its date less the true one, at a moment of true time. */
  readonly aheadMs?: (trueMs: number) => number
  readonly standing?: Partial<Standing>
  readonly questionsPerSecond?: number
  readonly isDenying?: boolean
}

export interface BoxOptions {
  readonly ppm?: number
  /** Of the system's date: that of a machine without a battery is far back. */
  readonly systemAheadMs?: number
  readonly hosts?: readonly string[]
  readonly follow?: string
  readonly isServing?: boolean
  readonly isLocalSource?: boolean
  readonly files?: Files
  readonly engine?: TimeEngine
  readonly bootId?: string
}

export class World {
  readonly truth = new SimulatedClock({ showStartMs: TRUTH_MS, driftPpm: 0 })
  readonly random = randomFrom(123)
  readonly internet = new SimulatedInternet(this.truth, () => 10 + 2 * this.random())
  readonly servers = new Map<string, TimeServer>()
  #boxCount = 0

  get trueMs(): number {
    return TRUTH_MS + this.truth.monotonicMs()
  }

  async serve(address: string, options: ServerOptions = {}): Promise<TimeServer> {
    const { aheadMs = () => 0, standing = {}, isDenying = false } = options
    const all: Standing = {
      leap: 0,
      stratum: 1,
      rootDelayMs: 0,
      rootDispersionMs: 0.1,
      referenceId: referenceOf('GPS'),
      referenceWallMs: TRUTH_MS,
      ...standing,
    }
    const server = new TimeServer(
      this.truth,
      new SimulatedNtpNetwork(this.truth, this.internet, address),
      { wallAt: at => wallTimeMs(TRUTH_MS + at + aheadMs(at)), standingAt: () => all },
      {
        ...UNLIMITED,
        questionsPerSecond: options.questionsPerSecond ?? UNLIMITED.questionsPerSecond,
        burst: options.questionsPerSecond ?? UNLIMITED.burst,
        at: { address: '0.0.0.0', port: 123 },
        allowed: isDenying ? [] : EVERYBODY,
      },
    )
    await server.open()
    this.servers.set(address, server)
    return server
  }

  box(options: BoxOptions = {}): WallBox {
    return new WallBox(this, ++this.#boxCount, options)
  }
}

export class WallBox {
  readonly clock: OscillatorClock
  readonly network: SimulatedNtpNetwork
  readonly log = new SimulatedLog()
  readonly bus = new Bus<Messages>()
  readonly keepers = new SimulatedDateKeepers()
  readonly service: WallClock
  /** As the topic's schema let them pass. */
  readonly states: WallState[] = []
  readonly answers: Payload<'clock/set-answered'>[] = []
  readonly #world: World
  #toldCount = 0
  #systemAheadMs: number
  #mapping: WallMapping | null = null

  constructor(world: World, index: number, options: BoxOptions) {
    this.#world = world
    this.#systemAheadMs = options.systemAheadMs ?? 0
    const upMs = index * 1_000
    const oscillator = { ppm: options.ppm ?? 0, upMs, showStartMs: 0, wallAheadMs: 0 }
    this.clock = new OscillatorClock(world.truth, oscillator)
    this.network = new SimulatedNtpNetwork(this.clock, world.internet, `10.77.0.${index}`)
    this.bus.subscribe('clock/wall', state => {
      // Each of them would cost more than the rest of a simulated day.
      const isChecked = ++this.#toldCount % CHECKED_EVERY < 2
      this.states.push(isChecked ? check(topics['clock/wall'].payload, state, 'clock/wall') : state)
      if (this.states.length > STATES_MAX) this.states.shift()
    })
    this.bus.subscribe('clock/set-answered', answer => {
      this.answers.push(check(topics['clock/set-answered'].payload, answer, 'answer'))
    })
    const { hosts = [], follow = null, isServing = false, files = new SimulatedFiles() } = options
    const asked = follow === null ? hosts : [follow]
    const { clock, log, bus, network, keepers } = this
    this.service = new WallClock(
      {
        clock,
        log,
        bus,
        files,
        keepers,
        timeline: {
          systemAt: at => wallTimeMs(TRUTH_MS + at - upMs + this.#systemAheadMs),
          followWall: mapping => {
            this.#mapping = mapping
          },
        },
      },
      {
        releasedMs: RELEASED_MS,
        isLocalSource: options.isLocalSource ?? false,
        isFollower: follow !== null,
        bootId: options.bootId ?? `boot-${index}`,
        engine: async (served, { floorMs }) =>
          options.engine ??
          new EmbeddedTime({ clock, log, network, keys: new SimulatedKeys(world.random) }, served, {
            asker: {
              hosts: asked.map(host => ({
                host,
                port: 123,
                isPool: false,
                isLeader: follow !== null,
              })),
              random: world.random,
              floorMs,
            },
            server: isServing
              ? { ...UNLIMITED, at: { address: '0.0.0.0', port: 123 }, allowed: EVERYBODY }
              : null,
          }),
      },
    )
  }

  get state(): WallState {
    const state = this.states.at(-1)
    if (state === undefined) throw new Error('nothing was told')
    return state
  }

  get shownMs(): number {
    if (this.#mapping === null) throw new Error('nothing is followed')
    return this.#mapping.wallAt(this.clock.monotonicMs())
  }

  /** What is shown less the true date. */
  get errorMs(): number {
    return this.shownMs - this.#world.trueMs
  }

  setSystem(aheadMs: number): void {
    this.#systemAheadMs = aheadMs
  }

  arm(isArmed: boolean): void {
    arm(this.bus, isArmed)
  }

  set(wallMs: number): Payload<'clock/set-answered'> | undefined {
    const id = `set-${this.answers.length}`
    this.bus.publish('clock/set-requested', { id, wallMs, origin: 'test' })
    return this.answers.at(-1)
  }
}
