/**
 * The database itself: synchronous, so only the store's worker thread (and tests) may call it.
 * The only file that imports the SQLite binding.
 */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import { BoxError } from '../../runtime/core/errors.js'
import { areWritesRefused, isOnReadOnlyCard, withCopyInMemory } from './card-trouble.js'
import { codeOf, failureOf, thrownFor } from './sqlite-failures.js'
import type {
  CardTrouble,
  Failure,
  SqliteLimits,
  StoreAnswer,
  StoreOpened,
  StoreRequest,
} from './sqlite-protocol.js'
import { migrations, SqliteRecords, writtenVersion } from './sqlite-records.js'
import { moveAside } from './sqlite-rotten.js'

type Connection = InstanceType<typeof DatabaseSync>
interface Connected {
  readonly connection: Connection
  readonly records: SqliteRecords
}

const BUSY_MS_MAX = 2_000
const WAL_BYTES_KEPT = 32 * 1024 * 1024
const SYNCHRONOUS_FULL = 2
/** Before a card that took no writes is tried again. */
const AGAIN_MS = 3_000

const refusals: Readonly<Record<CardTrouble, Failure>> = {
  'read-only': {
    kind: 'failed',
    code: 'storage.io',
    message: 'the card takes no writes: change it',
  },
  full: { kind: 'failed', code: 'storage.full', message: 'the card is full: free space on it' },
}

const isCommit = ({ kind }: StoreRequest): boolean => kind === 'commit'

export class SqliteEngine {
  readonly #path: string
  readonly #limits: SqliteLimits
  #connected: Connected | null = null
  /** Not null: it is connected to a copy. */
  #trouble: CardTrouble | null = null
  /** Where the file lies that could not be read. */
  #rottenPath: string | null = null
  #triedMs = 0

  constructor(path: string, limits: SqliteLimits) {
    this.#path = resolve(path)
    this.#limits = limits
  }

