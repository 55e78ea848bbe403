/**
 * What aedes keeps, kept in the Store: sessions, offline queues, retained messages, wills. Fulfils the interface of
 * aedes-persistence 11 and passes its abstract suite. Changes are visible at once and on disk with the next commit;
 * `synced()` says when, and whoever acknowledges waits for it.
 */
import { Readable } from 'node:stream'
import { BoxError } from '../../core/errors.js'
import type { Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { Store } from '../../ports/store.js'
import { type Claimant, Incoming, type Publisher } from './incoming.js'
import { OfflineQueue, type QueueLimits } from './offline-queue.js'
import { type Pubrel, Replays } from './replay.js'
import { Retained, type RetainedLimits } from './retained.js'
import { SessionLife, type SessionLimits } from './session-life.js'
import { type Route, Sessions, type Subscription, subscriptionOf } from './sessions.js'
import type { PacketLike, StoredPacket, Will } from './stored-packet.js'
import { type OwnedWill, type Testator, Wills } from './wills.js'
import { WriteBehind } from './write-behind.js'

/**
 * A filter no client may have. It stands for a session that has no subscriptions: aedes answers Session Present only
 * when it is given some (MQTT-3.2.2-2), and asks about each before it uses it.
 */
export const SESSION_MARKER = '$session'
export interface Drop {
  readonly reason: 'limit.queue' | 'limit.retained' | 'session.expired' | 'storage.rotten'
  readonly topic: string
  readonly client: string
  readonly count: number
}

export interface PersistenceOptions {
  readonly queue: QueueLimits
  readonly retained: RetainedLimits
  readonly sessions: SessionLimits
  /** aedes hands over all filters of a SUBSCRIBE, those it refused as well. */
  readonly isGranted: (client: object, filter: string) => boolean
  /** The user behind a connection; empty when nobody knows. */
  readonly ownerOf: (client: object) => string
  readonly onDrop: (drop: Drop) => void
  readonly onCommitMs: (milliseconds: number) => void
}

export interface BrokerLike {
  readonly id: string
  counter: number
}

export class StorePersistence {
  readonly #store: Store
  readonly #log: Log
  readonly #options: PersistenceOptions
  readonly #wills: Wills
  readonly writes: WriteBehind
  readonly sessions: Sessions
  readonly queue: OfflineQueue
  readonly retained: Retained
  readonly incoming: Incoming
  readonly replays: Replays
  readonly life: SessionLife
  broker: BrokerLike = { id: '', counter: 0 }

  constructor(clock: Clock, log: Log, store: Store, options: PersistenceOptions) {
    this.#store = store
    this.#log = log
    this.#options = options
    this.writes = new WriteBehind(store, clock, log, options.onCommitMs)
    this.sessions = new Sessions(this.writes)
    this.queue = new OfflineQueue(
      store,
      this.writes,
      options.queue,
      clientId => (this.sessions.get(clientId)?.holder ?? null) !== null,
    )
    this.retained = new Retained(clock, this.writes, options.retained)
    this.replays = new Replays(this.queue, (client, topic) =>
      options.onDrop({ reason: 'storage.rotten', topic, client, count: 1 }),
    )
    this.incoming = new Incoming(this.writes)
    this.life = new SessionLife(log, this, options.sessions, (client, count) =>
      options.onDrop({ reason: 'session.expired', topic: '', client, count }),
    )
    this.#wills = new Wills(this.writes)
  }

  /** Reads everything back. @throws BoxError `storage.io` */
  async setup(broker: BrokerLike): Promise<void> {
    this.broker = broker
    const source = {
      store: this.#store,
      writes: this.writes,
      onRotten: (table: string, error: BoxError) => {
        this.#log.error('broker.row-rotten', { table, error: error.message })
        this.#options.onDrop({ reason: 'storage.rotten', topic: table, client: '', count: 1 })
      },
    }
    await this.sessions.load(source)
    await this.retained.load(source)
    await this.queue.load(source)
    await this.#wills.load(source)
    await this.incoming.load(source)
    for (const clientId of this.queue.clients())
      if (!this.sessions.get(clientId)) this.queue.clear(clientId)
    for (const clientId of this.incoming.clients())
      if (!this.sessions.get(clientId)) this.incoming.clear(clientId)
    // The same boot number twice must not give one key to two messages.
    broker.counter = Math.max(broker.counter, this.queue.lastCounterOf(broker.id))
  }

  synced(): Promise<void> {
    return this.writes.synced()
  }

  async destroy(): Promise<void> {
    await this.writes.drain()
  }

  willsOfOtherBoots(): OwnedWill[] {
    return this.#wills.all().filter(will => will.brokerId !== this.broker.id)
  }

  /** Session, queue, will and unfinished handshakes of a client that is no longer welcome. */
  forget(clientId: string): void {
    this.life.discard(clientId)
    this.forgetWill(clientId)
  }

  forgetWill(clientId: string): void {
    this.#wills.forget(clientId)
  }

  keepWills(): void {
    this.#wills.stopping()
  }

  /** False when a message of QoS 2 has come before, and its PUBREL not yet. */
  claimIncoming(client: Claimant, messageId: number): boolean {
    return this.incoming.claim(client, messageId)
  }

  /** To be called between `writes.hold()` and `writes.release()` of the message. */
  writeIncoming(packet: object): void {
    const change = this.incoming.take(packet)
    if (change) this.writes.append(change)
  }

  /**
   * A retained message becomes part of the session that it is sent to, so that it comes again when the connection breaks
   * (MQTT-4.4.0-1). False when the line of the session is full: then it is sent, but not again.
   */
  keepRetained(clientId: string, packet: PacketLike, isLazy: boolean): boolean {
    return this.queue.enqueue([clientId], packet, isLazy).length === 0
  }

  // From here on: the interface of aedes-persistence 11.

  async storeRetained(packet: PacketLike): Promise<void> {
    if (this.retained.store(packet)) return
    this.#options.onDrop({ reason: 'limit.retained', topic: packet.topic, client: '', count: 1 })
  }

  createRetainedStream(filter: string): Readable {
    return this.createRetainedStreamCombi([filter])
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.retained.tell(filters))
  }

  async addSubscriptions(client: Publisher, wanted: readonly Subscription[]): Promise<void> {
    // aedes asks about the filters of one SUBSCRIBE in one go, and calls this in between: wait for the last answer.
    await Promise.resolve()
    const granted = wanted.filter(({ topic }) => this.#options.isGranted(client, topic))
    // Refused, or thrown out meanwhile: what is gone must not come back by this.
    if (granted.length === 0) return
    if (this.sessions.subscribe(this.sessions.open(client.id, ''), granted.map(subscriptionOf)))
      await this.synced()
  }

  async removeSubscriptions(client: Publisher, filters: readonly string[]): Promise<void> {
    const session = this.sessions.get(client.id)
    if (!session) return
    this.sessions.unsubscribe(session, filters)
    await this.synced()
  }

  async subscriptionsByClient(client: Publisher): Promise<Subscription[]> {
    const session = this.sessions.get(client.id)
    if (session?.isResumed && session.subscriptions.size === 0)
      return [{ topic: SESSION_MARKER, qos: 0 }]
    return [...(session?.subscriptions.values() ?? [])].map(subscription => ({ ...subscription }))
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    const clients = [...this.sessions.all()].filter(session => session.subscriptions.size > 0)
    return { subsCount: this.sessions.routeCount, clientsCount: clients.length }
  }

  async subscriptionsByTopic(topic: string): Promise<Route[]> {
    return this.sessions.match(topic)
  }

  async cleanSubscriptions(client: Publisher): Promise<void> {
    this.life.discard(client.id)
  }

  async outgoingEnqueue(sub: { readonly clientId: string }, packet: PacketLike): Promise<void> {
    await this.outgoingEnqueueCombi([sub], packet)
  }

  async outgoingEnqueueCombi(
    subs: readonly { readonly clientId: string }[],
    packet: PacketLike,
  ): Promise<void> {
    const refused = this.queue.enqueue(
      subs.map(sub => sub.clientId),
      // The mark is for those who subscribe, and these have (MQTT-3.3.1-9).
      { ...packet, retain: false },
    )
    for (const client of refused)
      this.#options.onDrop({ reason: 'limit.queue', topic: packet.topic, client, count: 1 })
  }

  /** @throws Error when a PUBLISH is not in the queue; a PUBREL without one is let through, the receiver asked for it. */
  async outgoingUpdate(client: Publisher, packet: PacketLike | Pubrel): Promise<void> {
    const { messageId } = packet
    if (packet.cmd === 'pubrel') {
      const sent = this.queue.line(client.id)?.byMessageId.get(messageId ?? -1)
      if (sent?.message) {
        this.queue.releaseMessage(client.id, sent)
        await this.synced()
      } else if (sent) await this.writes.recovered()
      return
    }
    const entry = 'topic' in packet ? this.queue.find(client.id, packet) : undefined
    if (!entry || messageId === undefined) throw new Error('no such packet')
    const isExactlyOnce = 'qos' in packet && packet.qos === 2
    this.queue.assign(client.id, entry, messageId, !isExactlyOnce)
    // Its identifier must be on disk before the receiver sees it. A disk that fails does not end the connection.
    if (isExactlyOnce) await this.writes.recovered()
  }

  /** The message, when it is still in memory. */
  async outgoingClearMessageId(
    client: Publisher,
    packet: { readonly messageId?: number | undefined },
  ): Promise<StoredPacket | undefined> {
    const { messageId } = packet
    if (messageId === undefined) return undefined
    const entry = this.queue.line(client.id)?.byMessageId.get(messageId)
    if (!entry) return undefined
    const stored = this.queue.peek(entry)
    this.queue.remove(client.id, entry)
    return stored ? { ...stored, messageId } : undefined
  }

  outgoingStream(client: Publisher): Readable {
    return this.replays.stream(client.id)
  }

  async incomingStorePacket(client: Publisher, packet: PacketLike): Promise<void> {
    this.incoming.add(client, packet)
  }

  async incomingGetPacket(
    client: Publisher,
    packet: { readonly messageId?: number | undefined },
  ): Promise<StoredPacket> {
    const found = this.incoming.get(client, packet)
    if (!found) throw new Error('no such packet')
    return found
  }

  async incomingDelPacket(
    client: Publisher & { readonly conn?: { destroy(): unknown } },
    packet: { readonly messageId?: number | undefined },
  ): Promise<void> {
    try {
      if (await this.incoming.remove(client, packet.messageId ?? 0)) return
    } catch (error) {
      // aedes would send PUBCOMP all the same, and the identifier is not free.
      client.conn?.destroy()
      throw error
    }
    throw new Error('no such packet')
  }

  async cleanIncoming(client: Publisher): Promise<void> {
    this.incoming.clear(client.id)
  }

  /** Writes who and which broker into the will itself: aedes reads them back from it. */
  async putWill(client: Testator, will: Will): Promise<void> {
    will.brokerId = this.broker.id
    will.clientId = client.id
    this.#wills.put(client, will, this.#options.ownerOf(client))
    await this.synced().catch((error: unknown) => {
      // It is owed, and said when its client dies. Else no lamp came back to a box whose disk fails: all of them have one.
      if (!(error instanceof BoxError)) throw error
    })
  }

  async getWill(client: Publisher): Promise<Will | undefined> {
    return this.#wills.get(client.id)
  }

  async delWill(client: Testator): Promise<Will | undefined> {
    return this.#wills.remove(client)
  }

  streamWill(brokers: Readonly<Record<string, unknown>> = {}): Readable {
    return Readable.from(this.#wills.all().filter(will => !brokers[will.brokerId ?? '']))
  }

  getClientList(filter: string): Readable {
    const sessions = [...this.sessions.all()].filter(({ subscriptions }) =>
      subscriptions.has(filter),
    )
    return Readable.from(sessions.map(session => session.clientId))
  }
}
