/**
 * Writes to the store in the order they were asked for, one commit under way at a time: what arrives meanwhile shares
 * the next sync. So a burst of messages costs two syncs, not one each, and delivery never waits for the disk; only the
 * acknowledgement does, through `synced()`.
 */
import { BoxError, messageOf } from '../../core/errors.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { Change, Store } from '../../ports/store.js'

/** The Store's own limits are 4096 changes and 16 MiB a commit. */
const CHANGES_MAX = 4_000
const BYTES_MAX = 8 * 1024 * 1024
/** How long a removal may wait for company. If the plug is pulled before, a message is delivered again: QoS 1 allows it. */
const LAZY_MS = 250
const LAZY_MAX = 2_000

interface Group {
  readonly changes: Change[]
  bytes: number
}

interface Waiter {
  readonly position: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

type Keyed = Extract<Change, { key: string }>

export class WriteBehind {
  readonly #store: Store
  readonly #clock: Clock
  readonly #log: Log
  readonly #groups: Group[] = []
  /** The group that a hold keeps open. */
  #open: Group | null = null
  readonly #lazy = new Map<string, Keyed>()
  #waiters: Waiter[] = []
  /** Groups asked for and groups settled, counted since the start. */
  #asked = 0
  #settled = 0
  #isCommitting = false
  #pendingBytes = 0
  #cancelLazy: Cancel | null = null
  readonly #onCommitMs: (milliseconds: number) => void

  constructor(store: Store, clock: Clock, log: Log, onCommitMs: (milliseconds: number) => void) {
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.#onCommitMs = onCommitMs
  }

  /** Bytes that wait for the disk; callers refuse new work when it grows too large. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Until `release`, everything appended belongs to one commit: all of a message's traces, or none. */
  hold(): void {
    this.#open ??= { changes: [], bytes: 0 }
  }

  /** Whether anything was appended during the hold: if so, `synced()` says when it is on disk. */
  release(): boolean {
    const group = this.#open
    this.#open = null
    if (!group || group.changes.length === 0) return false
    this.#enter(group)
    return true
  }

  append(...changes: readonly Keyed[]): void {
    for (const change of changes) this.#lazy.delete(nameOf(change))
    const group = this.#open ?? { changes: [], bytes: 0 }
    group.changes.push(...changes)
    group.bytes += changes.reduce((sum, change) => sum + bytesOf(change), 0)
    if (group !== this.#open) this.#enter(group)
  }

  /** For what may be lost in a power cut without harm. The last change of a key is the one that is written. */
  appendLazily(change: Keyed): void {
    this.#lazy.set(nameOf(change), change)
    if (this.#lazy.size >= LAZY_MAX) this.#flushLazy()
    else
      this.#cancelLazy ??= this.#clock.runAt(after(this.#clock.monotonicMs(), LAZY_MS), () =>
        this.#flushLazy(),
      )
  }

  /** Resolves when all that was appended so far is on disk. Throws the BoxError of the commit that failed. */
  synced(): Promise<void> {
    if (this.#settled === this.#asked) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiters.push({ position: this.#asked, resolve, reject })
    })
  }

  /** Writes everything, the lazy changes too; for an orderly stop. A store that fails is logged, not thrown. */
  async drain(): Promise<void> {
    this.release()
    this.#flushLazy()
    await this.synced().catch(() => {})
    this.#cancelLazy?.()
    this.#cancelLazy = null
  }

  #enter(group: Group): void {
    this.#pendingBytes += group.bytes
    this.#asked++
    this.#groups.push(group)
    void this.#pump()
  }

  #flushLazy(): void {
    this.#cancelLazy?.()
    this.#cancelLazy = null
    const changes = [...this.#lazy.values()]
    this.#lazy.clear()
    for (let from = 0; from < changes.length; from += CHANGES_MAX)
      this.#enter(groupOf(changes.slice(from, from + CHANGES_MAX)))
  }

  async #pump(): Promise<void> {
    if (this.#isCommitting) return
    this.#isCommitting = true
    try {
      while (this.#groups.length > 0) await this.#commitNext()
    } finally {
      this.#isCommitting = false
    }
  }

  async #commitNext(): Promise<void> {
    const groups = takeBatch(this.#groups)
    const startedMs = this.#clock.monotonicMs()
    let failure: unknown = null
    try {
      for (const changes of partsOf(groups.flatMap(group => group.changes)))
        await this.#store.commit(changes)
    } catch (error) {
      failure = error
    }
    this.#onCommitMs(this.#clock.monotonicMs() - startedMs)
    this.#pendingBytes -= groups.reduce((sum, group) => sum + group.bytes, 0)
    this.#settle(groups.length, failure)
    if (failure === null) return
    if (!(failure instanceof BoxError)) throw failure
    this.#log.error('broker.store-failed', { code: failure.code, error: messageOf(failure) })
    this.#retryRemovals(groups)
  }

  #settle(count: number, failure: unknown): void {
    this.#settled += count
    const due = this.#waiters.filter(waiter => waiter.position <= this.#settled)
    this.#waiters = this.#waiters.filter(waiter => waiter.position > this.#settled)
    for (const waiter of due) failure === null ? waiter.resolve() : waiter.reject(failure)
  }

  /** A removal that failed would bring a message back after a restart: it is tried again with the next lazy round. */
  #retryRemovals(groups: readonly Group[]): void {
    const later = new Set(
      this.#groups
        .flatMap(group => group.changes)
        .flatMap(change => ('key' in change ? [nameOf(change)] : [])),
    )
    for (const change of groups.flatMap(group => group.changes))
      if (change.kind === 'remove' && this.#lazy.size < LAZY_MAX - 1) {
        const name = nameOf(change)
        if (!this.#lazy.has(name) && !later.has(name)) this.appendLazily(change)
      }
  }
}

const nameOf = (change: Keyed): string => `${change.table}\u0000${change.key}`

const bytesOf = (change: Change): number =>
  'value' in change ? change.value.length + change.key.length : 64

const groupOf = (changes: Change[]): Group => ({
  changes,
  bytes: changes.reduce((sum, change) => sum + bytesOf(change), 0),
})

/** Takes whole groups from the front while they fit into one commit; at least one. */
function takeBatch(groups: Group[]): Group[] {
  let count = 0
  let changes = 0
  let bytes = 0
  for (const group of groups) {
    changes += group.changes.length
    bytes += group.bytes
    if (count > 0 && (changes > CHANGES_MAX || bytes > BYTES_MAX)) break
    count++
  }
  return groups.splice(0, count)
}

/** Only a message to more than 4000 sessions is larger than a commit; it is then several. */
function* partsOf(changes: readonly Change[]): Generator<readonly Change[]> {
  for (let from = 0; from < changes.length; from += CHANGES_MAX)
    yield changes.slice(from, from + CHANGES_MAX)
}
