/**
 * Writes to the store in the order they were asked for, one commit under way at a time: what arrives meanwhile shares
 * the next sync. So a burst of messages costs two syncs, not one each, and delivery never waits for the disk; only the
 * acknowledgement does, through `synced()`. What fails is owed: it is tried again, unless its sender sends it again.
 */
import { BoxError, messageOf } from '../../core/errors.js'
import { after } from '../../core/time.js'
import type { Cancel, Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { Change, Store } from '../../ports/store.js'

/** The Store's own limits are 4096 changes and 16 MiB a commit. */
const CHANGES_MAX = 4_000
const BYTES_MAX = 8 * 1024 * 1024
/** How long a change may wait for company. If the plug is pulled before, a message of QoS 1 is delivered again. */
const LAZY_MS = 250
const LAZY_MAX = 2_000
/** A disk that is full stays full for a while, and each try copies what it tries: a little, and not often. */
const RETRY_MS = 2_000
const RETRY_BYTES_MAX = 512 * 1024
/** Removals beyond this are given up: they bring back messages of QoS 1, which may come twice. */
const OWED_MAX = 20_000

interface Group {
  readonly changes: Keyed[]
  bytes: number
  readonly kind: 'own' | 'resent' | 'owed'
}

interface Waiter {
  readonly position: number
  /** Waits for what is owed as well. */
  readonly isForAll: boolean
  readonly resolve: () => void
  /** Null for who waits however often it fails. */
  readonly reject: ((error: unknown) => void) | null
}

type Keyed = Extract<Change, { key: string }>

export class WriteBehind {
  readonly #store: Store
  readonly #clock: Clock
  readonly #log: Log
  readonly #groups: Group[] = []
  /** What a hold keeps open, and who waits for it: it has no position yet. */
  #open: Keyed[] | null = null
  #openWaiters: Waiter[] = []
  readonly #lazy = new Map<string, Keyed>()
  /** What failed, the last change of each key; what is tried again at the moment is in a group. */
  readonly #owed = new Map<string, Keyed>()
  #owedBytes = 0
  #isPaying = false
  #waiters: Waiter[] = []
  /** Groups asked for and groups settled, counted since the start. */
  #asked = 0
  #settled = 0
  #isCommitting = false
  #pendingBytes = 0
  #cancelLazy: Cancel | null = null
  #cancelRetry: Cancel | null = null
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

  /** Bytes that failed and are tried again, those under way left out; callers refuse new work of that kind. */
  get owedBytes(): number {
    return this.#owedBytes
  }

  /** Until `release`, everything appended belongs to one commit: all of a message's traces, or none. */
  hold(): void {
    this.#open ??= []
  }

  /**
   * Whether anything was appended during the hold: if so, `synced()` says when it is on disk.
   * @param isResent its sender is told of a failure and sends it again, or it may be lost: only its removals are owed
   */
  release(isResent = false): boolean {
    const changes = this.#open ?? []
    const waiters = this.#openWaiters
    this.#open = null
    this.#openWaiters = []
    if (changes.length === 0) return false
    this.#enter(changes, isResent ? 'resent' : 'own')
    this.#waiters.push(...waiters.map(waiter => ({ ...waiter, position: this.#asked })))
    return true
  }

  append(...changes: readonly Keyed[]): void {
    for (const change of changes) this.#supersede(nameOf(change))
    if (this.#open) this.#open.push(...changes)
    else this.#enter([...changes], 'own')
  }

  /** For what may be lost in a power cut without harm. The last change of a key is the one that is written. */
  appendLazily(change: Keyed): void {
    const name = nameOf(change)
    this.#supersede(name)
    this.#lazy.set(name, change)
    if (this.#lazy.size >= LAZY_MAX) this.#flushLazy()
    else
      this.#cancelLazy ??= this.#clock.runAt(after(this.#clock.monotonicMs(), LAZY_MS), () =>
        this.#flushLazy(),
      )
  }

  /** Resolves when all that was appended so far is on disk. Throws the BoxError of the commit that failed. */
  synced(): Promise<void> {
    return this.#wait(false, true)
  }

  /**
   * The same, and what failed before is on disk as well: it is tried again at once. For an answer that promises
   * something which an earlier commit should have written. Throws the BoxError of the next commit that fails.
   */
  caughtUp(): Promise<void> {
    return this.#wait(true, true)
  }

  /** The same, however often it fails before: for what waits to be delivered. */
  recovered(): Promise<void> {
    return this.#wait(true, false)
  }

  /** Writes everything, the lazy changes too; for an orderly stop. A store that fails is logged, not thrown. */
  async drain(): Promise<void> {
    this.release()
    this.#flushLazy()
    await this.caughtUp().catch(() => {})
    this.#cancelLazy?.()
    this.#cancelLazy = null
    this.#cancelRetry?.()
    this.#cancelRetry = null
  }

  #wait(isForAll: boolean, isFailing: boolean): Promise<void> {
    const isOpen = (this.#open?.length ?? 0) > 0
    if (isForAll) this.#payOwed()
    if (!isOpen && this.#settled === this.#asked && (!isForAll || this.#isEven))
      return Promise.resolve()
    return new Promise((resolve, refuse) => {
      const reject = isFailing ? refuse : null
      const waiters = isOpen ? this.#openWaiters : this.#waiters
      waiters.push({ position: this.#asked, isForAll, resolve, reject })
    })
  }

  /** Nothing is owed. */
  get #isEven(): boolean {
    return this.#owed.size === 0 && !this.#isPaying
  }

  /** A later change of the key makes an earlier one pointless. */
  #supersede(name: string): void {
    this.#lazy.delete(name)
    const owed = this.#owed.get(name)
    if (!owed) return
    this.#owed.delete(name)
    this.#owedBytes -= bytesOf(owed)
  }

  #enter(changes: Keyed[], kind: Group['kind']): void {
    const bytes = changes.reduce((sum, change) => sum + bytesOf(change), 0)
    this.#pendingBytes += bytes
    this.#asked++
    this.#groups.push({ changes, bytes, kind })
    void this.#pump()
  }

  #flushLazy(): void {
    this.#cancelLazy?.()
    this.#cancelLazy = null
    const changes = [...this.#lazy.values()]
    this.#lazy.clear()
    for (const part of partsOf(changes, BYTES_MAX)) this.#enter(part, 'own')
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
      const changes = groups.flatMap(group => group.changes)
      for (const part of partsOf(changes, BYTES_MAX)) await this.#store.commit(part)
    } catch (error) {
      failure = error
    }
    this.#onCommitMs(this.#clock.monotonicMs() - startedMs)
    this.#pendingBytes -= groups.reduce((sum, group) => sum + group.bytes, 0)
    if (groups.some(({ kind }) => kind === 'owed')) this.#isPaying = false
    if (failure instanceof BoxError) this.#owe(groups)
    else if (failure === null) this.#payOwed()
    this.#settle(groups.length, failure)
    if (failure === null) return
    if (!(failure instanceof BoxError)) throw failure
    this.#log.error('broker.store-failed', { code: failure.code, error: messageOf(failure) })
  }

  #settle(count: number, failure: unknown): void {
    this.#settled += count
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) {
      const isDue = waiter.position <= this.#settled
      const { isForAll, resolve, reject } = waiter
      if (failure === null && isDue && (!isForAll || this.#isEven)) resolve()
      else if (failure !== null && reject && (isDue || isForAll)) reject(failure)
      else this.#waiters.push(waiter)
    }
  }

  /**
   * In the order in which they were asked for: a message before the record that it was received. Later changes of the
   * same key stand; they wait in a group, in the hold, or among the lazy ones.
   */
  #owe(groups: readonly Group[]): void {
    const waiting = [...this.#groups.flatMap(group => group.changes), ...(this.#open ?? [])]
    const later = new Set([...waiting.map(nameOf), ...this.#lazy.keys()])
    const tried = groups.filter(({ kind }) => kind === 'owed').flatMap(({ changes }) => changes)
    const untried = [...this.#owed.values()]
    const fresh = groups.filter(({ kind }) => kind !== 'owed').flatMap(owedOf)
    this.#owed.clear()
    this.#owedBytes = 0
    for (const change of [...tried, ...untried, ...fresh]) {
      const name = nameOf(change)
      if (later.has(name)) continue
      this.#supersede(name)
      if (change.kind === 'remove' && this.#owed.size >= OWED_MAX) continue
      this.#owed.set(name, change)
      this.#owedBytes += bytesOf(change)
    }
    if (this.#owed.size > 0)
      this.#cancelRetry ??= this.#clock.runAt(after(this.#clock.monotonicMs(), RETRY_MS), () => {
        this.#cancelRetry = null
        this.#payOwed()
      })
  }

  /** One part of it; when that is on disk, the next. */
  #payOwed(): void {
    if (this.#owed.size === 0 || this.#isPaying) return
    const [part = []] = partsOf(this.#owed.values(), RETRY_BYTES_MAX)
    for (const change of part) this.#supersede(nameOf(change))
    this.#isPaying = true
    this.#enter(part, 'owed')
  }
}

const nameOf = (change: Keyed): string => `${change.table}\u0000${change.key}`

const bytesOf = (change: Change): number =>
  'value' in change ? change.value.length + change.key.length : 64

/** A removal that failed would bring a message back after a restart, whoever sends it again. */
const owedOf = ({ changes, kind }: Group): Keyed[] =>
  kind === 'resent' ? changes.filter(change => change.kind === 'remove') : changes

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

/** Only a message to thousands of sessions, or of many megabytes, is larger than a commit; it is then several. */
function* partsOf(changes: Iterable<Keyed>, bytesMax: number): Generator<Keyed[]> {
  let part: Keyed[] = []
  let bytes = 0
  for (const change of changes) {
    const more = bytesOf(change)
    if (part.length > 0 && (part.length >= CHANGES_MAX || bytes + more > bytesMax)) {
      yield part
      part = []
      bytes = 0
    }
    part.push(change)
    bytes += more
  }
  if (part.length > 0) yield part
}
