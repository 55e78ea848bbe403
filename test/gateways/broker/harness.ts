/** What the tests of the broker share: a broker on loopback, clients with a deadline on every wait. */
import { createConnection, type Socket } from 'node:net'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import mqttPacket, { type Packet } from 'mqtt-packet'
import t from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import {
  type BrokerLimits,
  boxConfigSchema,
  type EmbeddedBrokerConfig,
} from '../../../runtime/config.js'
import { Bus } from '../../../runtime/core/bus.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { after } from '../../../runtime/core/time.js'
import { EmbeddedBroker } from '../../../runtime/gateways/broker/embedded-broker.js'
import type { BrokerRole } from '../../../runtime/gateways/broker/grants.js'
import { hashPassword } from '../../../runtime/gateways/broker/password.js'
import type { Credential } from '../../../runtime/gateways/broker/password-check.js'
import type { Cancel, Clock } from '../../../runtime/ports/clock.js'
import type { Files } from '../../../runtime/ports/files.js'
import type { Store } from '../../../runtime/ports/store.js'
import type { Messages, Payload, ShowCommand } from '../../../runtime/topics.js'

/** What a failed test left behind is closed at the end, so that it fails at once and not by a timeout. */
const leftovers = new Set<() => unknown>()
t.teardown(async () => {
  for (const close of leftovers) await close()
})

export const WAIT_MS = 8_000
export const tour = 'spring'
export const box = 'stage-left'
export const base = `vb/${tour}/${box}`
export const password = 'correct horse'
/** One salt for all: scrypt is slow on purpose. */
const hash = hashPassword(password)

export const users: { readonly [R in BrokerRole]: string } = {
  view: 'viewer',
  operate: 'operator',
  driver: 'lamp-1',
  box: 'stage-right',
  hub: 'hub',
}

export async function credentials(): Promise<Credential[]> {
  const passwordHash = await hash
  const roles: readonly BrokerRole[] = ['view', 'operate', 'driver', 'box', 'hub']
  return [
    ...roles.map(role => ({ username: users[role], role, passwordHash })),
    { username: 'second', role: 'operate' as const, passwordHash },
  ]
}

export interface BrokerSettings {
  readonly limits?: Partial<BrokerLimits>
  readonly config?: Partial<EmbeddedBrokerConfig>
  readonly store?: Store
  readonly clock?: Clock
  readonly files?: Files
  readonly boot?: number
  readonly isReady?: boolean
  readonly homeAssistant?: boolean
  readonly heardTopics?: readonly string[]
}

/** A bus, and what a broker says on it. */
export interface Ears {
  readonly bus: Bus<Messages>
  readonly log: SimulatedLog
  readonly commands: ShowCommand[]
  readonly refusals: Payload<'message/refused'>[]
}

export interface TestBroker extends Ears {
  readonly broker: EmbeddedBroker
  readonly port: number
}

export function embeddedConfig(settings: BrokerSettings): EmbeddedBrokerConfig {
  const { broker } = boxConfigSchema.parse({ schemaVersion: 1, tour, box })
  if (broker.kind !== 'embedded') throw new Error('the default broker is the embedded one')
  return {
    ...broker,
    port: 0,
    ...settings.config,
    limits: { ...broker.limits, ...settings.limits },
  }
}

export function listeningBus(): Ears {
  const bus = new Bus<Messages>()
  const log = new SimulatedLog()
  const commands: ShowCommand[] = []
  const refusals: Payload<'message/refused'>[] = []
  bus.subscribe('command/received', command => void commands.push(command))
  bus.subscribe('message/refused', refusal => void refusals.push(refusal))
  return { bus, log, commands, refusals }
}

