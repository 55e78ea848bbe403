/**
 * Writes the spool's steps to the store. One commit is under way at a time; what is asked for meanwhile goes into the next
 * one, with the numbers of the ledger. What is resolved is on disk; what is rejected is not, and is counted nowhere.
 */
import { BoxError } from '../../core/errors.js'
import type { Change, Store } from '../../ports/store.js'
import { applyEffect, type Ledger } from './ledger.js'
import { type Entry, type Guard, guardsOf, type SpoolTables } from './spool-tables.js'

/** Steps that wait for a slow disk; more are refused. */
const QUEUE_MAX = 4_096
const QUEUE_BYTES_MAX = 32 * 1024 * 1024
const BATCH_CHANGES_MAX = 2_048
const BATCH_BYTES_MAX = 4 * 1024 * 1024

interface Pending {
  readonly entry: Entry
  readonly guards: readonly Guard[]
  readonly byteCount: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class SpoolJournal {
  readonly #store: Store
  readonly #tables: SpoolTables
  readonly #queue: Pending[] = []
  #queuedBytes = 0
  #ledger: Ledger
  #turn: Promise<void> | null = null

  constructor(store: Store, tables: SpoolTables, ledger: Ledger) {
    this.#store = store
    this.#tables = tables
    this.#ledger = ledger
  }

  /** As it is on disk. */
  get ledger(): Ledger {
    return this.#ledger
  }

  /**
   * Ends when the step is on disk.
   * @throws BoxError `storage.conflict` when a key that it inserts is there already; `storage.full`, `storage.io`,
   * `storage.limit`
   */
  commit(entry: Entry): Promise<void> {
    const byteCount = entry.changes.reduce((sum, change) => sum + bytesOf(change), 0)
    if (this.#queue.length >= QUEUE_MAX || this.#queuedBytes + byteCount > QUEUE_BYTES_MAX)
      return Promise.reject(new BoxError('storage.limit', 'too many tickets wait for the disk'))
    this.#queuedBytes += byteCount
    return new Promise((resolve, reject) => {
      this.#queue.push({ entry, guards: guardsOf(entry), byteCount, resolve, reject })
      this.#turn ??= this.#drain()
    })
  }

  /** Ends when what was asked for so far is on disk, or has failed. */
  async rest(): Promise<void> {
    await this.#turn
  }

  async #drain(): Promise<void> {
    // Who asks in the same turn shares the first commit, too.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch()
      try {
        await this.#write(batch)
      } catch (error) {
        await this.#fail(batch, error)
      }
    }
    this.#turn = null
  }

  /** As many as fit; of two with one key the second waits for the next commit, and meets the first there. */
  #takeBatch(): readonly Pending[] {
    const keys = new Set<string>()
    let [count, changeCount, byteCount] = [0, 0, 0]
    for (const pending of this.#queue) {
      byteCount += pending.byteCount
      changeCount += pending.entry.changes.length
      const names = pending.guards.map(({ table, key }) => `${table}/${key}`)
      const isFull = changeCount > BATCH_CHANGES_MAX || byteCount > BATCH_BYTES_MAX
      if (count > 0 && (isFull || names.some(name => keys.has(name)))) break
      for (const name of names) keys.add(name)
      count++
    }
    const batch = this.#queue.splice(0, count)
    for (const pending of batch) this.#queuedBytes -= pending.byteCount
    return batch
  }

  async #write(batch: readonly Pending[]): Promise<void> {
    const effects = batch.flatMap(({ entry }) => entry.effects)
    const ledger = effects.reduce(applyEffect, this.#ledger)
    const changes = [
      ...batch.flatMap(({ entry }) => entry.changes),
      ...this.#tables.ledgerChanges(this.#ledger, ledger),
    ]
    if (changes.length > 0) await this.#store.commit(changes)
    this.#ledger = ledger
    for (const { resolve } of batch) resolve()
  }

  /** One that meets its key must not take the others with it. */
  async #fail(batch: readonly Pending[], error: unknown): Promise<void> {
    let rest = batch
    try {
      if (!isConflict(error) || batch.length === 1) throw error
      rest = await this.#withoutMet(batch, error)
      if (rest.length === batch.length) throw error
      await this.#write(rest)
    } catch (failure) {
      for (const { reject } of rest) reject(failure)
    }
  }

  /** Rejects those whose keys are there. */
  async #withoutMet(batch: readonly Pending[], error: BoxError): Promise<readonly Pending[]> {
    const met = await Promise.all(
      batch.map(async ({ guards }) => {
        const found = await Promise.all(guards.map(guard => this.#tables.has(guard)))
        return found.includes(true)
      }),
    )
    for (const [index, { reject }] of batch.entries()) if (met[index]) reject(error)
    return batch.filter((_, index) => !met[index])
  }
}

const isConflict = (error: unknown): error is BoxError =>
  error instanceof BoxError && error.code === 'storage.conflict'

const bytesOf = (change: Change): number => ('value' in change ? change.value.length : 0)
