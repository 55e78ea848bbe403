import { BoxError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import {
  checkRange,
  checkTable,
  commitBytes,
  keyBytes,
  scanBytesMax,
} from '../../runtime/core/store-limits.js'
import type { Change, Range, Row, Store } from '../../runtime/ports/store.js'
import { type Power, SimulatedPower } from './power.js'
import { SimulatedTables } from './tables.js'

interface Request {
  /** Does the work; returns what tells the caller. Throws BoxError. */
  readonly act: () => () => void
  readonly refuse: (error: unknown) => void
  readonly isCommit: boolean
}

/** What a power cut met: commits that nobody had been told of, and how many of them were on the disk all the same. */
export interface StorePowerCut {
  readonly unsyncedCommits: number
  readonly keptCommits: number
}

/**
 * A store in memory that can lose power. Like the real one it carries out everything that waits in order, syncs once,
 * and only then answers. A cut in between keeps the first few of the commits that were not synced, each whole, drawn
 * from the seed; and calls from before the cut never return.
 */
export class SimulatedStore implements Store {
  readonly powerCut = new Signal<StorePowerCut>()
  /** What every commit fails with; null when the disk is well. */
  fault: 'storage.full' | 'storage.io' | null = null
  readonly #random: () => number
  readonly #tables = new SimulatedTables()
  readonly #power: SimulatedPower
  #store: Store

  /** Powered from the start, without a cut to come. @param random draws what an unforeseen cut keeps */
  constructor(random: () => number = () => 0) {
    this.#random = random
    this.#power = new SimulatedPower(() => this.#loseUnsynced())
    this.#store = this.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY })
  }

  /** Power comes back, and goes again after so many calls: each commit, read, scan and sync is one. */
  boot(options: { callsUntilPowerCut: number }): Store {
    this.#store = new PoweredStore(this.#power.on(options), this.#tables, () => this.fault)
    return this.#store
  }

  cutPower(): void {
    this.#power.cut()
  }

  commit(changes: readonly Change[]): Promise<void> {
    return this.#store.commit(changes)
  }

  read(table: string, key: string): Promise<Uint8Array | null> {
    return this.#store.read(table, key)
  }

  scan(table: string, range: Range): Promise<readonly Row[]> {
    return this.#store.scan(table, range)
  }

  #loseUnsynced(): void {
    const { unsyncedCommits } = this.#tables
    const keptCommits = Math.floor(this.#random() * (unsyncedCommits + 1))
    this.#tables.undoTo(keptCommits)
    this.#tables.sync()
    this.powerCut.emit({ unsyncedCommits, keptCommits })
  }
}

/** The store as the code of one boot sees it. */
class PoweredStore implements Store {
  readonly #power: Power
  readonly #tables: SimulatedTables
  readonly #fault: () => 'storage.full' | 'storage.io' | null
  #waiting: Request[] = []
  #isBusy = false

  constructor(
    power: Power,
    tables: SimulatedTables,
    fault: () => 'storage.full' | 'storage.io' | null,
  ) {
    this.#power = power
    this.#tables = tables
    this.#fault = fault
  }

  async commit(changes: readonly Change[]): Promise<void> {
    commitBytes(changes)
    const copied = changes.map(change =>
      'value' in change ? { ...change, value: Uint8Array.from(change.value) } : change,
    )
    return this.#ask(() => this.#commitNow(copied), true)
  }

  async read(table: string, key: string): Promise<Uint8Array | null> {
    checkTable(table)
    keyBytes(key)
    return this.#ask(() => this.#tables.read(table, key), false)
  }

  async scan(table: string, range: Range): Promise<readonly Row[]> {
    checkRange(table, range)
    return this.#ask(() => {
      const rows = this.#tables.scan(table, range)
      const byteCount = rows.reduce((sum, { value }) => sum + value.length, 0)
      if (byteCount > scanBytesMax)
        throw new BoxError('storage.limit', `the answer has more than ${scanBytesMax} bytes`)
      return rows
    }, false)
  }

  #commitNow(changes: readonly Change[]): void {
    const fault = this.#fault()
    if (fault !== null) throw new BoxError(fault, 'the disk is at fault')
    if (!this.#tables.commit(changes))
      throw new BoxError('storage.conflict', 'the key is there already')
  }

  #ask<T>(act: () => T, isCommit: boolean): Promise<T> {
    return new Promise((resolve, refuse) => {
      const request: Request = {
        act: () => {
          const result = act()
          return () => resolve(result)
        },
        refuse,
        isCommit,
      }
      if (this.#waiting.push(request) === 1 && !this.#isBusy) void this.#serve()
    })
  }

  /** Until nobody waits, or the dark. */
  async #serve(): Promise<void> {
    this.#isBusy = true
    while (this.#waiting.length > 0) {
      await Promise.resolve()
      const group = this.#waiting
      this.#waiting = []
      if (!(await this.#serveTogether(group))) return
    }
    this.#isBusy = false
  }

  /** False when the power went: every step may be the last, and others run between any two. */
  async #serveTogether(group: readonly Request[]): Promise<boolean> {
    const answers: (() => void)[] = []
    for (const request of group) {
      if (!this.#power.isThere()) return false
      answers.push(answerTo(request))
      await Promise.resolve()
    }
    if (group.some(({ isCommit }) => isCommit)) {
      if (!this.#power.isThere()) return false
      this.#tables.sync()
    }
    for (const answer of answers) answer()
    return true
  }
}

function answerTo({ act, refuse }: Request): () => void {
  try {
    return act()
  } catch (error) {
    return () => refuse(error)
  }
}
