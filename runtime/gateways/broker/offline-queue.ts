/**
 * What each persistent session has not acknowledged yet. An index in memory, the messages in the store: a message once,
 * however many sessions wait for it, and one small row per session. Small messages stay in memory as well, so that a
 * session that is online costs no reading.
 */
import { boolean, check, integer, nullable, object } from '../../core/schema.js'
import type { Store } from '../../ports/store.js'
import { loadTable, type TableSource } from './load-table.js'
import {
  clientKey,
  clientOfKey,
  copyOf,
  decodePacket,
  encodePacket,
  messageKey,
  type PacketLike,
  payloadBytes,
  type StoredPacket,
} from './stored-packet.js'
import type { WriteBehind } from './write-behind.js'

const MESSAGES = 'mqtt-message'
const QUEUE = 'mqtt-queue'
const MESSAGE_PAGE_ROWS = 32
const QUEUE_PAGE_ROWS = 1_000
const CACHE_BYTES_MAX = 4 * 1024 * 1024
/** What one entry of the index costs, roughly: counted against the limit so that empty messages are not free. */
const ENTRY_BYTES = 256

export interface QueueLimits {
  readonly perSessionMax: number
  /** For a session that is online: what it has been sent and not yet acknowledged counts as well. */
  readonly perOnlineSessionMax: number
  readonly bytesMax: number
}

interface Message {
  readonly key: string
  readonly bytes: number
  waiting: number
  cached: StoredPacket | null
}

export interface Entry {
  /** Null once the receiver has it (QoS 2, after PUBREC): only the identifier is kept then. */
  message: Message | null
  readonly key: string
  messageId: number | undefined
  /** How often this process handed it to a connection; entries of an earlier boot start at 1, so they carry DUP. */
  sends: number
  /** The connection that was given it last. */
  sentTo: object | null
}

export class Line {
  readonly entries = new Map<string, Entry>()
  readonly byMessageId = new Map<number, Entry>()
}

