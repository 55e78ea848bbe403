/**
 * Retained messages: all in memory, and on disk those a client published with QoS 1 or 2. What the box itself retains is
 * published anew at each start, and QoS 0 promises nothing (MQTT-3.3.1-7): neither wears out the card.
 */
import type { Clock } from '../../ports/clock.js'
import { loadTable, type TableSource } from './load-table.js'
import { decodePacket, encodePacket, type PacketLike, payloadBytes } from './stored-packet.js'
import { TopicMap } from './topic-tree.js'
import { Turns } from './turns.js'
import type { WriteBehind } from './write-behind.js'

const TABLE = 'mqtt-retained'
const PAGE_ROWS = 64
/** So many are told in one turn of the main loop, to all who subscribe together. */
const TOLD_PER_TURN = 32
/** A filter may have to be held against all that is kept: so many cost as much as telling one. */
const LOOKED_AT_PER_ONE = 500

/** Bounds for what others publish. The box's own states are bounded by the box. */
export interface RetainedLimits {
  readonly countMax: number
  readonly bytesMax: number
  /** Topics that only this box publishes. */
  readonly isVolatile: (topic: string) => boolean
}

interface Kept {
  readonly packet: PacketLike
  readonly bytes: number
  readonly isOnDisk: boolean
  readonly isOurs: boolean
}

export class Retained {
  readonly #turns: Turns
  readonly #writes: WriteBehind
  readonly #limits: RetainedLimits
  readonly #kept = new TopicMap<Kept>()
  #bytes = 0
  #foreignCount = 0
  #foreignBytes = 0

  constructor(clock: Clock, writes: WriteBehind, limits: RetainedLimits) {
    this.#turns = new Turns(clock, TOLD_PER_TURN)
    this.#writes = writes
    this.#limits = limits
  }

  get count(): number {
    return this.#kept.size
  }

  get bytes(): number {
    return this.#bytes
  }

  load(source: TableSource): Promise<void> {
    return loadTable(source, TABLE, PAGE_ROWS, (_, value) => {
      const { clientId: __, owner: ___, ...packet } = decodePacket(value)
      this.#keep(packet, true)
    })
  }

  /** False when a limit forbids it; the message itself may still be delivered. An empty payload removes (MQTT-3.3.1-10). */
  store(packet: PacketLike): boolean {
    const before = this.#kept.get(packet.topic)
    if (payloadBytes(packet.payload) === 0) {
      this.#forget(packet.topic)
      if (before?.isOnDisk === true) this.#remove(packet)
      return true
    }
    const isOurs = this.#limits.isVolatile(packet.topic)
    if (!isOurs && this.#isFull(packet, before)) return false
    const isOnDisk = (packet.qos ?? 0) > 0 && !isOurs
    this.#keep({ ...packet }, isOnDisk)
    if (isOnDisk)
      this.#writes.append({
        kind: 'put',
        table: TABLE,
        key: packet.topic,
        value: encodePacket(packet),
      })
    else if (before?.isOnDisk === true) this.#remove(packet)
    return true
  }

  /** For who subscribes: each once, even when several filters reach it, and as it is when its turn comes. */
  async *tell(filters: readonly string[]): AsyncGenerator<PacketLike, void> {
    const told = new Set<string>()
    for (const filter of filters) {
      await this.#turns.take(1 + this.count / LOOKED_AT_PER_ONE)
      for (const { packet } of this.#kept.select(filter)) {
        if (told.has(packet.topic)) continue
        told.add(packet.topic)
        await this.#turns.take(1)
        const latest = this.get(packet.topic)
        if (latest) yield latest
      }
    }
  }

  get(topic: string): PacketLike | undefined {
    return this.#kept.get(topic)?.packet
  }

  #isFull(packet: PacketLike, before: Kept | undefined): boolean {
    const { countMax, bytesMax } = this.#limits
    const bytes = this.#foreignBytes - (before?.bytes ?? 0) + sizeOf(packet)
    return bytes > bytesMax || (!before && this.#foreignCount >= countMax)
  }

  #keep(packet: PacketLike, isOnDisk: boolean): void {
    this.#forget(packet.topic)
    const bytes = sizeOf(packet)
    const isOurs = this.#limits.isVolatile(packet.topic)
    this.#kept.set(packet.topic, { packet, bytes, isOnDisk, isOurs })
    this.#bytes += bytes
    if (isOurs) return
    this.#foreignCount++
    this.#foreignBytes += bytes
  }

  #forget(topic: string): void {
    const kept = this.#kept.get(topic)
    if (!kept) return
    this.#kept.delete(topic)
    this.#bytes -= kept.bytes
    if (kept.isOurs) return
    this.#foreignCount--
    this.#foreignBytes -= kept.bytes
  }

  #remove(packet: PacketLike): void {
    this.#writes.append({ kind: 'remove', table: TABLE, key: packet.topic })
  }
}

const sizeOf = (packet: PacketLike): number =>
  payloadBytes(packet.payload) + Buffer.byteLength(packet.topic)