export async function startBroker(settings: BrokerSettings = {}): Promise<TestBroker> {
  const { bus, log, commands, refusals } = listeningBus()
  const broker = new EmbeddedBroker(
    {
      clock: settings.clock ?? new LinuxClock(ownAnchor()),
      log,
      bus,
      store: settings.store ?? new SimulatedStore(),
      keys: new SimulatedKeys(randomFrom(7)),
      files: settings.files ?? null,
    },
    {
      tour,
      box,
      boot: settings.boot ?? 1,
      config: embeddedConfig(settings),
      credentials: await credentials(),
      homeAssistant: { isEnabled: settings.homeAssistant ?? false, prefix: 'homeassistant' },
      heardTopics: settings.heardTopics ?? [],
    },
  )
  leftovers.add(() => broker.stop())
  await broker.start()
  if (settings.isReady ?? true) bus.publish('box/availability', { state: 'ready', boot: 1 })
  return { broker, bus, log, port: broker.ports().tcp, commands, refusals }
}

export interface Message {
  readonly topic: string
  readonly payload: string
  readonly qos: number
  readonly retain: boolean
  readonly dup: boolean
}

export class TestClient {
  readonly mqtt: MqttClient
  readonly messages: Message[] = []
  isSessionPresent = false

  constructor(mqtt: MqttClient) {
    this.mqtt = mqtt
    mqtt.on('message', (topic, payload, { qos, retain, dup }) =>
      this.messages.push({ topic, payload: payload.toString(), qos, retain, dup }),
    )
    mqtt.on('error', () => {})
  }

  async publish(topic: string, payload: string, qos: 0 | 1 | 2 = 1, retain = false): Promise<void> {
    await within(this.mqtt.publishAsync(topic, payload, { qos, retain }), `publish to ${topic}`)
  }

  /** The QoS granted to each; 128 for a refusal. */
  async subscribe(filter: string | string[], qos: 0 | 1 | 2 = 1): Promise<number[]> {
    const granted = await within(
      new Promise<number[]>((resolve, reject) =>
        this.mqtt.subscribe(filter, { qos }, (error, _, packet) =>
          packet?.granted
            ? resolve(packet.granted.map(Number))
            : reject(error ?? new Error('no answer')),
        ),
      ),
      `subscribe to ${filter}`,
    )
    return granted
  }

  until(isThere: () => boolean, what: string): Promise<void> {
    return until(isThere, what)
  }

  async received(count: number): Promise<Message[]> {
    await until(
      () => this.messages.length >= count,
      () => `${count} messages, got ${this.messages.length}`,
    )
    return this.messages
  }

  /** Without DISCONNECT, as if the cable was pulled. */
  async drop(): Promise<void> {
    await within(this.mqtt.endAsync(true), 'drop')
  }

  async end(): Promise<void> {
    await within(this.mqtt.endAsync(false), 'end')
  }
}

export async function client(
  port: number,
  user: string,
  options: IClientOptions = {},
): Promise<TestClient> {
  const mqtt = connect(`mqtt://127.0.0.1:${port}`, {
    username: user,
    password,
    reconnectPeriod: 0,
    connectTimeout: WAIT_MS,
    ...options,
  })
  mqtt.stream.on('connect', () => {
    if ('setNoDelay' in mqtt.stream && typeof mqtt.stream.setNoDelay === 'function')
      mqtt.stream.setNoDelay(true)
  })
  leftovers.add(() => mqtt.end(true))
  const test = new TestClient(mqtt)
  await within(
    new Promise<void>((resolve, reject) => {
      mqtt.once('connect', ({ sessionPresent }) => {
        test.isSessionPresent = sessionPresent
        resolve()
      })
      mqtt.once('error', reject)
      mqtt.once('close', () => reject(new Error('closed before CONNACK')))
    }),
    'connect',
  )
  return test
}

type ConnectPacket = Extract<Packet, { cmd: 'connect' }>

export const connectPacket = (clientId: string): ConnectPacket => ({
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clientId,
  clean: true,
  keepalive: 60,
  username: users.operate,
  password: Buffer.from(password),
})

