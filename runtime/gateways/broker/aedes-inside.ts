/**
 * The only file that imports aedes. It says which inner parts of aedes 1.2.0 we lean on, and checks at each start that
 * they are there: an aedes that was changed inside must not start rather than lose messages quietly.
 */
import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { Aedes } from 'aedes'
import mqemitter from 'mqemitter'
import mqtt from 'mqtt-packet'
import { assert } from '../../core/errors.js'
import type { PacketLike, Will } from './stored-packet.js'

export type Done = (error?: Error | null) => void
export type Deliver = (packet: InnerPacket, done: Done) => void

/** A PUBLISH on its way through aedes. */
export interface InnerPacket extends PacketLike {
  cmd?: string | undefined
  topic: string
  payload: Buffer | string
  qos: number
  retain: boolean
  dup: boolean
  brokerId?: string | null
  brokerCounter?: number
  messageId?: number | undefined
}

export interface InnerParser extends EventEmitter {
  readonly packet: {
    readonly length: number
    readonly cmd?: string
    readonly qos?: number
    readonly messageId?: number
    readonly unsubscriptions?: readonly string[]
  }
  readonly _list: { slice(start: number, end: number): Uint8Array; readUInt8(at: number): number }
  _pos: number
  parse(bytes: Uint8Array): number
  _parseHeader(): boolean
  _parseLength(): boolean
  _parsePayload(): boolean
  _parseString(): string | null
  _emitError(error: Error): false
}

export interface InnerClient extends EventEmitter {
  readonly id: string | null
  readonly clean: boolean
  readonly conn: Duplex
  readonly closed: boolean
  readonly connected: boolean
  readonly connackSent: boolean
  readonly subscriptions: Readonly<Record<string, { readonly qos: number }>>
  readonly _parser: InnerParser
  /** Packets that were read and are not done. */
  readonly _parsingBatch: number
  _nextId: number
  deliver0: Deliver
  deliverQoS: Deliver
  waitForDrain(done: Done): void
  close(done?: () => void): void
}

export interface ConnectPacket {
  readonly clientId?: string
  readonly clean?: boolean
  readonly keepalive?: number
  readonly protocolVersion?: number
  readonly username?: string
  readonly will?: Will
}

export interface InnerSubscription {
  readonly topic: string
  readonly qos: 0 | 1 | 2
}

/** CONNACK return codes of MQTT 3.1.1, table 3.1. */
export type ReturnCode = 2 | 3 | 4 | 5

export interface InnerBroker extends EventEmitter {
  readonly id: string
  counter: number
  readonly clients: Readonly<Record<string, InnerClient | undefined>>
  readonly brokers: object
  readonly mq: { emit(message: InnerPacket, done: Done): unknown }
  handle(connection: Duplex, request?: IncomingMessage): InnerClient
  publish(packet: PacketLike, client: InnerClient | null, done: Done): void
  preConnect: (
    client: InnerClient,
    packet: ConnectPacket,
    done: (error: Error | null, isAccepted: boolean) => void,
  ) => void
  authenticate: (
    client: InnerClient,
    username: string | undefined,
    password: Buffer | undefined,
    done: (error: (Error & { returnCode: ReturnCode }) | null, isAccepted: boolean) => void,
  ) => void
  authorizePublish: (client: InnerClient | null, packet: PacketLike, done: Done) => void
  authorizeSubscribe: (
    client: InnerClient,
    subscription: InnerSubscription,
    done: (error: Error | null, granted: InnerSubscription | null) => void,
  ) => void
  authorizeForward: (client: InnerClient, packet: InnerPacket) => InnerPacket | null
  listen(): Promise<void>
  close(done: () => void): void
}

export interface AedesOptions {
  readonly id: string
  readonly persistence: object
  readonly connectMs: number
  readonly drainMs: number
  readonly topicLevelsMax: number
  readonly inflightInboundMax: number
}

/** A broker with nothing patched yet. It delivers to all subscribers at once: nobody waits for a slow one. */
export function createAedes(options: AedesOptions): InnerBroker {
  // Else the first packet that leaves makes a table of 65536 buffers, and a fade stands still for as long as that takes.
  mqtt.writeToStream.cacheNumbers = false
  const aedes: unknown = new Aedes({
    id: options.id,
    persistence: options.persistence,
    mq: mqemitter({ concurrency: 0, matchEmptyLevels: true }),
    concurrency: 0,
    connectTimeout: options.connectMs,
    drainTimeout: options.drainMs,
    maxTopicLevels: options.topicLevelsMax,
    maxInflightInbound: options.inflightInboundMax,
    queueLimit: 42,
  })
  assert(isInnerBroker(aedes), 'aedes has the parts that the broker leans on')
  return aedes
}

/** Wraps each new client before it reads its first packet. */
export function onHandle(broker: InnerBroker, prepare: (client: InnerClient) => void): void {
  const handle = broker.handle
  broker.handle = (connection, request) => {
    const client: unknown = handle(connection, request)
    assert(isInnerClient(client), 'a client of aedes has the parts that the broker leans on')
    prepare(client)
    return client
  }
}

/**
 * aedes takes a broker for dead whose last heartbeat is three minutes old by the wall clock, and then publishes the wills
 * of its clients. A box without a clock of its own steps by years when it finds the time: this broker is always alive.
 */
export function neverDead(broker: InnerBroker): void {
  Object.defineProperty(broker.brokers, broker.id, {
    enumerable: true,
    get: () => Number.MAX_SAFE_INTEGER,
    set: () => {},
  })
}

const isInnerBroker = (value: unknown): value is InnerBroker =>
  hasFunctions(value, ['handle', 'publish', 'listen', 'close', 'emit', 'preConnect']) &&
  hasFunctions(value, ['authenticate', 'authorizePublish', 'authorizeSubscribe']) &&
  hasFunctions(value, ['authorizeForward']) &&
  hasFunctions(part(value, 'mq'), ['emit']) &&
  typeof part(value, 'counter') === 'number' &&
  typeof part(value, 'brokers') === 'object' &&
  typeof part(value, 'clients') === 'object'

const isInnerClient = (value: unknown): value is InnerClient =>
  hasFunctions(value, ['deliver0', 'deliverQoS', 'waitForDrain', 'close']) &&
  hasFunctions(part(value, '_parser'), ['_parseLength', '_parsePayload', '_parseString']) &&
  hasFunctions(part(value, '_parser'), ['_parseHeader', '_emitError', 'parse', 'on']) &&
  typeof part(value, '_parsingBatch') === 'number' &&
  typeof part(value, '_nextId') === 'number' &&
  typeof part(value, 'subscriptions') === 'object'

const part = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined

const hasFunctions = (value: unknown, names: readonly string[]): boolean =>
  names.every(name => typeof part(value, name) === 'function')
