/** The running box as the updater sees it: over HTTP on this machine, by what the box wrote into its state folder. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readControl } from '../../runtime/cli/control.js'
import { CliFailure } from '../../runtime/cli/failure.js'
import { exchange } from '../../runtime/cli/http-exchange.js'
import { BoxError, ConfigError } from '../../runtime/core/errors.js'
import { check, type Of, object, string } from '../../runtime/core/schema.js'
import {
  type BoxSnapshot,
  type OtaAnswer,
  otaAnswer,
  stateAnswer,
} from '../../runtime/gateways/page/api.js'
import { hearsBroker } from '../../runtime/gateways/peers/broker-echo.js'
import type { BoxApi, BoxReport } from '../../runtime/ports/box-api.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { BoxView } from '../updater/criteria.js'
import type { OtaState } from '../updater/parts.js'

const TIMEOUT_MS = 3_000
const ECHO_MS = 3_000
/** Half a minute apart two boxes' clocks are of no use to a show. */
const CLOCK_ERROR_MS_MAX = 1_000

const login = object({ username: string({ max: 64 }), password: string({ max: 128 }) }).loose()
export type Login = Of<typeof login>

/** Several starts of a slow box. */
const SILENT_MS = 60_000

export interface BoxDoorOptions {
  readonly stateFolder: string
  readonly tour: string
  readonly box: string
}

export class BoxDoor implements BoxApi {
  readonly #clock: Clock
  readonly #options: BoxDoorOptions
  #answer: OtaAnswer | null = null
  #answeredMs = Number.NEGATIVE_INFINITY
  /** Of the last real answer; before the first, of the start. */
  #heardMs: number

  constructor(clock: Clock, options: BoxDoorOptions) {
    this.#clock = clock
    this.#options = options
    this.#heardMs = clock.monotonicMs()
  }

  /** What the box answered last, if that was within `ageMsMax`. */
  answer(ageMsMax: number): OtaAnswer | null {
    return this.#clock.monotonicMs() - this.#answeredMs <= ageMsMax ? this.#answer : null
  }

  /** For people; null while the box is well, or is just being started. */
  silence(): string | null {
    const silentMs = this.#clock.monotonicMs() - this.#heardMs
    if (silentMs < SILENT_MS) return null
    const minutes = Math.floor(silentMs / 60_000)
    return `the box has not answered for ${minutes} min: if it is started again and again, its log says why`
  }

  /** Tells how the updater stands, and hears how the box does. Null while the box cannot be reached. */
  async tell(state: OtaState): Promise<OtaAnswer | null> {
    try {
      const { url, token } = await readControl(this.#options.stateFolder)
      const reply = await exchange({
        method: 'POST',
        url: `${url}/api/ota`,
        token,
        body: state,
        timeoutMs: TIMEOUT_MS,
      })
      this.#answer = reply.status === 200 ? check(otaAnswer, reply.body, 'answer') : null
    } catch (error) {
      if (!isUnreachable(error)) throw error
      this.#answer = null
    }
    this.#answeredMs = this.#clock.monotonicMs()
    if (this.#answer !== null) this.#heardMs = this.#answeredMs
    return this.#answer
  }

  async report(): Promise<BoxReport> {
    const { url, token, mqttPort } = await this.#control()
    const reply = await exchange({
      method: 'GET',
      url: `${url}/api/state`,
      token,
      body: null,
      timeoutMs: TIMEOUT_MS,
    }).catch((cause: unknown) => {
      throw new BoxError('link.down', 'the box does not answer', { cause })
    })
    const state = check(stateAnswer, reply.body, 'state')
    const topic = echoTopic(state.info ?? this.#options)
    return reportOf(state, mqttPort === null ? null : await this.#hearsBroker(mqttPort, topic))
  }

  /** The account that the box made for whoever operates it. @throws BoxError `link.down` before its first start */
  async login(): Promise<Login> {
    try {
      const text = await readFile(join(this.#options.stateFolder, 'operator.json'), 'utf8')
      return check(login, JSON.parse(text), 'operator')
    } catch (cause) {
      throw new BoxError('link.down', 'the box has no account yet', { cause })
    }
  }

  async mqttPort(): Promise<number | null> {
    return (await this.#control()).mqttPort
  }

  async #hearsBroker(port: number, topic: string): Promise<boolean> {
    return hearsBroker(this.#clock, { port, topic, ...(await this.login()) }, ECHO_MS)
  }

  #control(): ReturnType<typeof readControl> {
    return readControl(this.#options.stateFolder).catch((cause: unknown) => {
      throw new BoxError('link.down', 'the box is not there', { cause })
    })
  }
}

/** By the name that the box has in box.json: a tour that is another one in ota.json is no fault of a release. */
export const echoTopic = ({ tour, box }: { readonly tour: string; readonly box: string }): string =>
  `vb/${tour}/${box}/ota`

export const viewOf = ({ board, isReady, isUtcKnown, show, power }: OtaAnswer): BoxView => ({
  board,
  isReady,
  isUtcKnown,
  isArmed: show?.isArmed ?? false,
  isPanic: show?.isPanic ?? false,
  runningCues: show?.runningCues ?? 0,
  power,
})

function reportOf(state: BoxSnapshot, isBrokerLooping: boolean | null): BoxReport {
  const { clock, venue } = state
  return {
    isReady: state.availability?.state === 'ready',
    devices: state.devices.map(device => ({
      name: device.device,
      isAnswering: device.state === 'ready',
      problem: device.code === null ? null : `${device.code}: ${device.message ?? ''}`,
    })),
    isBrokerLooping,
    clock: clock && {
      isSound: clock.state === 'alone' || clock.errorMs <= CLOCK_ERROR_MS_MAX,
      words: `${clock.state}, ${Math.round(clock.errorMs)} ms`,
    },
    peersHeard: venue === null || venue.role === 'alone' ? null : venue.members.length - 1,
    isHubSeen: null,
  }
}

/** The box is being started, stopped, or is broken: it is asked again. */
const isUnreachable = (error: unknown): boolean =>
  error instanceof CliFailure ||
  error instanceof ConfigError ||
  (error instanceof Error && 'code' in error)