/** A connection on which a test writes packets, or rubbish, as it likes. */
export class RawClient {
  readonly socket: Socket
  readonly packets: Packet[] = []
  isClosed = false

  constructor(port: number) {
    this.socket = createConnection({ port, host: '127.0.0.1', noDelay: true })
    leftovers.add(() => this.socket.destroy())
    const parser = mqttPacket.parser()
    parser.on('packet', (packet: Packet) => this.packets.push(packet))
    parser.on('error', () => this.socket.destroy())
    this.socket.on('data', bytes => void parser.parse(bytes))
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.isClosed = true
    })
  }

  send(...packets: Packet[]): void {
    this.socket.write(Buffer.concat(packets.map(packet => mqttPacket.generate(packet))))
  }

  connect(clientId: string, options: Partial<ConnectPacket> = {}): void {
    this.send({ ...connectPacket(clientId), ...options })
  }

  async packet<C extends Packet['cmd']>(cmd: C): Promise<Extract<Packet, { cmd: C }>> {
    const find = (): Extract<Packet, { cmd: C }> | undefined =>
      this.packets.find((packet): packet is Extract<Packet, { cmd: C }> => packet.cmd === cmd)
    await until(() => find() !== undefined || this.isClosed, `a ${cmd}`)
    const found = find()
    if (!found) throw new Error(`closed before a ${cmd} came`)
    return found
  }

  async closed(): Promise<void> {
    await until(() => this.isClosed, 'the connection to be closed')
  }
}

export async function until(isThere: () => boolean, what: string | (() => string)): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!isThere()) {
    if (Date.now() > deadline)
      throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

export function within<T>(work: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), WAIT_MS)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** A host that stands still for a moment counts as one of many steps, not as the end of a patience that is cut short. */
const STEP_MS = 25

/**
 * A clock on which waits of a second and more are `times` shorter: for what a broker does after a while.
 * @param wallAheadMs how far somebody has set its wall time forward
 */
export function hastened(times: number, wallAheadMs: () => number = () => 0): Clock {
  const real = new LinuxClock(ownAnchor())
  return {
    monotonicMs: () => real.monotonicMs(),
    showTimeMs: () => real.showTimeMs(),
    wallTimeMs: () => after(real.wallTimeMs(), wallAheadMs()),
    showToMonotonic: at => real.showToMonotonic(at),
    monotonicToShow: at => real.monotonicToShow(at),
    showErrorMs: () => 0,
    runAt: (at, task) => {
      const waitMs = at - real.monotonicMs()
      return waitMs >= 1_000 ? runInSteps(real, waitMs / times, task) : real.runAt(at, task)
    },
  }
}

/** A clock on which waits of five seconds and more are over when the test says so, however slow its machine is. */
export function patient(): { readonly clock: Clock; release(): void } {
  const real = hastened(1)
  const waiting = new Set<() => void>()
  return {
    clock: {
      ...real,
      runAt: (at, task) => {
        if (at - real.monotonicMs() < 5_000) return real.runAt(at, task)
        waiting.add(task)
        return () => void waiting.delete(task)
      },
    },
    release: () => {
      for (const task of [...waiting]) if (waiting.delete(task)) task()
    },
  }
}

function runInSteps(clock: Clock, durationMs: number, task: () => void): Cancel {
  let leftMs = durationMs
  let cancel: Cancel = () => {}
  const step = (): void => {
    const stepMs = Math.min(STEP_MS, leftMs)
    leftMs -= stepMs
    const next = leftMs > 0 ? step : task
    cancel = clock.runAt(after(clock.monotonicMs(), stepMs), next)
  }
  step()
  return () => cancel()
}

/** A disk that takes its time, as an SD card does. */
export function slow(store: Store, commitMs: number): Store {
  return {
    commit: async changes => {
      await new Promise(resolve => setTimeout(resolve, commitMs))
      await store.commit(changes)
    },
    read: (table, key) => store.read(table, key),
    scan: (table, range) => store.scan(table, range),
  }
}
