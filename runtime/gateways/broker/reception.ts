/**
 * What clients publish and subscribe to, judged before aedes does anything with it. A message that is refused is
 * acknowledged and dropped, not answered with a broken connection: MQTT 3.1.1 allows either (MQTT-3.3.5-2), and a client
 * that is thrown out comes back and sends the same message again. The reason goes to `…/refused`.
 */
import { BoxError, messageOf } from '../../core/errors.js'
import { after, later } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { Admission } from './admission.js'
import type { Done, InnerBroker, InnerClient, InnerSubscription } from './aedes-inside.js'
import type { Bridge } from './bridge.js'
import type { OrderedPublisher } from './ordered.js'
import { SESSION_MARKER, type StorePersistence } from './persistence.js'
import type { Refusals } from './refusals.js'
import type { PacketLike } from './stored-packet.js'
import { isFilter } from './topic.js'

/** A client may send so much at once before it is slowed down. */
const BURST_MS = 2_000

export interface ReceptionLimits {
  readonly publishesPerSecond: number
  readonly subscriptionsMax: number
}

interface IncomingPacket extends PacketLike {
  readonly dup?: boolean
}

export class Reception {
  readonly #clock: Clock
  readonly #bridge: Bridge
  readonly #publisher: OrderedPublisher
  readonly #admission: Admission
  readonly #refusals: Refusals
  readonly #persistence: StorePersistence
  readonly #limits: ReceptionLimits
  /** Already published, or refused: aedes acknowledges them and must not publish them again. */
  readonly #finished = new WeakSet<object>()
  /** When the client's next message has its turn, and where its last one went. */
  readonly #turns = new WeakMap<object, { readonly turn: MonotonicMs; readonly topic: string }>()
  #isStopping = false

  constructor(
    clock: Clock,
    parts: {
      readonly bridge: Bridge
      readonly publisher: OrderedPublisher
      readonly admission: Admission
      readonly refusals: Refusals
      readonly persistence: StorePersistence
    },
    limits: ReceptionLimits,
  ) {
    this.#clock = clock
    this.#bridge = parts.bridge
    this.#publisher = parts.publisher
    this.#admission = parts.admission
    this.#refusals = parts.refusals
    this.#persistence = parts.persistence
    this.#limits = limits
  }

  /** After the publisher has installed itself. */
  install(broker: InnerBroker): void {
    const publish = broker.publish
    broker.publish = (packet, client, done) => {
      const finish = client && packet.qos === 2 ? this.#ending(client, packet, done) : done
      if (this.#finished.delete(packet)) finish()
      else publish(packet, client, finish)
    }
    broker.authorizePublish = (client, packet, done) => this.#onPublish(client, packet, done)
    broker.authorizeSubscribe = (client, wanted, done) => {
      if (!isFilter(wanted.topic)) done(new Error('not a topic filter'), null)
      else done(null, this.#grant(client, wanted))
    }
    broker.on('unsubscribe', (filters: readonly string[], client: InnerClient) => {
      for (const filter of filters) this.#admission.peer(client)?.granted.delete(filter)
    })
  }

  /** From now on no will is published: it is not the clients that go away. */
  stopping(): void {
    this.#isStopping = true
  }

  #onPublish(client: InnerClient | null, packet: IncomingPacket, done: Done): void {
    // A will has no command word. Without a client it is one from before a restart, judged when its client connected.
    const isWill = packet.cmd !== 'publish'
    if (isWill && this.#isStopping) done(new Error('the broker is stopping'))
    else if (isWill && client && !this.#admission.peer(client)?.identity)
      done(new Error('the client is no longer welcome'))
    else if (!client) done()
    else {
      if (!isWill) this.#countTurn(client, packet)
      this.#judge(client, packet, done)
    }
  }

  /** When the client may be heard next: who publishes too fast is not read from, so nothing is lost. Null for at once. */
  nextTurn(client: InnerClient): MonotonicMs | null {
    const known = this.#turns.get(client)
    if (known === undefined || known.turn <= this.#clock.monotonicMs()) return null
    this.#refusals.note('publish.throttled', {
      topic: known.topic,
      client: client.id ?? '',
      message: `slowed down to ${this.#limits.publishesPerSecond} messages a second; nothing is lost`,
    })
    return known.turn
  }

  #countTurn(client: InnerClient, { topic }: IncomingPacket): void {
    const earliest = after(this.#clock.monotonicMs(), -BURST_MS)
    const from = later(this.#turns.get(client)?.turn ?? earliest, earliest)
    const turn = after(from, 1_000 / this.#limits.publishesPerSecond)
    this.#turns.set(client, { turn, topic })
  }

  #judge(client: InnerClient, packet: IncomingPacket, done: Done): void {
    if (this.#isDoubled(client, packet)) void this.#acknowledgeDoubled(client, packet, done)
    else if (!this.#isAllowed(client, packet) || this.#handOver(client, packet) === 'refused') {
      this.#finished.add(packet)
      done()
    } else if (packet.qos === 1 && packet.cmd === 'publish')
      this.#publisher.publish(packet, client, error =>
        this.#acknowledge(client, packet, error, done),
      )
    else done()
  }

  #isDoubled(client: InnerClient, { cmd, qos, messageId = 0 }: IncomingPacket): boolean {
    return cmd === 'publish' && qos === 2 && !this.#persistence.claimIncoming(client, messageId)
  }

  /** Nothing of it counts but the answer, and that promises what the first one did: it waits for the disk, too. */
  async #acknowledgeDoubled(
    client: InnerClient,
    packet: IncomingPacket,
    done: Done,
  ): Promise<void> {
    try {
      await this.#persistence.incoming.kept(client, packet.messageId ?? 0)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      this.#acknowledge(client, packet, error, done)
      return
    }
    this.#acknowledge(client, packet, null, done)
  }

  #ending(client: InnerClient, { messageId = 0 }: PacketLike, done: Done): Done {
    return error => {
      this.#persistence.incoming.end(client, messageId, Boolean(error))
      done(error)
    }
  }

