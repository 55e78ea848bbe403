/** Puts the broker together: aedes, what surrounds it, and the order in which each part takes its place in it. */

import type { BrokerLimits } from '../../config.js'
import type { Bus } from '../../core/bus.js'
import { Histogram } from '../../core/histogram.js'
import type { Clock } from '../../ports/clock.js'
import type { Keys } from '../../ports/keys.js'
import type { Log } from '../../ports/log.js'
import type { Store } from '../../ports/store.js'
import type { Messages } from '../../topics.js'
import { Admission } from './admission.js'
import {
  createAedes,
  type InnerBroker,
  type InnerClient,
  neverDead,
  onHandle,
} from './aedes-inside.js'
import { Bridge, type BridgeOptions } from './bridge.js'
import type { Certificate } from './certificate.js'
import { Delivery, grantedQos, skipUsedIds } from './delivery.js'
import { discoveryTopic } from './home-assistant.js'
import { Intake, paceParser } from './intake.js'
import { OrderedPublisher } from './ordered.js'
import { guardParser } from './parser-guard.js'
import { type Credential, PasswordCheck } from './password-check.js'
import { type Drop, StorePersistence } from './persistence.js'
import { Reception } from './reception.js'
import { Refusals } from './refusals.js'
import { type PacketLike, payloadBytes, qosOf } from './stored-packet.js'
import { TOPIC_LEVELS_MAX } from './topic.js'
import { Traffic } from './traffic.js'
import { baseOf } from './tree.js'
import type { Unwelcome } from './welcome.js'

/** A commit takes 16 MiB; a packet must fit into one with its names. */
const PACKET_BYTES_MAX = 15 * 1024 * 1024
/** Identifiers are 16 bits; some must always be free. */
const QUEUED_PER_SESSION_MAX = 60_000
/** What an online session may have in flight, however small its queue is configured. */
const INFLIGHT_MAX = 1_000
const QUEUED_BYTES_MAX = 64 * 1024 * 1024
const RETAINED_BYTES_MAX = 32 * 1024 * 1024
const SLOW_SOFT_BYTES = 256 * 1024
const SLOW_HARD_BYTES = 2 * 1024 * 1024
const DRAIN_MS = 5_000
const INFLIGHT_INBOUND_MAX = 1_000

export interface EnginePorts {
  readonly clock: Clock
  readonly log: Log
  readonly bus: Bus<Messages>
  readonly store: Store
  readonly keys: Keys
}

export interface EngineOptions extends BridgeOptions {
  readonly limits: BrokerLimits
  readonly credentials: readonly Credential[]
  /** Names in certificates that are those of boxes. */
  readonly boxes: readonly string[]
  /** Null for who is welcome. */
  readonly reasonAgainst: (certificate: Certificate) => Unwelcome | null
}

export interface Engine {
  readonly aedes: InnerBroker
  readonly persistence: StorePersistence
  readonly publisher: OrderedPublisher
  readonly admission: Admission
  readonly reception: Reception
  readonly refusals: Refusals
  readonly traffic: Traffic
  readonly bridge: Bridge
  readonly commitMs: Histogram
}

export function createEngine(ports: EnginePorts, options: EngineOptions): Engine {
  const { clock, log, bus, keys } = ports
  const traffic = new Traffic()
  const commitMs = new Histogram()
  const refusals = new Refusals(clock, log, bus)
  const bridge = new Bridge(bus, keys, refusals, options)
  const persistence = createPersistence(ports, options, {
    onDrop: drop =>
      refusals.note(drop.reason, { ...drop, message: dropTexts[drop.reason] }, drop.count),
    onCommitMs: milliseconds => commitMs.add(milliseconds),
    isGranted: (client, filter) => admission.peer(client)?.granted.has(filter) ?? false,
    ownerOf: client => admission.peer(client)?.identity?.user ?? '',
  })
  const aedes = createAedes({
    id: `${options.place.box}.${String(options.boot).padStart(10, '0')}`,
    persistence,
    connectMs: options.limits.connectMs,
    drainMs: DRAIN_MS,
    topicLevelsMax: TOPIC_LEVELS_MAX,
    inflightInboundMax: INFLIGHT_INBOUND_MAX,
  })
  const admission = createAdmission(ports, options, refusals, persistence)
  const publisher = new OrderedPublisher(aedes, persistence)
  const reception = new Reception(
    clock,
    { bridge, publisher, admission, refusals, persistence },
    {
      publishesPerSecond: options.limits.publishesPerSecond,
      subscriptionsMax: options.limits.subscriptionsPerClientMax,
    },
  )
  const engine: Engine = {
    aedes,
    persistence,
    publisher,
    admission,
    reception,
    refusals,
    traffic,
    bridge,
    commitMs,
  }
  neverDead(aedes)
  aedes.authorizeForward = (client, packet) => forward(client, packet, engine)
  admission.install(aedes)
  publisher.install()
  reception.install(aedes)
  const intake = new Intake(clock)
  onHandle(aedes, client => {
    prepare(client, engine, options.limits)
    paceParser(client, clock, intake, () => reception.nextTurn(client))
  })
  listenTo(engine, log)
  return engine
}

