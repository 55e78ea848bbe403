/**
 * A read-only server of the Network UPS Tools protocol: `upsc`, upsmon, Home Assistant and storage boxes read the box's
 * power as if it were a UPS. Nothing can be changed through it.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { PowerConfig } from '../../config.js'
import type { Bus } from '../../core/bus.js'
import { BoxError } from '../../core/errors.js'
import type { Service } from '../../core/lifecycle.js'
import { repeat } from '../../core/repeat.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { Messages, Payload } from '../../topics.js'
import { ConnectionGate } from '../broker/connection-gate.js'
import { addressOf } from '../broker/listeners.js'
import type { NutView } from './nut-answers.js'
import { NutSession } from './nut-session.js'
import { type NutFacts, nutVariables } from './nut-variables.js'

const CONNECTIONS_MAX = 16
/** Of one machine in the venue, so that none keeps the others out. */
const PER_ADDRESS_MAX = 8
const CHECK_MS = 1_000
const TELL_EVERY_MS = 60_000

export interface NutServerOptions {
  /** The name of the box, and of the UPS: `upsc lobby@localhost`. */
  readonly box: string
  /** Of the computer, for people. */
  readonly model: string
  readonly version: string
  readonly power: PowerConfig
  readonly listen: NonNullable<PowerConfig['nut']>
}

export class NutServer implements Service {
  readonly name = 'nut'
  readonly #clock: Clock
  readonly #log: Log
  readonly #bus: Bus<Messages>
  readonly #options: NutServerOptions
  readonly #facts: NutFacts
  readonly #gate: ConnectionGate
  readonly #sessions = new Set<NutSession>()
  readonly #packs = new Map<string, Payload<'battery/state'>>()
  #power: Payload<'power/state'> | null = null
  #server: Server | null = null
  #cancels: readonly Cancel[] = []
  #refusals = 0
  #tellAgainAt: MonotonicMs

  constructor(clock: Clock, log: Log, bus: Bus<Messages>, options: NutServerOptions) {
    this.#clock = clock
    this.#log = log
    this.#bus = bus
    this.#options = options
    this.#facts = factsOf(options)
    const isVenue = options.listen.reach === 'venue'
    const perAddressMax = isVenue ? PER_ADDRESS_MAX : CONNECTIONS_MAX
    this.#gate = new ConnectionGate(
      { totalMax: CONNECTIONS_MAX, perAddressMax },
      (address, reason) => this.#noteRefused(address, reason),
    )
    this.#tellAgainAt = clock.monotonicMs()
  }

  /** Where it listens; 0 while it does not. */
  get port(): number {
    const address = this.#server?.address() ?? null
    return isAddress(address) ? address.port : 0
  }

  /** @throws BoxError `port.taken` */
  async start(): Promise<void> {
    this.#cancels = [
      this.#bus.subscribe('power/state', power => {
        this.#power = power
      }),
      this.#bus.subscribe('battery/state', pack => void this.#packs.set(pack.pack, pack)),
      repeat(this.#clock, CHECK_MS, async () => {
        for (const session of this.#sessions) session.checkIdle()
      }),
    ]
    const { port, reach } = this.#options.listen
    this.#server = await listen(port, reach === 'venue' ? null : '127.0.0.1', this.#ports())
    this.#log.info('nut.listening', { port: this.port, reach, ups: this.#options.box })
  }

  /** Safe to call twice, and after a failed start. */
  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel()
    this.#cancels = []
    const server = this.#server
    this.#server = null
    const closed = server && new Promise<void>(resolve => server.close(() => resolve()))
    for (const session of this.#sessions) session.close()
    this.#gate.closeAll()
    await closed
  }

  #ports(): ListenPorts {
    return {
      onSocket: socket => this.#welcome(socket),
      onError: error => this.#log.warn('nut.listener-failed', { error: error.message }),
    }
  }

  #welcome(socket: Socket): void {
    if (!this.#gate.enter(socket)) return
    const address = addressOf(socket)
    const session = new NutSession(socket, this.#clock, {
      address,
      view: () => this.#view(),
      onRefused: reason => this.#noteRefused(address, reason),
    })
    this.#sessions.add(session)
    socket.once('close', () => this.#sessions.delete(session))
    session.open()
  }

  #view(): NutView {
    const { box, version } = this.#options
    const logins = [...this.#sessions].filter(session => session.isLoggedIn)
    return {
      ups: box,
      description: `Roadcase box ${box}`,
      version,
      variables: this.#power && nutVariables(this.#facts, this.#power, [...this.#packs.values()]),
      logins: logins.map(session => session.address),
    }
  }

  /** A stranger can make as many as it likes: they are counted, and told once a minute. */
  #noteRefused(address: string, reason: string): void {
    this.#refusals++
    const now = this.#clock.monotonicMs()
    if (now < this.#tellAgainAt) return
    this.#tellAgainAt = after(now, TELL_EVERY_MS)
    this.#log.warn('nut.refused', { address, reason, count: this.#refusals })
    this.#refusals = 0
  }
}

const TYPES = { 'li-ion': 'Li-ion', lifepo4: 'LiFePO4', 'lead-acid': 'PbAc' } as const

function factsOf({ box, model, version, power }: NutServerOptions): NutFacts {
  const [type, ...others] = new Set(power.packs.map(pack => TYPES[pack.chemistry]))
  return {
    model,
    serial: box,
    version,
    batteryType: type === undefined || others.length > 0 ? null : type,
    chargeLowPercent: power.policy.protectPercent,
    chargeWarningPercent: power.policy.warnPercent,
    runtimeLowSeconds: power.policy.protectMinutes * 60,
  }
}

interface ListenPorts {
  readonly onSocket: (socket: Socket) => void
  readonly onError: (error: Error) => void
}

function listen(
  port: number,
  host: string | null,
  { onSocket, onError }: ListenPorts,
): Promise<Server> {
  const server = createServer({ noDelay: true }, onSocket)
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void =>
      reject(new BoxError('port.taken', `power.nut.port: cannot listen on port ${port}`, { cause }))
    server.once('error', refuse)
    server.listen({ port, ...(host === null ? {} : { host }) }, () => {
      server.off('error', refuse)
      server.on('error', onError)
      resolve(server)
    })
  })
}

const isAddress = (address: string | AddressInfo | null): address is AddressInfo =>
  typeof address === 'object' && address !== null