  #isAllowed(client: InnerClient, { topic }: IncomingPacket): boolean {
    const identity = this.#admission.peer(client)?.identity
    if (identity?.rights.mayPublish(topic)) return true
    this.#refusals.note('publish.denied', {
      topic,
      client: client.id ?? '',
      message: `the role "${identity?.role ?? 'none'}" may not publish here, ${but(identity?.rights.publishes)}`,
    })
    return false
  }

  #handOver(client: InnerClient, packet: IncomingPacket): ReturnType<Bridge['receive']> {
    const payload = packet.payload ?? ''
    return this.#bridge.receive({
      topic: packet.topic,
      payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
      client: client.id ?? '',
      isRetained: packet.retain === true,
      isRepeated: packet.dup === true,
      messageId: packet.messageId ?? null,
      isStale: false,
      isReplayed: false,
    })
  }

  /** aedes writes PUBACK when it is called back without an error, and closes the connection otherwise. */
  #acknowledge(
    client: InnerClient,
    packet: IncomingPacket,
    error: Error | null | undefined,
    done: Done,
  ): void {
    if (!error) this.#finished.add(packet)
    else
      this.#refusals.note('storage.failed', {
        topic: packet.topic,
        client: client.id ?? '',
        message: `not acknowledged: ${messageOf(error)}`,
      })
    done(error ?? null)
  }

  /** Null becomes 0x80 in SUBACK. */
  #grant(client: InnerClient, wanted: InnerSubscription): InnerSubscription | null {
    const peer = this.#admission.peer(client)
    const { topic } = wanted
    if (topic === SESSION_MARKER || !peer) return null
    if (!peer.identity?.rights.maySubscribe(topic)) {
      this.#refusals.note('subscribe.denied', {
        topic,
        client: client.id ?? '',
        message: `the role "${peer.identity?.role ?? 'none'}" may not read all of this, ${but(peer.identity?.rights.subscribes)}`,
      })
      return null
    }
    if (!peer.granted.has(topic) && peer.granted.size >= this.#limits.subscriptionsMax) {
      this.#refusals.note('subscribe.limit', {
        topic,
        client: client.id ?? '',
        message: `more than ${this.#limits.subscriptionsMax} subscriptions`,
      })
      return null
    }
    peer.granted.add(topic)
    return wanted
  }
}

const but = (allowed: readonly string[] = []): string =>
  allowed.length === 0 ? 'and nowhere else' : `but ${allowed.join(', ')}`