const dropTexts: { readonly [R in Drop['reason']]: string } = {
  'limit.queue': 'the queue of this session is full: the message will not reach it',
  'limit.retained': 'too much is retained: the message was delivered but not kept',
  'session.expired': 'the client was away too long: its session and queue are gone',
  'storage.rotten': 'a stored row could not be read and was given up',
}

type PersistenceEvents = Pick<
  ConstructorParameters<typeof StorePersistence>[3],
  'onDrop' | 'onCommitMs' | 'isGranted' | 'ownerOf'
>

function createPersistence(
  { clock, log, store }: EnginePorts,
  { limits, place, homeAssistant }: EngineOptions,
  events: PersistenceEvents,
): StorePersistence {
  const base = `${baseOf(place)}/`
  const perSessionMax = Math.min(limits.queuedPerSessionMax, QUEUED_PER_SESSION_MAX)
  const discovery = discoveryTopic(place, homeAssistant.prefix)
  return new StorePersistence(clock, log, store, {
    queue: {
      perSessionMax,
      perOnlineSessionMax: Math.max(perSessionMax, INFLIGHT_MAX),
      bytesMax: QUEUED_BYTES_MAX,
    },
    retained: {
      countMax: limits.retainedMax,
      bytesMax: RETAINED_BYTES_MAX,
      isVolatile: topic =>
        (topic.startsWith(base) && !topic.startsWith(`${base}gadget/`)) ||
        topic.startsWith('$') ||
        topic === discovery,
    },
    sessions: { countMax: limits.sessionsMax, expiryHours: limits.sessionExpiryHours },
    ...events,
  })
}

function createAdmission(
  { clock, keys }: EnginePorts,
  options: EngineOptions,
  refusals: Refusals,
  persistence: StorePersistence,
): Admission {
  const { place, homeAssistant, limits, credentials, boxes, reasonAgainst } = options
  return new Admission(clock, refusals, new PasswordCheck(keys, credentials), persistence, {
    around: { ...place, homeAssistantPrefix: homeAssistant.prefix },
    keepaliveSecondsMax: limits.keepaliveSecondsMax,
    boxes,
    reasonAgainst,
  })
}

/** Everything that has to be in place before a client's first byte is read. */
function prepare(client: InnerClient, engine: Engine, limits: BrokerLimits): void {
  const { persistence, refusals, traffic, admission } = engine
  const delivery = new Delivery(
    client,
    persistence,
    { softBytes: SLOW_SOFT_BYTES, hardBytes: SLOW_HARD_BYTES },
    {
      mayRead: (reader, topic) => admission.peer(reader)?.identity?.rights.mayRead(topic) ?? false,
      onSent: packet => traffic.sent(payloadBytes(packet.payload)),
      onDropped: (reason, reader, topic) =>
        refusals.note(reason, {
          topic,
          client: reader.id ?? '',
          message: 'the subscriber does not read as fast as messages come',
        }),
    },
  )
  delivery.install()
  skipUsedIds(
    client,
    messageId => persistence.queue.line(client.id ?? '')?.byMessageId.has(messageId) ?? false,
  )
  guardParser(client, {
    packetBytesMax: Math.min(limits.packetBytesMax, PACKET_BYTES_MAX),
    onPacket: bytes => traffic.received(bytes),
    onTooLarge: () =>
      refusals.note('packet.large', {
        topic: '',
        client: client.id ?? '',
        message: `a packet of more than ${limits.packetBytesMax} bytes: the connection is closed`,
      }),
  })
}

/** Asked by aedes for each message of a queue that it sends again. */
function forward(
  client: InnerClient,
  packet: Parameters<InnerBroker['authorizeForward']>[1],
  { persistence, admission, traffic }: Engine,
): ReturnType<InnerBroker['authorizeForward']> {
  const clientId = client.id ?? ''
  const entry = persistence.queue.find(clientId, packet)
  persistence.replays.sent(clientId, packet)
  const mayRead = admission.peer(client)?.identity?.rights.mayRead(packet.topic) ?? false
  if (!entry || !mayRead) return null
  entry.sentTo = client
  packet.dup = entry.sends > 1
  // A subscription that was lowered to QoS 0 meanwhile: what waits was promised, and needs an acknowledgement to go.
  packet.qos = Math.max(1, grantedQos(client, packet.topic, qosOf(packet.qos)))
  traffic.sent(payloadBytes(packet.payload))
  return packet
}

function listenTo({ aedes, traffic, refusals, persistence }: Engine, log: Log): void {
  aedes.on('client', () => traffic.opened())
  aedes.on('clientDisconnect', (client: InnerClient) => {
    traffic.closed()
    persistence.life.close(client.id ?? '', client)
  })
  aedes.on('publish', (_: PacketLike, client: InnerClient | null) => {
    if (client) traffic.publishReceived++
  })
  const onProtocol = (client: InnerClient, error: Error): void => {
    // What has a code was told already, or is a cable that was pulled.
    if ('code' in error || 'errorCode' in error) return
    refusals.note('client.protocol', { topic: '', client: client.id ?? '', message: error.message })
  }
  aedes.on('connectionError', onProtocol)
  aedes.on('clientError', onProtocol)
  aedes.on('error', (error: Error) => log.error('broker.failed', { error: error.message }))
}
