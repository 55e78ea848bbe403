import type { AddressInfo } from 'node:net'
import { type FastifyInstance, fastify } from 'fastify'
import type { PageConfig } from '../../config.js'
import type { Bus } from '../../core/bus.js'
import { BoxError } from '../../core/errors.js'
import type { Service } from '../../core/lifecycle.js'
import type { LogLine } from '../../core/log-line.js'
import { repeat } from '../../core/repeat.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Keys } from '../../ports/keys.js'
import type { Log } from '../../ports/log.js'
import type { Messages } from '../../topics.js'
import { Access, checkOperatorToken } from './access.js'
import type { BoxSnapshot, ShowDescription } from './api.js'
import { loadAssets } from './assets.js'
import { CommandDesk } from './command-desk.js'
import { EventStreams } from './event-streams.js'
import { FailureLimit } from './failure-limit.js'
import { metricsText } from './metrics.js'
import type { Mirror } from './mirror.js'
import { openApiText } from './open-api.js'
import { PrintDesk } from './print-desk.js'
import { addRoutes } from './routes.js'
import {
  apiLine,
  type ClockSource,
  type HistorySource,
  type JobSource,
  type LogSource,
  linesAfter,
  type SimulatedBoard,
} from './sources.js'
import { WallDesk } from './wall-desk.js'

const BODY_BYTES_MAX = 16 * 1024
const HEADER_BYTES_MAX = 16 * 1024
const HEADERS_MS_MAX = 5_000
const REQUEST_MS_MAX = 10_000
const CHECK_MS = 1_000
const CONNECTIONS_MAX = 128
const BEAT_MS = 5_000
const LINES_MS = 100
const LOGS_MS = 500

export interface PagePorts {
  readonly clock: Clock
  readonly keys: Keys
  readonly log: Log
  readonly bus: Bus<Messages>
  /** Started before the services, so that it knows what they said before the page opened. */
  readonly mirror: Mirror
}

export interface PageOptions {
  readonly config: PageConfig
  /** Folder of index.html and what belongs to it. */
  readonly assetsFolder: string
  /** What proves an operator; at least 20 characters. */
  readonly operatorToken: string
  /** Names of the box in the venue's network, in lower case: `lobby.local`. Addresses are always welcome. */
  readonly hostNames: readonly string[]
  readonly board: { readonly name: string; readonly title: string }
  readonly show: ShowDescription | null
  readonly simulated: SimulatedBoard | null
  readonly logs: LogSource | null
  /** Null where the box has no printer. */
  readonly jobs: JobSource | null
  /** Null where it does not know what it runs on. */
  readonly history: HistorySource | null
  readonly clock: ClockSource
}

/** The box's own page and HTTP interface. Readable by everyone on this machine, operated with the operator token. */
export class PageGateway implements Service {
  readonly name = 'page'
  readonly #ports: PagePorts
  readonly #options: PageOptions
  readonly #streams: EventStreams
  readonly #desk: CommandDesk
  readonly #printDesk: PrintDesk
  readonly #wallDesk: WallDesk
  #app: FastifyInstance | null = null
  #cancels: Cancel[] = []
  #linesShown = ''
  #lastLogLine: LogLine | undefined

  constructor(ports: PagePorts, options: PageOptions) {
    this.#ports = ports
    this.#options = options
    this.#streams = new EventStreams(ports.clock, () => ports.log.warn('page.reader-dropped'))
    this.#desk = new CommandDesk(ports.clock, ports.keys, ports.bus)
    this.#printDesk = new PrintDesk(ports.clock, ports.keys, ports.bus)
    this.#wallDesk = new WallDesk(ports.clock, ports.keys, ports.bus)
  }

  /** Where it listens; 0 while it does not. */
  get port(): number {
    const address = this.#app?.server.address() ?? null
    return isAddress(address) ? address.port : 0
  }

