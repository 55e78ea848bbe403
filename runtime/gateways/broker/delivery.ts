/**
 * Hands messages to one connection. Takes the place of aedes' own two functions for it, which drop what they take for
 * doubled, send with the QoS of the publisher when the filter has a wildcard, and write before CONNACK.
 */
import mqtt from 'mqtt-packet'
import type { Deliver, Done, InnerClient, InnerPacket } from './aedes-inside.js'
import type { Entry } from './offline-queue.js'
import type { StorePersistence } from './persistence.js'
import { type PacketLike, type QoS, qosOf } from './stored-packet.js'
import { matches } from './topic.js'

export interface DeliveryLimits {
  /** Above this many bytes waiting in the socket, QoS 0 is left out. */
  readonly softBytes: number
  /** Above this many the connection is closed: QoS 1 waits in the session, if there is one. */
  readonly hardBytes: number
}

export interface DeliveryEvents {
  readonly mayRead: (client: InnerClient, topic: string) => boolean
  readonly onSent: (packet: PacketLike) => void
  readonly onDropped: (
    reason: 'slow.qos0' | 'slow.closed',
    client: InnerClient,
    topic: string,
  ) => void
}

export class Delivery {
  readonly #client: InnerClient
  readonly #persistence: StorePersistence
  readonly #limits: DeliveryLimits
  readonly #events: DeliveryEvents
  /** The number of the message this client was given last: several of its filters may reach one message. */
  #last = -1
  #isClosing = false

  constructor(
    client: InnerClient,
    persistence: StorePersistence,
    limits: DeliveryLimits,
    events: DeliveryEvents,
  ) {
    this.#client = client
    this.#persistence = persistence
    this.#limits = limits
    this.#events = events
  }

  install(): void {
    const deliver: Deliver = (packet, done) => this.#deliver(packet, done)
    this.#client.deliver0 = deliver
    this.#client.deliverQoS = deliver
  }

  #deliver(packet: InnerPacket, done: Done): void {
    const isRetained = packet.brokerId === null
    const isWanted =
      this.#client.connackSent &&
      !this.#client.closed &&
      !this.#isDoubled(packet) &&
      this.#events.mayRead(this.#client, packet.topic) &&
      !(isRetained && this.#isOutdated(packet))
    const qos = isWanted ? grantedQos(this.#client, packet.topic, qosOf(packet.qos)) : 0
    if (!isWanted || this.#isTooSlow(packet, qos)) done()
    else if (qos === 0) this.#write(packet, 0, undefined, done)
    else if (this.#client.clean) this.#write(packet, qos, takeId(this.#client), done)
    else if (isRetained) this.#deliverRetained(packet, qos, done)
    else this.#deliverKept(packet, qos, done)
  }

  /** It has a number of its own, as if it had been published for this session. */
  #deliverRetained(packet: InnerPacket, qos: QoS, done: Done): void {
    const { broker } = this.#persistence
    const copy = { ...packet, brokerId: broker.id }
    if (this.#persistence.keepRetained(this.#client.id ?? '', copy, qos === 1))
      this.#deliverKept(copy, qos, done)
    else this.#write(packet, qos, takeId(this.#client), done)
  }

  /** A session's message is already in its line; what is not there was refused, or has been sent again meanwhile. */
  #deliverKept(packet: InnerPacket, qos: QoS, done: Done): void {
    const clientId = this.#client.id ?? ''
    const entry = this.#persistence.queue.find(clientId, packet)
    if (
      !entry ||
      entry.sentTo === this.#client ||
      this.#persistence.replays.isReplaying(clientId)
    ) {
      done()
      return
    }
    void this.#sendKept(entry, packet, qos, done)
  }

  async #sendKept(entry: Entry, packet: InnerPacket, qos: QoS, done: Done): Promise<void> {
    const clientId = this.#client.id ?? ''
    const messageId = takeId(this.#client)
    entry.sentTo = this.#client
    this.#persistence.queue.assign(clientId, entry, messageId, qos === 1)
    if (qos === 1) {
      this.#write(packet, qos, messageId, done)
      return
    }
    // Exactly once: the identifier must be known after a power cut before the receiver sees it.
    await this.#persistence.synced().catch(() => this.#persistence.writes.recovered())
    const isWaiting =
      this.#persistence.queue.find(clientId, packet) === entry && entry.sentTo === this.#client
    if (isWaiting && !this.#client.closed) this.#write(packet, qos, messageId, done)
    else done()
  }

  #isDoubled(packet: InnerPacket): boolean {
    if (packet.brokerId === null || packet.brokerCounter === undefined) return false
    const isDoubled = this.#last === packet.brokerCounter
    this.#last = packet.brokerCounter
    return isDoubled
  }

  /** A newer value came while the older ones were told, and was delivered at once: the older must not come after it. */
  #isOutdated({ topic, payload }: InnerPacket): boolean {
    return this.#persistence.retained.get(topic)?.payload !== payload
  }

  #isTooSlow(packet: InnerPacket, qos: QoS): boolean {
    const waiting = this.#client.conn.writableLength
    if (waiting > this.#limits.hardBytes) {
      this.#closeSlow(packet.topic)
      return true
    }
    if (qos > 0 || waiting <= this.#limits.softBytes) return false
    this.#events.onDropped('slow.qos0', this.#client, packet.topic)
    return true
  }

  #closeSlow(topic: string): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#events.onDropped('slow.closed', this.#client, topic)
    // Not within the delivery: closing takes the client's filters out of the tree that is being walked.
    queueMicrotask(() => this.#client.conn.destroy(new Error('the subscriber is too slow')))
  }

  #write(packet: InnerPacket, qos: QoS, messageId: number | undefined, done: Done): void {
    const { topic, payload, retain } = packet
    const isFlowing = mqtt.writeToStream(
      {
        cmd: 'publish',
        topic,
        payload,
        qos,
        retain,
        dup: false,
        ...(messageId === undefined ? {} : { messageId }),
      },
      this.#client.conn,
    )
    this.#events.onSent(packet)
    if (isFlowing) done()
    else this.#client.waitForDrain(() => done())
  }
}

/**
 * The QoS that a client's subscriptions allow for a message: the highest of those that reach it (MQTT-3.3.5-1), never
 * more than the publisher's.
 */
export function grantedQos(client: InnerClient, topic: string, published: QoS): QoS {
  if (published === 0) return 0
  let granted = -1
  for (const filter of Object.keys(client.subscriptions)) {
    const { qos = 0 } = client.subscriptions[filter] ?? {}
    if (qos > granted && matches(filter, topic)) granted = qos
    if (granted >= published) break
  }
  return granted < 0 ? published : qosOf(Math.min(published, granted))
}

/** Reading leaves the identifier, writing moves on: the way aedes itself uses the field. */
function takeId(client: InnerClient): number {
  const messageId = client._nextId
  client._nextId = messageId + 1
  return messageId
}

/**
 * aedes counts identifiers up from a random start and looks at nothing: one that is still in flight since before the
 * reconnection would be given out twice, and the acknowledgement of one message would remove the other.
 */
export function skipUsedIds(
  client: Pick<InnerClient, '_nextId'>,
  isUsed: (messageId: number) => boolean,
): void {
  let next = client._nextId
  const free = (from: number): number => {
    for (let tries = 0, id = from; tries < 65_535; tries++, id++) {
      const messageId = ((id - 1) % 65_535) + 1
      if (messageId > 0 && !isUsed(messageId)) return messageId
    }
    return from
  }
  Object.defineProperty(client, '_nextId', {
    get: () => {
      next = free(next)
      return next
    },
    set: (value: number) => {
      next = value
    },
  })
}
