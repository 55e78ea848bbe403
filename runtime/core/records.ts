/** Typed JSON records in a table of the store: written checked, read checked. */
import type { Change, Store } from '../ports/store.js'
import { BoxError } from './errors.js'
import { check, type Schema } from './schema.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export class Records<T> {
  readonly #store: Store
  readonly #table: string
  readonly #schema: Schema<T>

  constructor(store: Store, table: string, schema: Schema<T>) {
    this.#store = store
    this.#table = table
    this.#schema = schema
  }

  put(key: string, record: T): Change {
    return { kind: 'put', table: this.#table, key, value: this.#encode(record) }
  }

  insert(key: string, record: T): Change {
    return { kind: 'insert', table: this.#table, key, value: this.#encode(record) }
  }

  remove(key: string): Change {
    return { kind: 'remove', table: this.#table, key }
  }

  /** Removes every key in [from, before). */
  clear(from: string, before: string | null): Change {
    return { kind: 'clear', table: this.#table, from, before }
  }

  async read(key: string): Promise<T | null> {
    const bytes = await this.#store.read(this.#table, key)
    return bytes === null ? null : this.decode(key, bytes)
  }

  /** In ascending order of key. @param limit 1..10000 */
  async scan(
    from: string,
    before: string | null,
    limit: number,
  ): Promise<readonly { key: string; record: T }[]> {
    const rows = await this.#store.scan(this.#table, { from, before, limit })
    return rows.map(({ key, value }) => ({ key, record: this.decode(key, value) }))
  }

  /** @throws BoxError `storage.rotten` */
  decode(key: string, bytes: Uint8Array): T {
    try {
      return check(this.#schema, JSON.parse(decoder.decode(bytes)), `${this.#table}/${key}`)
    } catch (cause) {
      throw new BoxError('storage.rotten', `${this.#table}/${key} cannot be read`, { cause })
    }
  }

  #encode(record: T): Uint8Array {
    return encoder.encode(JSON.stringify(record))
  }
}