  /** For programs and people on this machine, e.g. `http://127.0.0.1:8080`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** @throws BoxError `port.taken`, `storage.io`; ConfigError when the operator token is too short. */
  async start(): Promise<void> {
    checkOperatorToken(this.#options.operatorToken)
    const assets = await loadAssets(this.#options.assetsFolder)
    const { clock, log } = this.#ports
    const app = fastify({
      bodyLimit: BODY_BYTES_MAX,
      requestTimeout: REQUEST_MS_MAX,
      forceCloseConnections: true,
      routerOptions: { maxParamLength: 64 },
      // Bodies are checked by our own schemas: a quarter of all modules at the start were compilers that nobody calls.
      schemaController: {
        compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler },
      },
      http: {
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout: HEADERS_MS_MAX,
        // The limits of time are only looked at so often.
        connectionsCheckingInterval: CHECK_MS,
      },
    })
    app.server.maxConnections = CONNECTIONS_MAX
    this.#app = app
    addRoutes(app, {
      log,
      openApi: openApiText(),
      assets,
      access: new Access({ ...this.#options, reach: this.#options.config.reach }),
      failures: new FailureLimit(clock),
      streams: this.#streams,
      desk: this.#desk,
      printDesk: this.#printDesk,
      wallDesk: this.#wallDesk,
      jobs: this.#options.jobs,
      history: this.#options.history,
      clock: {
        source: this.#options.clock,
        state: () => this.#ports.mirror.state('clock/state'),
        house: () => this.#ports.mirror.state('clock/house'),
      },
      ota: {
        bus: this.#ports.bus,
        clock,
        mirror: this.#ports.mirror,
        board: this.#options.board.name,
      },
      wallMs: () => clock.wallTimeMs(),
      simulated: this.#options.simulated,
      logs: this.#options.logs,
      healthState: () => this.#ports.mirror.state('box/availability')?.state ?? 'init',
      snapshot: isOperator => this.#snapshot(isOperator),
      lateCues: () => [...this.#ports.mirror.lateCues()],
      metrics: () => this.#metrics(),
      inputNames: () => this.#inputNames(),
      port: () => this.port,
      now: () => clock.monotonicMs(),
    })
    this.#desk.open()
    this.#printDesk.open()
    this.#wallDesk.open()
    this.#lastLogLine = this.#options.logs?.recent().at(-1)
    this.#follow()
    await this.#listen(app)
    log.info('page.listening', { port: this.port, reach: this.#options.config.reach })
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel()
    this.#cancels = []
    this.#desk.close()
    this.#printDesk.close()
    this.#wallDesk.close()
    this.#streams.close()
    const app = this.#app
    this.#app = null
    await app?.close()
  }

  async #listen(app: FastifyInstance): Promise<void> {
    const { port, reach } = this.#options.config
    const host = reach === 'loopback' ? '127.0.0.1' : '0.0.0.0'
    try {
      await app.listen({ port, host })
    } catch (cause) {
      throw new BoxError('port.taken', `the page cannot listen on ${host}:${port}`, { cause })
    }
  }

  #follow(): void {
    const { clock, mirror } = this.#ports
    const { logs, simulated } = this.#options
    this.#cancels.push(
      mirror.changed.listen(({ topic, key, wallMs, payload }) =>
        this.#streams.publish(topic, key, { wallMs, payload }),
      ),
      repeat(clock, BEAT_MS, async () => this.#streams.beat()),
    )
    if (logs) this.#cancels.push(repeat(clock, LOGS_MS, async () => this.#sendLogLines(logs)))
    if (simulated)
      this.#cancels.push(repeat(clock, LINES_MS, async () => this.#sendLines(simulated)))
  }

  #sendLines(simulated: SimulatedBoard): void {
    if (this.#streams.clientCount === 0) return
    const lines = simulated.lines()
    const shown = JSON.stringify(lines)
    if (shown === this.#linesShown) return
    this.#linesShown = shown
    this.#streams.publish('lines', 'lines', {
      wallMs: this.#ports.clock.wallTimeMs(),
      payload: { lines },
    })
  }

  #sendLogLines(logs: LogSource): void {
    const lines = logs.recent()
    for (const line of linesAfter(lines, this.#lastLogLine))
      this.#streams.publish('log', null, { wallMs: line.at, payload: apiLine(line) })
    this.#lastLogLine = lines.at(-1)
  }

  #metrics(): string {
    const { mirror } = this.#ports
    return metricsText({
      availability: mirror.state('box/availability'),
      info: mirror.state('box/info'),
      power: mirror.state('power/state'),
      batteries: mirror.batteries(),
      printers: mirror.printers(),
      lateness: mirror.state('cue/late'),
      lateCues: mirror.lateCues(),
      show: mirror.state('show/state'),
      telemetry: mirror.state('telemetry/state'),
      devices: mirror.devices(),
      broker: mirror.state('broker/state'),
      clock: mirror.state('clock/state'),
      wall: mirror.state('clock/wall'),
    })
  }

  #inputNames(): readonly string[] {
    const { mirror } = this.#ports
    const known = mirror.state('box/info')?.devices ?? []
    return [...known, ...mirror.devices()]
      .filter(device => device.kind === 'input')
      .map(device => device.device)
  }

  #snapshot(isOperator: boolean): BoxSnapshot {
    const { clock, mirror } = this.#ports
    const { board, show, simulated } = this.#options
    return {
      wallMs: clock.wallTimeMs(),
      isOperator,
      board: { name: board.name, title: board.title },
      show,
      availability: mirror.state('box/availability'),
      info: mirror.state('box/info'),
      showState: mirror.state('show/state'),
      late: mirror.state('cue/late'),
      telemetry: mirror.state('telemetry/state'),
      broker: mirror.state('broker/state'),
      clock: mirror.state('clock/state'),
      wall: mirror.state('clock/wall'),
      power: mirror.state('power/state'),
      timecode: mirror.state('timecode/state'),
      venue: mirror.state('venue/state'),
      ota: mirror.state('ota/state'),
      batteries: [...mirror.batteries()],
      printers: [...mirror.printers()],
      devices: [...mirror.devices()],
      ...mirror.sample(),
      lines: simulated === null ? null : [...simulated.lines()],
      recent: [...mirror.recent()],
    }
  }
}

const isAddress = (address: AddressInfo | string | null): address is AddressInfo =>
  typeof address === 'object' && address !== null

function noCompiler(): never {
  throw new Error('a route has a schema of its own: check its body by a schema of ours')
}
