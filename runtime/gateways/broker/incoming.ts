/**
 * Publishes of QoS 2 that wait for their PUBREL. The record is written in the same commit as what the message left
 * behind (`take`), never before: a record without its message would make the publisher's second try look like a
 * duplicate, and the message would be lost although it is acknowledged. When that commit fails, the record stays in
 * memory, for the message has been delivered; the second try is then acknowledged when the commit has been made up for.
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

/** What came under an identifier: published, or on its way to be. */
class Claim {
  readonly over: Promise<void>
  #end: () => void = () => {}
  /** It has been handed to the subscribers: from here on it must not be again. */
  isPublished = false

  constructor() {
    this.over = new Promise(resolve => {
      this.#end = resolve
    })
  }

  end(): void {
    this.#end()
  }
}

interface Receipt {
  readonly packet: StoredPacket
  /** A client with clean=true keeps nothing beyond its connection, so nothing is written for it. */
  readonly isWritten: boolean
  /** Null when it was read from the disk. */
  readonly claim: Claim | null
}

export class Incoming {
  readonly #writes: WriteBehind
  readonly #clients = new Map<string, Map<number, Receipt>>()
  /** By the packet as it came. */
  readonly #arrived = new WeakMap<object, { readonly clientId: string; readonly id: number }>()
  /** By connection: what came, whether or not it is stored yet. */
  readonly #claims = new WeakMap<object, Map<number, Claim>>()
  #payloadBytes = 0

  constructor(writes: WriteBehind) {
    this.#writes = writes
  }

  load(source: TableSource): Promise<void> {
    return loadTable(source, TABLE, PAGE_ROWS, key => {
      const slash = key.indexOf('/')
      const messageId = Number(key.slice(slash + 1))
      if (!Number.isInteger(messageId)) throw new BoxError('storage.rotten', 'not an identifier')
      const packet = { ...copyOf({ topic: '', qos: 2 }), messageId }
      const clientId = clientOfKey(key.slice(0, slash))
      this.#of(clientId).set(messageId, { packet, isWritten: true, claim: null })
    })
  }

  clients(): string[] {
    return [...this.#clients.keys()]
  }

  /**
   * False for a message that came before under this identifier and is not released yet: it must not count twice
   * (MQTT-4.3.3-2), not even when both come in one piece, before the first is stored.
   */
  claim(client: Claimant, messageId: number): boolean {
    const claims = this.#claims.get(client) ?? new Map<number, Claim>()
    if (claims.has(messageId) || this.#clients.get(client.id ?? '')?.has(messageId)) return false
    this.#claims.set(client, claims.set(messageId, new Claim()))
    return true
  }

  /** Its publishing is over: it is on disk, was refused, or has failed. What failed before anybody got it, never came. */
  end(client: Claimant, messageId: number, isFailed: boolean): void {
    const claims = this.#claims.get(client)
    const claim = claims?.get(messageId)
    if (isFailed && claim?.isPublished !== true) {
      claims?.delete(messageId)
      this.#forget(client.id ?? '', messageId)
    }
    claim?.end()
  }

  /**
   * Resolves when the first of this identifier is on disk. @throws BoxError when it is not, and nothing may be promised
   */
  async kept(client: Claimant, messageId: number): Promise<void> {
    const receipt = this.#clients.get(client.id ?? '')?.get(messageId)
    await (receipt?.claim ?? this.#claims.get(client)?.get(messageId))?.over
    await this.#writes.caughtUp()
  }

  add(client: Publisher, packet: PacketLike): void {
    const messageId = packet.messageId ?? 0
    if (this.#of(client.id).has(messageId)) return
    const size = payloadBytes(packet.payload)
    const isKept = this.#payloadBytes + size <= PAYLOAD_BYTES_MAX
    if (isKept) this.#payloadBytes += size
    const copy = copyOf(isKept ? packet : { ...packet, payload: Buffer.alloc(0) })
    this.#of(client.id).set(messageId, {
      packet: { ...copy, messageId },
      isWritten: client.clean !== true,
      claim: this.#claims.get(client)?.get(messageId) ?? null,
    })
    this.#arrived.set(packet, { clientId: client.id, id: messageId })
  }

  /** Notes that the message is with its subscribers. What has to be in its commit; null when the receipt is gone. */
  take(packet: object): Insert | null {
    const { clientId, id } = this.#arrived.get(packet) ?? { clientId: '', id: 0 }
    const receipt = this.#arrived.delete(packet) && this.#clients.get(clientId)?.get(id)
    if (!receipt) return null
    if (receipt.claim) receipt.claim.isPublished = true
    return receipt.isWritten
      ? { kind: 'put', table: TABLE, key: rowKey(clientId, id), value: new Uint8Array([1]) }
      : null
  }

  get(client: Publisher, packet: { readonly messageId?: number | undefined }): StoredPacket | null {
    return this.#clients.get(client.id)?.get(packet.messageId ?? 0)?.packet ?? null
  }

  /**
   * On PUBREL; false when there was none. It is forgotten when it is off the disk: before, the identifier's next use
   * would look doubled after a power cut. @throws BoxError when it is not
   */
  async remove(client: Publisher, messageId: number): Promise<boolean> {
    const receipt = this.#clients.get(client.id)?.get(messageId)
    if (!receipt) return false
    this.#writeRemoval(client.id, messageId, receipt)
    await this.#writes.synced()
    this.#claims.get(client)?.delete(messageId)
    if (this.#clients.get(client.id)?.get(messageId) === receipt) this.#forget(client.id, messageId)
    return true
  }

  /** The session has ended. */
  clear(clientId: string): void {
    for (const [messageId, receipt] of [...(this.#clients.get(clientId) ?? [])]) {
      this.#writeRemoval(clientId, messageId, receipt)
      this.#forget(clientId, messageId)
    }
  }

  #writeRemoval(clientId: string, messageId: number, { isWritten }: Receipt): void {
    if (isWritten)
      this.#writes.append({ kind: 'remove', table: TABLE, key: rowKey(clientId, messageId) })
  }

  #forget(clientId: string, messageId: number): void {
    const receipts = this.#clients.get(clientId)
    const receipt = receipts?.get(messageId)
    if (!receipts || !receipt) return
    receipts.delete(messageId)
    if (receipts.size === 0) this.#clients.delete(clientId)
    this.#payloadBytes -= payloadBytes(receipt.packet.payload)
  }

  #of(clientId: string): Map<number, Receipt> {
    const receipts = this.#clients.get(clientId) ?? new Map<number, Receipt>()
    this.#clients.set(clientId, receipts)
    return receipts
  }
}

const rowKey = (clientId: string, messageId: number): string =>
  `${clientKey(clientId)}/${String(messageId).padStart(5, '0')}`
