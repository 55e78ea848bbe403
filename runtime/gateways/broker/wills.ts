/** Last wills, on disk from CONNECT on: a broker that crashes owes them to the subscribers after its restart. */
import { loadTable, type TableSource } from './load-table.js'
import { clientKey, clientOfKey, decodePacket, encodePacket, type Will } from './stored-packet.js'
import type { WriteBehind } from './write-behind.js'

const TABLE = 'mqtt-will'
const PAGE_ROWS = 64

export class Wills {
  readonly #writes: WriteBehind
  readonly #wills = new Map<string, Will>()
  #isStopping = false

  constructor(writes: WriteBehind) {
    this.#writes = writes
  }

  load(source: TableSource): Promise<void> {
    return loadTable(source, TABLE, PAGE_ROWS, (key, value) => {
      const { topic, payload, qos, retain, brokerId } = decodePacket(value)
      const clientId = clientOfKey(key)
      this.#wills.set(clientId, { topic, payload, qos, retain, brokerId, clientId })
    })
  }

  put(clientId: string, will: Will): void {
    this.#wills.set(clientId, will)
    this.#writes.append({
      kind: 'put',
      table: TABLE,
      key: clientKey(clientId),
      value: encodePacket(will),
    })
  }

  get(clientId: string): Will | undefined {
    return this.#wills.get(clientId)
  }

  remove(clientId: string): Will | undefined {
    const will = this.#wills.get(clientId)
    if (!will || this.#isStopping) return will
    this.#wills.delete(clientId)
    this.#writes.appendLazily({ kind: 'remove', table: TABLE, key: clientKey(clientId) })
    return will
  }

  all(): Will[] {
    return [...this.#wills.values()]
  }

  /** From now on wills stay: the clients did not leave, we do. They are published after the restart if nobody returns. */
  stopping(): void {
    this.#isStopping = true
  }
}
