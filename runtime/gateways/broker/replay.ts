/**
 * Sending a session's queue again after it reconnected. Until the end is reached, what is new joins the end of the line
 * instead of overtaking it (MQTT-4.6.0-6): live delivery asks `isReplaying` and leaves such messages to this file.
 */
import type { Readable } from 'node:stream'
import { Readable as ReadableStream } from 'node:stream'
import { BoxError } from '../../core/errors.js'
import type { Entry, OfflineQueue } from './offline-queue.js'
import type { PacketLike, StoredPacket } from './stored-packet.js'

export interface Pubrel {
  readonly cmd: 'pubrel'
  readonly messageId: number | undefined
}

export class Replays {
  readonly #queue: OfflineQueue
  readonly #rounds = new Map<string, Round>()
  readonly #onLost: (clientId: string, topic: string) => void

  /** @param onLost told of a message that is in the line but can no longer be read */
  constructor(queue: OfflineQueue, onLost: (clientId: string, topic: string) => void) {
    this.#queue = queue
    this.#onLost = onLost
  }

  begin(clientId: string): void {
    this.#rounds.get(clientId)?.end()
    this.#rounds.set(clientId, new Round())
  }

  end(clientId: string): void {
    this.#rounds.get(clientId)?.end()
    this.#rounds.delete(clientId)
  }

  isReplaying(clientId: string): boolean {
    return this.#rounds.get(clientId)?.isOver === false
  }

  /** The connection has this one; the next may be read. */
  sent(clientId: string, packet: PacketLike): void {
    this.#rounds.get(clientId)?.sent(packet)
  }

  stream(clientId: string): Readable {
    return ReadableStream.from(this.#run(clientId, this.#rounds.get(clientId) ?? null))
  }

  /** What is added to the line while it is being sent is sent too: the iterator of a Map sees it. */
  async *#run(clientId: string, round: Round | null): AsyncGenerator<StoredPacket | Pubrel, void> {
    for (const entry of this.#queue.line(clientId)?.entries.values() ?? []) {
      if (entry.message === null) yield { cmd: 'pubrel', messageId: entry.messageId }
      else {
        const packet = await this.#read(clientId, entry)
        if (round?.isOver) return
        const isSent = packet && round?.until(packet)
        if (packet) yield { ...packet, messageId: entry.messageId }
        await isSent
      }
    }
    round?.end()
  }

  /** A message that is rotten must not keep its session from ever connecting again: it is given up, and told. */
  async #read(clientId: string, entry: Entry): Promise<StoredPacket | null> {
    try {
      const packet = await this.#queue.read(entry)
      if (packet) return packet
    } catch (error) {
      if (!(error instanceof BoxError && error.code === 'storage.rotten')) throw error
    }
    this.#queue.remove(clientId, entry)
    this.#onLost(clientId, '')
    return null
  }
}

/** From CONNECT to the last entry of the line, or to the end of the connection. */
class Round {
  #awaited: { readonly brokerCounter: number | undefined; readonly done: () => void } | null = null
  isOver = false

  until(packet: StoredPacket): Promise<void> {
    return new Promise(done => {
      this.#awaited = { brokerCounter: packet.brokerCounter, done }
    })
  }

  sent(packet: PacketLike): void {
    if (this.#awaited?.brokerCounter === packet.brokerCounter) this.#awaited?.done()
  }

  end(): void {
    this.isOver = true
    this.#awaited?.done()
  }
}
