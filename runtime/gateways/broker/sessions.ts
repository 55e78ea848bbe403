/** Who subscribed to what with clean=false. In memory for routing, one row per session in the store. */
import {
  boolean,
  check,
  either,
  integer,
  list,
  literal,
  type Of,
  object,
  optional,
  string,
} from '../../core/schema.js'
import { loadTable, type TableSource } from './load-table.js'
import { clientKey, clientOfKey, type QoS, qosOf } from './stored-packet.js'
import { FilterMap } from './topic-tree.js'
import type { WriteBehind } from './write-behind.js'

const TABLE = 'mqtt-session'
const PAGE_ROWS = 256

/** One subscription, with the options of MQTT 5 that aedes hands through. */
export interface Subscription {
  readonly topic: string
  readonly qos: QoS
  readonly rh?: number | undefined
  readonly rap?: boolean | undefined
  readonly nl?: boolean | undefined
  readonly subscriptionIdentifier?: number | undefined
}

export interface Route {
  readonly clientId: string
  readonly topic: string
  readonly qos: QoS
  readonly rh?: number | undefined
  readonly rap?: boolean | undefined
  readonly nl?: boolean | undefined
}

export interface Session {
  readonly clientId: string
  /** Whose session it is: nobody else may take it over. Empty for a session without an owner. */
  owner: string
  /**
   * Hours that the box was on while the client was away. Not wall time: a clock that is set at boot must not expire
   * what was queued a minute ago.
   */
  idleHours: number
  /** The connection that has the session now. */
  holder: object | null
  /** Whether a CONNECT found it here: what CONNACK says as Session Present (MQTT-3.2.2-2). */
  isResumed: boolean
  readonly subscriptions: Map<string, Subscription>
}

export const sessionRow = object({
  owner: string({ max: 128 }),
  idleHours: integer({ min: 0, max: 1e6 }),
  subscriptions: list(
    object({
      topic: string({ min: 1, max: 65_535 }),
      qos: either(literal(0), literal(1), literal(2)),
      rh: optional(integer({ min: 0, max: 2 })),
      rap: optional(boolean),
      nl: optional(boolean),
      subscriptionIdentifier: optional(integer({ min: 1, max: 268_435_455 })),
    }),
    { max: 10_000 },
  ),
})

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export class Sessions {
  readonly #writes: WriteBehind
  readonly #sessions = new Map<string, Session>()
  readonly #routes = new FilterMap<Route>()

  constructor(writes: WriteBehind) {
    this.#writes = writes
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Subscriptions that can queue: QoS 1 and 2. */
  get routeCount(): number {
    return this.#routes.size
  }

  load(source: TableSource): Promise<void> {
    return loadTable(source, TABLE, PAGE_ROWS, (key, value) =>
      this.#restore(clientOfKey(key), check(sessionRow, JSON.parse(decoder.decode(value)), TABLE)),
    )
  }

  get(clientId: string): Session | undefined {
    return this.#sessions.get(clientId)
  }

  all(): IterableIterator<Session> {
    return this.#sessions.values()
  }

  open(clientId: string, owner: string): Session {
    const session = this.#sessions.get(clientId) ?? this.#create(clientId)
    if (session.owner === '') session.owner = owner
    return session
  }

  /** Memory at once, disk with the next commit. Says whether anything was new. */
  subscribe(session: Session, subscriptions: readonly Subscription[]): boolean {
    let isChanged = false
    for (const subscription of subscriptions) {
      const before = session.subscriptions.get(subscription.topic)
      if (before && isSame(before, subscription)) continue
      isChanged = true
      this.#route(session, subscription)
    }
    if (isChanged) this.save(session)
    return isChanged
  }

  unsubscribe(session: Session, filters: readonly string[]): void {
    let isChanged = false
    for (const filter of filters) {
      if (!session.subscriptions.delete(filter)) continue
      isChanged = true
      this.#routes.delete(filter, session.clientId)
    }
    if (isChanged) this.save(session)
  }

  remove(session: Session): void {
    for (const filter of session.subscriptions.keys()) this.#routes.delete(filter, session.clientId)
    this.#sessions.delete(session.clientId)
    this.#writes.append({ kind: 'remove', table: TABLE, key: clientKey(session.clientId) })
  }

  match(topic: string): Route[] {
    return this.#routes.match(topic)
  }

  save(session: Session): void {
    const { owner, idleHours, subscriptions } = session
    this.#writes.append({
      kind: 'put',
      table: TABLE,
      key: clientKey(session.clientId),
      value: encoder.encode(
        JSON.stringify({ owner, idleHours, subscriptions: [...subscriptions.values()] }),
      ),
    })
  }

  #create(clientId: string): Session {
    const session: Session = {
      clientId,
      owner: '',
      idleHours: 0,
      holder: null,
      isResumed: false,
      subscriptions: new Map(),
    }
    this.#sessions.set(clientId, session)
    return session
  }

  #restore(clientId: string, saved: Of<typeof sessionRow>): void {
    const session = this.#create(clientId)
    session.owner = saved.owner
    session.idleHours = saved.idleHours
    for (const subscription of saved.subscriptions) this.#route(session, subscription)
  }

  #route(session: Session, subscription: Subscription): void {
    const { topic, qos, rh, rap, nl } = subscription
    session.subscriptions.set(topic, subscription)
    if (qos > 0)
      this.#routes.set(topic, session.clientId, {
        clientId: session.clientId,
        topic,
        qos,
        rh,
        rap,
        nl,
      })
    else this.#routes.delete(topic, session.clientId)
  }
}

/** A copy with only the fields we keep. */
export function subscriptionOf(from: Subscription): Subscription {
  const { topic, rh, rap, nl, subscriptionIdentifier } = from
  return {
    topic,
    qos: qosOf(from.qos),
    rh,
    rap,
    nl,
    ...(subscriptionIdentifier === undefined ? {} : { subscriptionIdentifier }),
  }
}

const isSame = (a: Subscription, b: Subscription): boolean =>
  a.qos === b.qos &&
  a.rh === b.rh &&
  a.rap === b.rap &&
  a.nl === b.nl &&
  a.subscriptionIdentifier === b.subscriptionIdentifier
