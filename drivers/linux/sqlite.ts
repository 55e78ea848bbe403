/**
 * The store on SQLite. SQLite is synchronous and a sync to an SD card takes 20 ms and more, so it lives in one worker
 * thread: the main thread posts commits and goes on. Commits that arrive while one is being synced share the next sync.
 */
import type { Worker } from 'node:worker_threads'
import { assert, BoxError, ConfigError } from '../../runtime/core/errors.js'
import { checkRange, checkTable, commitBytes, keyBytes } from '../../runtime/core/store-limits.js'
import type { Log } from '../../runtime/ports/log.js'
import type { Change, Range, Row, Store } from '../../runtime/ports/store.js'
import type {
  Failure,
  FromWorker,
  PackedChange,
  SqliteLimits,
  SqliteWorkerStart,
  StoreAnswer,
  StoreOpened,
  StoreRequest,
  ToWorker,
} from './sqlite-protocol.js'
import { startWorker } from './worker.js'

/** What may wait for the disk; more is refused with `storage.limit`. */
const WAITING_MAX = 1024
const WAITING_BYTES_MAX = 64 * 1024 * 1024

const defaultLimits: SqliteLimits = { fileBytesMax: 1024 * 1024 * 1024 }

interface Waiting {
  readonly byteCount: number
  readonly resolve: (answer: StoreAnswer) => void
  readonly reject: (error: Error) => void
}

export class SqliteStore implements Store {
  readonly #path: string
  readonly #log: Log
  readonly #limits: SqliteLimits
  readonly #start: (data: SqliteWorkerStart) => Worker
  readonly #waiting = new Map<number, Waiting>()
  #waitingBytes = 0
  #lastId = 0
  #worker: Worker | null = null
  #ended: Promise<void> = Promise.resolve()

  /**
   * @param path of the database file; its folder is made when it is missing
   * @param start the thread, unless a test brings its own
   */
  constructor(
    path: string,
    log: Log,
    limits: SqliteLimits = defaultLimits,
    start: (data: SqliteWorkerStart) => Worker = data => startWorker('sqlite-worker', data),
  ) {
    this.#path = path
    this.#log = log
    this.#limits = limits
    this.#start = start
  }

  /**
   * Opens the file or makes it. One that cannot be read is moved aside and an empty one is begun: `rottenPath` says so. On a card that takes
   * no writes what it holds is read, and every commit is refused: `trouble`.
   * @throws BoxError `storage.io`, `storage.full`; ConfigError when a newer runtime wrote it
   */
  open(): Promise<StoreOpened> {
    assert(this.#worker === null, 'the store is opened once')
    const worker = this.#start({ path: this.#path, limits: this.#limits })
    this.#worker = worker
    let ended = (): void => {}
    this.#ended = new Promise(resolve => {
      ended = resolve
    })
    return new Promise((resolve, reject) => {
      let isOpen = false
      /** Nobody catches it: a store that is there no more is a bug, and stops the process. */
      const requireAsked = (isAsked: boolean, error: Error): void => {
        if (isOpen && !isAsked) throw error
      }
      const failed = (error: Error): void => {
        this.#log.error('store.failed', { path: this.#path, error })
        reject(error)
        requireAsked(this.#worker === null, error)
      }
      worker.on('error', failed)
      worker.once('exit', status => {
        const isAsked = this.#worker === null
        this.#gone()
        ended()
        reject(closed())
        requireAsked(isAsked, new Error(`the store's thread ended with ${status}`))
      })
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'answers') this.#settle(message.answers)
        else if (message.kind === 'failed') failed(errorFor(message))
        else {
          isOpen = true
          resolve(this.#opened(message))
        }
      })
    })
  }

  async commit(changes: readonly Change[]): Promise<void> {
    const byteCount = commitBytes(changes)
    const answer = await this.#ask({ kind: 'commit', changes: changes.map(pack) }, byteCount)
    assert(answer.kind === 'committed', 'a commit is answered as one')
  }

  async read(table: string, key: string): Promise<Uint8Array | null> {
    checkTable(table)
    const answer = await this.#ask({ kind: 'read', table, key: keyBytes(key) }, 0)
    assert(answer.kind === 'value', 'a read is answered with a value')
    return answer.value
  }

  async scan(table: string, range: Range): Promise<readonly Row[]> {
    checkRange(table, range)
    const from = keyBytes(range.from)
    const before = range.before === null ? null : keyBytes(range.before)
    const answer = await this.#ask({ kind: 'scan', table, from, before, limit: range.limit }, 0)
    assert(answer.kind === 'rows', 'a scan is answered with rows')
    return answer.rows
  }

  /** What was asked before is still done; then the file is left whole, without a write-ahead log. Safe to call twice. */
  async close(): Promise<void> {
    this.#say({ kind: 'close' })
    await this.#ended
  }

  #ask(request: StoreRequest, byteCount: number): Promise<StoreAnswer> {
    if (this.#worker === null) return Promise.reject(closed())
    if (this.#waiting.size >= WAITING_MAX || this.#waitingBytes + byteCount > WAITING_BYTES_MAX)
      return Promise.reject(new BoxError('storage.limit', 'too much waits for the disk'))
    const id = ++this.#lastId
    this.#waitingBytes += byteCount
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { byteCount, resolve, reject })
      this.#say({ kind: 'ask', id, byteCount, request })
    })
  }

  #say(message: ToWorker): void {
    this.#worker?.postMessage(message)
    if (message.kind === 'close') this.#worker = null
  }

  #opened({ rottenPath, trouble }: StoreOpened): StoreOpened {
    if (rottenPath !== null) this.#log.error('store.rotten', { path: this.#path, rottenPath })
    if (trouble !== null) this.#log.error('store.keeps-nothing', { path: this.#path, trouble })
    return { rottenPath, trouble }
  }

  #settle(answers: readonly { id: number; answer: StoreAnswer }[]): void {
    for (const { id, answer } of answers) {
      const waiting = this.#waiting.get(id)
      assert(waiting !== undefined, 'an answer has a question')
      this.#waiting.delete(id)
      this.#waitingBytes -= waiting.byteCount
      if (answer.kind === 'failed') waiting.reject(errorFor(answer))
      else waiting.resolve(answer)
    }
  }

  /** Nobody answers any more; whoever still waits is told so. */
  #gone(): void {
    this.#worker = null
    for (const { reject } of this.#waiting.values()) reject(closed())
    this.#waiting.clear()
  }
}

/** Copies the bytes, so that the caller may use its own again, and so that no more than them is sent. */
function pack(change: Change): PackedChange {
  const { kind, table } = change
  switch (change.kind) {
    case 'put':
    case 'insert':
      return { kind, table, key: keyBytes(change.key), value: Uint8Array.from(change.value) }
    case 'remove':
      return { kind, table, key: keyBytes(change.key), value: null }
    case 'clear': {
      const value = change.before === null ? null : keyBytes(change.before)
      return { kind, table, key: keyBytes(change.from), value }
    }
  }
}

const closed = (): BoxError => new BoxError('storage.io', 'the store is closed')

/** A failure without a code is a bug, and must look like one. */
function errorFor({ code, message }: Failure): Error {
  if (code === null) return new Error(`the store's worker failed: ${message}`)
  if (code === 'config.invalid') return new ConfigError([{ path: 'store', message, place: null }])
  return new BoxError(code, message)
}
