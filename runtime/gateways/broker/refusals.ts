/** Every message and every client that is turned away: counted by reason, told on the bus, never silent. */
import type { Bus } from '../../core/bus.js'
import { after } from '../../core/time.js'
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { Messages } from '../../topics.js'

export const refusalReasons = [
  /** The payload of a command is not what it should be. */
  'command.invalid',
  /** Retained, doubled, from before the connection, or while the box is not ready. */
  'command.refused',
  /** The client may not write there. */
  'publish.denied',
  'publish.throttled',
  'subscribe.denied',
  'subscribe.limit',
  'limit.queue',
  'limit.retained',
  'session.expired',
  'slow.qos0',
  'slow.closed',
  'packet.large',
  'client.credentials',
  /** Its certificate ran out. */
  'client.expired',
  'client.identifier',
  'client.keepalive',
  'client.limit',
  'client.protocol',
  'client.revoked',
  /** It did not get through the handshake. */
  'client.tls',
  'client.will',
  'storage.failed',
  'storage.rotten',
] as const

export type RefusalReason = (typeof refusalReasons)[number]

/** A message that was kept or promised, and did not get where it should. */
const dropReasons: ReadonlySet<string> = new Set<RefusalReason>([
  'limit.queue',
  'session.expired',
  'slow.qos0',
  'storage.failed',
  'storage.rotten',
])
/** Delivered all the same. */
const delivered: ReadonlySet<string> = new Set<RefusalReason>([
  'limit.retained',
  'publish.throttled',
])

type Counts = Readonly<Partial<Record<string, number>>>

const sumOf = (counts: Counts, isMeant: (reason: string) => boolean): number =>
  Object.entries(counts).reduce((sum, [reason, n = 0]) => sum + (isMeant(reason) ? n : 0), 0)

export const droppedIn = (counts: Counts): number =>
  sumOf(counts, reason => dropReasons.has(reason))

/** Clients and messages that were turned away. */
export const refusedIn = (counts: Counts): number =>
  sumOf(counts, reason => !dropReasons.has(reason) && !delivered.has(reason))

export interface Refusal {
  readonly topic: string
  readonly client: string
  readonly message: string
}

/** Beyond this many of one reason a second, only the count goes on. A sender of commands is told each time. */
const TOLD_PER_SECOND = 20

interface Tally {
  total: number
  sinceMs: MonotonicMs
  told: number
  untold: number
}

export class Refusals {
  readonly #clock: Clock
  readonly #log: Log
  readonly #bus: Bus<Messages>
  readonly #tallies = new Map<RefusalReason, Tally>()

  constructor(clock: Clock, log: Log, bus: Bus<Messages>) {
    this.#clock = clock
    this.#log = log
    this.#bus = bus
  }

  note(reason: RefusalReason, refusal: Refusal, count = 1): void {
    const tally = this.#tally(reason)
    tally.total += count
    const isCommand = reason.startsWith('command.')
    if (!isCommand && tally.told >= TOLD_PER_SECOND) {
      tally.untold += count
      return
    }
    tally.told++
    const more = tally.untold > 0 ? ` (and ${tally.untold} more like it)` : ''
    tally.untold = 0
    const told = {
      topic: refusal.topic.slice(0, 256),
      client: refusal.client.slice(0, 128),
      code: reason,
      message: `${refusal.message}${more}`.slice(0, 1024),
    }
    if (!isCommand) this.#log.warn('broker.refused', told)
    this.#bus.publish('message/refused', told)
  }

  /** How many of each, since the start. */
  read(): Readonly<Partial<Record<RefusalReason, number>>> {
    return Object.fromEntries([...this.#tallies].map(([reason, { total }]) => [reason, total]))
  }

  #tally(reason: RefusalReason): Tally {
    const now = this.#clock.monotonicMs()
    const tally = this.#tallies.get(reason) ?? { total: 0, sinceMs: now, told: 0, untold: 0 }
    if (now >= after(tally.sinceMs, 1_000)) {
      tally.sinceMs = now
      tally.told = 0
    }
    this.#tallies.set(reason, tally)
    return tally
  }
}
