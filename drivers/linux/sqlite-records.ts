/**
 * The store's one table, and what is done with it.
 *
 * Keys are BLOBs, not TEXT: the binding ends a text at its first NUL, so that two keys would become one; and BLOBs
 * are ordered byte by byte, which is the order the port promises.
 */
import { assert } from '../../runtime/core/errors.js'
import { scanBytesMax } from '../../runtime/core/store-limits.js'
import type { Row } from '../../runtime/ports/store.js'
import type { PackedChange, StoreAnswer, StoreRequest } from './sqlite-protocol.js'

export interface Statement {
  run(...parameters: unknown[]): { changes: number }
  get(...parameters: unknown[]): unknown
  iterate(...parameters: unknown[]): Iterable<unknown>
}

/**
 * Step n makes version n + 1 of version n. Never edited once released; a new step is added at the end. What is kept in the
 * table counts: a record with another shape is a step, too, be it an empty one (`SELECT 1`), so that an older runtime
 * does not take for damage what it cannot know. docs/decisions/0079.
 */
export const migrations = [
  `CREATE TABLE records (
     tbl TEXT NOT NULL,
     key BLOB NOT NULL,
     value BLOB NOT NULL,
     PRIMARY KEY (tbl, key)
   ) STRICT, WITHOUT ROWID`,
] as const

/** What this runtime writes. A release that is to be a way back for the next one knows its step, and does not take it yet. */
export const writtenVersion: number = migrations.length

const PUT = 'INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'
const INSERT = 'INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
const ONE = 'FROM records WHERE tbl = ? AND key = ?'
const FROM = 'FROM records WHERE tbl = ? AND key >= ?'
const BETWEEN = `${FROM} AND key < ?`

const SAVEPOINT = 'SAVEPOINT one'
const UNDO = 'ROLLBACK TO one'
const RELEASE = 'RELEASE one'

type Scan = Extract<StoreRequest, { kind: 'scan' }>

export class SqliteRecords {
  readonly #put: Statement
  readonly #insert: Statement
  readonly #remove: Statement
  readonly #clearFrom: Statement
  readonly #clearBetween: Statement
  readonly #read: Statement
  readonly #scanFrom: Statement
  readonly #scanBetween: Statement
  readonly #exec: (sql: string) => void

  constructor(connection: { prepare(sql: string): Statement; exec(sql: string): void }) {
    this.#put = connection.prepare(PUT)
    this.#insert = connection.prepare(INSERT)
    this.#remove = connection.prepare(`DELETE ${ONE}`)
    this.#clearFrom = connection.prepare(`DELETE ${FROM}`)
    this.#clearBetween = connection.prepare(`DELETE ${BETWEEN}`)
    this.#read = connection.prepare(`SELECT value ${ONE}`)
    this.#scanFrom = connection.prepare(`SELECT key, value ${FROM} ORDER BY key LIMIT ?`)
    this.#scanBetween = connection.prepare(`SELECT key, value ${BETWEEN} ORDER BY key LIMIT ?`)
    this.#exec = sql => connection.exec(sql)
  }

  /** A commit must be called inside a transaction; one that is refused leaves nothing behind in it. */
  answer(request: StoreRequest): StoreAnswer {
    switch (request.kind) {
      case 'commit':
        return this.#commit(request.changes)
      case 'read':
        return { kind: 'value', value: blob(this.#read.get(request.table, request.key), 'value') }
      case 'scan':
        return this.#scan(request)
    }
  }

  #commit(changes: readonly PackedChange[]): StoreAnswer {
    this.#exec(SAVEPOINT)
    const isDone = changes.every(change => this.#apply(change))
    if (!isDone) this.#exec(UNDO)
    this.#exec(RELEASE)
    return isDone
      ? { kind: 'committed' }
      : { kind: 'failed', code: 'storage.conflict', message: 'the key is there already' }
  }

  /** False for an insert of a key that is there. */
  #apply({ kind, table, key, value }: PackedChange): boolean {
    switch (kind) {
      case 'put':
        this.#put.run(table, key, value)
        return true
      case 'insert':
        return this.#insert.run(table, key, value).changes === 1
      case 'remove':
        this.#remove.run(table, key)
        return true
      case 'clear':
        if (value === null) this.#clearFrom.run(table, key)
        else this.#clearBetween.run(table, key, value)
        return true
    }
  }

  #scan({ table, from, before, limit }: Scan): StoreAnswer {
    const found =
      before === null
        ? this.#scanFrom.iterate(table, from, limit)
        : this.#scanBetween.iterate(table, from, before, limit)
    // A byte order mark is a character like any other here.
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const rows: Row[] = []
    let byteCount = 0
    for (const row of found) {
      const [key, value] = [blob(row, 'key'), blob(row, 'value')]
      assert(key !== null && value !== null, 'a record has a key and a value')
      byteCount += value.length
      if (byteCount <= scanBytesMax) rows.push({ key: decoder.decode(key), value })
    }
    if (byteCount <= scanBytesMax) return { kind: 'rows', rows }
    const message = `the answer has more than ${scanBytesMax} bytes: ask for fewer rows`
    return { kind: 'failed', code: 'storage.limit', message }
  }
}

function blob(row: unknown, column: 'key' | 'value'): Uint8Array | null {
  if (typeof row !== 'object' || row === null) return null
  const found = column === 'key' ? 'key' in row && row.key : 'value' in row && row.value
  return found instanceof Uint8Array ? found : null
}