export const queueRow = object({
  messageId: nullable(integer({ min: 0, max: 65_535 })),
  isReleased: boolean,
})

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export class OfflineQueue {
  readonly #store: Store
  readonly #writes: WriteBehind
  readonly #limits: QueueLimits
  readonly #isOnline: (clientId: string) => boolean
  readonly #messages = new Map<string, Message>()
  readonly #lines = new Map<string, Line>()
  #bytes = 0
  #cachedBytes = 0
  #count = 0

  constructor(
    store: Store,
    writes: WriteBehind,
    limits: QueueLimits,
    isOnline: (clientId: string) => boolean,
  ) {
    this.#store = store
    this.#writes = writes
    this.#limits = limits
    this.#isOnline = isOnline
  }

  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#bytes
  }

  line(clientId: string): Line | undefined {
    return this.#lines.get(clientId)
  }

  /** Clients whose line came from the store; those without a session are dropped by the caller. */
  clients(): string[] {
    return [...this.#lines.keys()]
  }

  /** The highest number a broker of this id has given out: it must not give out one twice. */
  lastCounterOf(brokerId: string): number {
    let last = 0
    for (const key of this.#messages.keys())
      if (key.startsWith(`${brokerId}:`)) last = Math.max(last, Number(key.slice(-16)) || 0)
    return last
  }

  async load(source: TableSource): Promise<void> {
    await loadTable(source, MESSAGES, MESSAGE_PAGE_ROWS, (key, value) => {
      const message = this.#newMessage(key, decodePacket(value))
      this.#messages.set(key, message)
      this.#bytes += message.bytes
    })
    await loadTable(source, QUEUE, QUEUE_PAGE_ROWS, (key, value) => this.#restore(key, value))
    for (const message of [...this.#messages.values()])
      if (message.waiting === 0) this.#dropMessage(message)
  }

  /**
   * Says which clients could not take it: their line is full, or all lines together are.
   * @param isLazy a power cut soon after may lose it
   */
  enqueue(clientIds: Iterable<string>, packet: PacketLike, isLazy = false): readonly string[] {
    const key = messageKey(packet)
    const message = this.#messages.get(key) ?? this.#newMessage(key, packet)
    const refused: string[] = []
    for (const clientId of new Set(clientIds))
      if (!this.#add(clientId, message, isLazy)) refused.push(clientId)
    if (message.waiting === 0) this.#release(message)
    else if (this.#messages.get(key) !== message) {
      this.#messages.set(key, message)
      this.#bytes += message.bytes
      this.#write({ kind: 'put', table: MESSAGES, key, value: encodePacket(packet) }, isLazy)
    }
    return refused
  }

  find(clientId: string, packet: PacketLike): Entry | undefined {
    return this.#lines.get(clientId)?.entries.get(messageKey(packet))
  }

  /** Gives the entry the identifier it is sent under. QoS 1 may lose it in a power cut, QoS 2 may not. */
  assign(clientId: string, entry: Entry, messageId: number, isLazy: boolean): void {
    const line = this.#line(clientId)
    entry.sends++
    if (entry.messageId === messageId) return
    if (entry.messageId !== undefined && line.byMessageId.get(entry.messageId) === entry)
      line.byMessageId.delete(entry.messageId)
    entry.messageId = messageId
    line.byMessageId.set(messageId, entry)
    this.#save(clientId, entry, isLazy)
  }

  /**
   * QoS 2: the receiver has the message; what is left is PUBREL under this identifier. PUBREL has to wait until that is
   * on disk: whoever has answered it takes the identifier for a new message.
   */
  releaseMessage(clientId: string, entry: Entry): void {
    if (entry.message) this.#leave(entry.message)
    entry.message = null
    this.#save(clientId, entry, false)
  }

  remove(clientId: string, entry: Entry): void {
    const line = this.#lines.get(clientId)
    if (!line?.entries.delete(entry.key)) return
    this.#count--
    if (entry.messageId !== undefined && line.byMessageId.get(entry.messageId) === entry)
      line.byMessageId.delete(entry.messageId)
    // What was released has an identifier that is free from now on: its row must be gone before the next one's is there.
    const isLazy = entry.message !== null
    this.#write({ kind: 'remove', table: QUEUE, key: rowKey(clientId, entry.key) }, isLazy)
    if (entry.message) this.#leave(entry.message)
  }

  /** A session that ends takes its line with it. */
  clear(clientId: string): void {
    for (const entry of [...(this.#lines.get(clientId)?.entries.values() ?? [])])
      this.remove(clientId, entry)
    this.#lines.delete(clientId)
  }

  /** Null when the message is no longer there or cannot be read. @throws BoxError `storage.rotten`, `storage.io` */
  async read(entry: Entry): Promise<StoredPacket | null> {
    if (!entry.message) return null
    if (entry.message.cached) return { ...entry.message.cached }
    const bytes = await this.#store.read(MESSAGES, entry.message.key)
    if (bytes === null) return null
    const { clientId: _, owner: __, ...packet } = decodePacket(bytes)
    return packet
  }

  /** What is in memory of it, if anything; does not wait. */
  peek(entry: Entry): StoredPacket | null {
    return entry.message?.cached ? { ...entry.message.cached } : null
  }

  #newMessage(key: string, packet: PacketLike): Message {
    const size = payloadBytes(packet.payload)
    const isCached = this.#cachedBytes + size <= CACHE_BYTES_MAX
    if (isCached) this.#cachedBytes += size
    return { key, bytes: size + ENTRY_BYTES, waiting: 0, cached: isCached ? copyOf(packet) : null }
  }

  #add(clientId: string, message: Message, isLazy: boolean): boolean {
    const line = this.#line(clientId)
    if (line.entries.has(message.key)) return true
    const { perSessionMax, perOnlineSessionMax, bytesMax } = this.#limits
    const countMax = this.#isOnline(clientId) ? perOnlineSessionMax : perSessionMax
    const isFull = line.entries.size >= countMax || this.#bytes + message.bytes > bytesMax
    if (isFull) return false
    const entry: Entry = {
      message,
      key: message.key,
      messageId: undefined,
      sends: 0,
      sentTo: null,
    }
    line.entries.set(message.key, entry)
    message.waiting++
    this.#count++
    this.#bytes += ENTRY_BYTES
    this.#save(clientId, entry, isLazy)
    return true
  }

  #leave(message: Message): void {
    this.#bytes -= ENTRY_BYTES
    if (--message.waiting === 0) this.#dropMessage(message)
  }

  #dropMessage(message: Message): void {
    this.#messages.delete(message.key)
    this.#bytes -= message.bytes
    this.#release(message)
    this.#writes.appendLazily({ kind: 'remove', table: MESSAGES, key: message.key })
  }

  #release(message: Message): void {
    if (message.cached) this.#cachedBytes -= payloadBytes(message.cached.payload)
    message.cached = null
  }

  #save(clientId: string, entry: Entry, isLazy: boolean): void {
    const saved = { messageId: entry.messageId ?? null, isReleased: entry.message === null }
    const value = encoder.encode(JSON.stringify(saved))
    this.#write({ kind: 'put', table: QUEUE, key: rowKey(clientId, entry.key), value }, isLazy)
  }

  #write(change: Parameters<WriteBehind['appendLazily']>[0], isLazy: boolean): void {
    if (isLazy) this.#writes.appendLazily(change)
    else this.#writes.append(change)
  }

  #line(clientId: string): Line {
    const line = this.#lines.get(clientId) ?? new Line()
    this.#lines.set(clientId, line)
    return line
  }

  #restore(key: string, value: Uint8Array): void {
    const saved = check(queueRow, JSON.parse(decoder.decode(value)), QUEUE)
    const slash = key.indexOf('/')
    const clientId = clientOfKey(key.slice(0, slash))
    const message = saved.isReleased ? null : this.#messages.get(key.slice(slash + 1))
    if (message === undefined) {
      this.#writes.appendLazily({ kind: 'remove', table: QUEUE, key })
      return
    }
    const entry: Entry = {
      message,
      key: key.slice(slash + 1),
      messageId: saved.messageId ?? undefined,
      sends: 1,
      sentTo: null,
    }
    const line = this.#line(clientId)
    line.entries.set(entry.key, entry)
    if (entry.messageId !== undefined) line.byMessageId.set(entry.messageId, entry)
    this.#count++
    if (!message) return
    message.waiting++
    this.#bytes += ENTRY_BYTES
  }
}

const rowKey = (clientId: string, key: string): string => `${clientKey(clientId)}/${key}`
