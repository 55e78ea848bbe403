/**
 * Publishes of QoS 2 that wait for their PUBREL. The record is written in the same commit as what the message left
 * behind (`take`), never before: a record without its message would make the publisher's second try look like a
 * duplicate, and the message would be lost although it is acknowledged.
 */
import { BoxError } from '../../core/errors.js'
import type { Change } from '../../ports/store.js'
import { loadTable, type TableSource } from './load-table.js'
import {
  clientKey,
  clientOfKey,
  copyOf,
  type PacketLike,
  payloadBytes,
  type StoredPacket,
} from './stored-packet.js'
import type { WriteBehind } from './write-behind.js'

const TABLE = 'mqtt-incoming'
const PAGE_ROWS = 1_000
/** Payloads kept for the asking; beyond it only the identifiers are, and nothing but a test asks. */
const PAYLOAD_BYTES_MAX = 1024 * 1024

export interface Publisher {
  readonly id: string
  readonly clean?: boolean | undefined
}

/** A connection. */
export interface Claimant {
  readonly id: string | null
}

type Insert = Extract<Change, { kind: 'put' }>

export class Incoming {
  readonly #writes: WriteBehind
  readonly #clients = new Map<string, Map<number, StoredPacket>>()
  readonly #unwritten = new WeakMap<object, Insert>()
  /** By connection: what came, whether or not it is stored yet. */
  readonly #claimed = new WeakMap<object, Set<number>>()
  #payloadBytes = 0

  constructor(writes: WriteBehind) {
    this.#writes = writes
  }

  load(source: TableSource): Promise<void> {
    return loadTable(source, TABLE, PAGE_ROWS, key => {
      const slash = key.indexOf('/')
      const messageId = Number(key.slice(slash + 1))
      if (!Number.isInteger(messageId)) throw new BoxError('storage.rotten', 'not an identifier')
      this.#of(clientOfKey(key.slice(0, slash))).set(messageId, {
        ...copyOf({ topic: '', qos: 2 }),
        messageId,
      })
    })
  }

  /**
   * False for a message that came before under this identifier and is not released yet: it must not count twice
   * (MQTT-4.3.3-2), not even when both come in one piece, before the first is stored.
   */
  claim(client: Claimant, messageId: number): boolean {
    const claimed = this.#claimed.get(client) ?? new Set()
    if (claimed.has(messageId) || this.#clients.get(client.id ?? '')?.has(messageId)) return false
    this.#claimed.set(client, claimed.add(messageId))
    return true
  }

  /** A client with clean=true keeps nothing beyond its connection, so nothing is written for it. */
  add(client: Publisher, packet: PacketLike): void {
    const messageId = packet.messageId ?? 0
    if (this.#of(client.id).has(messageId)) return
    const size = payloadBytes(packet.payload)
    const isKept = this.#payloadBytes + size <= PAYLOAD_BYTES_MAX
    if (isKept) this.#payloadBytes += size
    this.#of(client.id).set(messageId, {
      ...copyOf(isKept ? packet : { ...packet, payload: Buffer.alloc(0) }),
      messageId,
    })
    if (client.clean !== true)
      this.#unwritten.set(packet, {
        kind: 'put',
        table: TABLE,
        key: rowKey(client.id, messageId),
        value: new Uint8Array([1]),
      })
  }

  /** What has to be in the commit of this message. */
  take(packet: object): Insert | null {
    const change = this.#unwritten.get(packet) ?? null
    this.#unwritten.delete(packet)
    return change
  }

  get(client: Publisher, packet: { readonly messageId?: number | undefined }): StoredPacket | null {
    return this.#clients.get(client.id)?.get(packet.messageId ?? 0) ?? null
  }

  /** False when there was none. On disk with the next commit; wait for it, or the identifier's next use looks doubled. */
  remove(client: Publisher, messageId: number): boolean {
    this.#claimed.get(client)?.delete(messageId)
    const packets = this.#clients.get(client.id)
    const packet = packets?.get(messageId)
    if (!packets || !packet) return false
    packets.delete(messageId)
    if (packets.size === 0) this.#clients.delete(client.id)
    this.#payloadBytes -= payloadBytes(packet.payload)
    if (client.clean !== true)
      this.#writes.append({ kind: 'remove', table: TABLE, key: rowKey(client.id, messageId) })
    return true
  }

  clear(clientId: string): void {
    for (const messageId of [...(this.#clients.get(clientId)?.keys() ?? [])])
      this.remove({ id: clientId }, messageId)
  }

  #of(clientId: string): Map<number, StoredPacket> {
    const packets = this.#clients.get(clientId) ?? new Map<number, StoredPacket>()
    this.#clients.set(clientId, packets)
    return packets
  }
}

const rowKey = (clientId: string, messageId: number): string =>
  `${clientKey(clientId)}/${String(messageId).padStart(5, '0')}`