  /** @throws BoxError `storage.io`, `storage.full`; `config.invalid` when a newer runtime wrote the file */
  open(): StoreOpened {
    try {
      const trouble = isOnReadOnlyCard(this.#path) ? 'read-only' : this.#openFile()
      if (trouble !== null) this.#openCopy(trouble)
      return { rottenPath: this.#rottenPath, trouble }
    } catch (error) {
      throw thrownFor(error)
    }
  }

  /** Null when it is open; why not, when the card is to blame. */
  #openFile(): CardTrouble | null {
    try {
      this.#connectOrStartEmpty()
      syncFolder(dirname(this.#path))
      return null
    } catch (error) {
      this.#connected?.connection.close()
      this.#connected = null
      if (codeOf(error) === 'storage.full') return 'full'
      if (areWritesRefused(this.#path)) return 'read-only'
      throw error
    }
  }

  /**
   * What a card holds that takes no writes is read, and whatever should be kept is refused, as on a disk that fails later. From
   * a copy, since the last commits lie in a write-ahead log, which SQLite reads by writing.
   */
  #openCopy(trouble: CardTrouble): void {
    withCopyInMemory([this.#path, `${this.#path}-wal`], path => {
      try {
        this.#connect(path)
      } catch (error) {
        if (codeOf(error) !== 'storage.rotten') throw error
        this.#rottenPath = this.#path
        this.#connect(`${path}.empty`)
      }
    })
    this.#trouble = trouble
    this.#triedMs = performance.now()
  }

  /** Somebody may have made room, or mounted it anew. What the copy holds is what the file holds: nothing was kept since. */
  #leaveCopy(): void {
    if (performance.now() - this.#triedMs < AGAIN_MS) return
    this.#triedMs = performance.now()
    if (areWritesRefused(this.#path)) return
    const copy = this.#connected
    this.#connected = null
    try {
      this.#trouble = this.#openFile()
    } catch {
      // Not yet. The next one in a while tries again.
    }
    if (this.#connected === null) this.#connected = copy
    else copy?.connection.close()
  }

  /**
   * Carries out everything in order with one sync to the disk, and answers in the same order. A commit that is
   * refused is undone alone. Nobody is answered before the disk has everything: nobody acts on what may vanish.
   */
  run(requests: readonly StoreRequest[]): readonly StoreAnswer[] {
    if (this.#trouble !== null && requests.some(isCommit)) this.#leaveCopy()
    const refusal = this.#trouble && refusals[this.#trouble]
    if (refusal !== null && requests.some(isCommit))
      return requests.flatMap(request => (isCommit(request) ? [refusal] : this.run([request])))
    try {
      return this.#runTogether(requests)
    } catch (error) {
      this.#rollBack()
      return this.#afterFailure(requests, error)
    }
  }

  /** Moves what the write-ahead log holds into the database file, then lets go. Safe to call twice. */
  close(): void {
    try {
      this.#connected?.connection.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // A full or failing disk: the log stays beside the file, and the next open reads it.
    }
    this.#connected?.connection.close()
    this.#connected = null
  }

  #connectOrStartEmpty(): void {
    makeFolder(dirname(this.#path))
    try {
      this.#connect()
      return
    } catch (error) {
      // What a copy still has is not given up for a file that has rotted since.
      const isCopied = this.#trouble !== null && this.#rottenPath === null
      if (isCopied || codeOf(error) !== 'storage.rotten') throw error
    }
    this.#rottenPath = moveAside(this.#path)
    this.#connect()
  }

  #runTogether(requests: readonly StoreRequest[]): readonly StoreAnswer[] {
    const { connection, records } = this.#connect()
    // Left over when the rollback of an earlier failure failed too.
    if (connection.isTransaction) connection.exec('ROLLBACK')
    const isWriting = requests.some(isCommit)
    if (isWriting) connection.exec('BEGIN IMMEDIATE')
    const answers = requests.map(request => records.answer(request))
    if (isWriting) connection.exec('COMMIT')
    return answers
  }

  /** When there is no room for all, there may be for some; a disk that fails is not asked once more for each. */
  #afterFailure(requests: readonly StoreRequest[], error: unknown): readonly StoreAnswer[] {
    const failure = failureOf(error)
    if (requests.length === 1) return [failure]
    return requests.flatMap(request =>
      request.kind === 'commit' && failure.code !== 'storage.full'
        ? [failure]
        : this.run([request]),
    )
  }

  #rollBack(): void {
    try {
      if (this.#connected?.connection.isTransaction) this.#connected.connection.exec('ROLLBACK')
    } catch {
      // What went wrong before is what the callers are told; the next request rolls back again.
    }
  }

  #connect(path = this.#path): Connected {
    if (this.#connected !== null) return this.#connected
    const connection = new DatabaseSync(path)
    try {
      prepare(connection, this.#limits)
      this.#connected = { connection, records: new SqliteRecords(connection) }
      return this.#connected
    } catch (error) {
      connection.close()
      throw error
    }
  }
}

/**
 * `synchronous` is not kept in the file, and the binding is compiled to reopen a WAL file with NORMAL, with which the
 * last commits can be lost in a power cut: so it is set, and read back, on every open.
 */
function prepare(connection: Connection, limits: SqliteLimits): void {
  connection.exec(`PRAGMA busy_timeout = ${BUSY_MS_MAX}`)
  connection.exec('PRAGMA journal_mode = WAL')
  connection.exec('PRAGMA synchronous = FULL')
  connection.exec('PRAGMA foreign_keys = ON')
  connection.exec('PRAGMA trusted_schema = OFF')
  connection.exec(`PRAGMA journal_size_limit = ${WAL_BYTES_KEPT}`)
  const ask = asker(connection)
  if (ask('journal_mode') !== 'wal' || ask('synchronous') !== SYNCHRONOUS_FULL)
    throw new BoxError('storage.io', 'this file system cannot keep a write-ahead log')
  if (ask('quick_check') !== 'ok') throw new BoxError('storage.rotten', 'the database is damaged')
  const pagesMax = Math.floor(limits.fileBytesMax / Number(ask('page_size')))
  connection.exec(`PRAGMA max_page_count = ${pagesMax}`)
  const version = Number(ask('user_version'))
  for (const step of stepsFrom(version, { known: migrations, writtenVersion }))
    connection.exec(step)
}

/**
 * Asks for a pragma's value without a prepared statement: the binding cannot finalize one, and a connection that is
 * closed while it has one lives on until the garbage collector comes by, with its locks and its hold on a file that may
 * have been moved aside by then.
 */
function asker(connection: Connection): (pragma: string) => unknown {
  let told: unknown = null
  connection.function('tell', (value: unknown) => {
    told = value
    return null
  })
  return pragma => {
    told = null
    connection.exec(`SELECT tell(${pragma}) FROM pragma_${pragma} LIMIT 1`)
    return told
  }
}

/**
 * What brings a store up to the version that is written. One that is newer than that, and known, stays what it is.
 * @throws BoxError `config.invalid` when a newer runtime wrote it
 */
export function stepsFrom(
  version: number,
  { known, writtenVersion }: { readonly known: readonly string[]; readonly writtenVersion: number },
): readonly string[] {
  if (version > known.length)
    throw new BoxError(
      'config.invalid',
      `a newer runtime wrote this store: its version is ${version}, known is ${known.length}`,
    )
  return known
    .map((sql, step) => `BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${step + 1}; COMMIT`)
    .slice(version, writtenVersion)
}

/** A new folder is lost in a power cut unless the folder above it is synced too. */
function makeFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true })
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made))
    syncFolder(dirname(made))
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
