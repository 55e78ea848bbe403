/** Last wills, on disk from CONNECT on: a broker that crashes owes them to the subscribers after its restart. */
import { loadTable, type TableSource } from './load-table.js'
import { clientKey, clientOfKey, decodePacket, encodePacket, type Will } from './stored-packet.js'
import type { WriteBehind } from './write-behind.js'

const TABLE = 'mqtt-will'
const PAGE_ROWS = 64

/** A connection, or what is left to be said of one. */
export interface Testator {
  readonly id: string
  readonly closed?: boolean | undefined
}

/** A will with the user it speaks for; its client identifier need not be that user's name. */
export interface OwnedWill extends Will {
  readonly owner?: string | undefined
}

interface Kept {
  readonly will: OwnedWill
  /** Null for one of a former life. */
  readonly testator: Testator | null
}

export class Wills {
  readonly #writes: WriteBehind
  readonly #kept = new Map<string, Kept>()
  #isStopping = false

  constructor(writes: WriteBehind) {
    this.#writes = writes
  }

  load(source: TableSource): Promise<void> {
    return loadTable(source, TABLE, PAGE_ROWS, (key, value) => {
      const { topic, payload, qos, retain, brokerId, owner } = decodePacket(value)
      const clientId = clientOfKey(key)
      const will = { topic, payload, qos, retain, brokerId, clientId, owner }
      this.#kept.set(clientId, { will, testator: null })
    })
  }

  /** @param owner empty when nobody knows */
  put(testator: Testator, will: Will, owner: string): void {
    const owned = owner === '' ? will : { ...will, owner }
    this.#kept.set(testator.id, { will: owned, testator })
    this.#writes.append({
      kind: 'put',
      table: TABLE,
      key: clientKey(testator.id),
      value: encodePacket(owned),
    })
  }

  get(clientId: string): Will | undefined {
    return this.#kept.get(clientId)?.will
  }

  /**
   * A connection that is taken over says goodbye after its successor has put its own will: nobody removes the will of
   * another connection while that one is open.
   */
  remove(by: Testator): Will | undefined {
    const kept = this.#kept.get(by.id)
    const isAnothers = kept?.testator?.closed === false && kept.testator !== by
    if (!kept || this.#isStopping || isAnothers) return kept?.will
    this.forget(by.id)
    return kept.will
  }

  /** Of somebody who is no longer welcome. */
  forget(clientId: string): void {
    if (!this.#kept.delete(clientId)) return
    this.#writes.appendLazily({ kind: 'remove', table: TABLE, key: clientKey(clientId) })
  }

  all(): OwnedWill[] {
    return [...this.#kept.values()].map(({ will }) => will)
  }

  /** From now on wills stay: the clients did not leave, we do. They are published after the restart if nobody returns. */
  stopping(): void {
    this.#isStopping = true
  }
}
