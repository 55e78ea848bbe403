import { keyBytes } from '../../runtime/core/store-limits.js'
import type { Change, Range, Row } from '../../runtime/ports/store.js'

interface Kept {
  readonly bytes: Uint8Array
  readonly key: string
  readonly value: Uint8Array
}

type Undo = () => void

/** Ordered records in memory, with what it takes to undo every commit that is not synced yet. */
export class SimulatedTables {
  readonly #tables = new Map<string, Map<string, Kept>>()
  #unsynced: Undo[] = []

  get unsyncedCommits(): number {
    return this.#unsynced.length
  }

  /** All changes, or none and false when an insert meets its key. */
  commit(changes: readonly Change[]): boolean {
    const undos: Undo[] = []
    const undo = (): void => {
      for (const back of undos.toReversed()) back()
    }
    for (const change of changes) {
      const isConflict = change.kind === 'insert' && this.#table(change.table).has(change.key)
      if (isConflict) {
        undo()
        return false
      }
      this.#apply(change, undos)
    }
    this.#unsynced.push(undo)
    return true
  }

  sync(): void {
    this.#unsynced = []
  }

  /** Takes back all commits that are not synced but the first `kept`. */
  undoTo(kept: number): void {
    for (const undo of this.#unsynced.splice(kept).toReversed()) undo()
  }

  read(table: string, key: string): Uint8Array | null {
    return this.#table(table).get(key)?.value.slice() ?? null
  }

  scan(table: string, range: Range): readonly Row[] {
    return this.#between(table, range)
      .slice(0, range.limit)
      .map(({ key, value }) => ({ key, value: value.slice() }))
  }

  #apply(change: Change, undos: Undo[]): void {
    switch (change.kind) {
      case 'put':
      case 'insert':
        undos.push(this.#set(change.table, change.key, change.value))
        return
      case 'remove':
        undos.push(this.#set(change.table, change.key, null))
        return
      case 'clear':
        for (const { key } of this.#between(change.table, change))
          undos.push(this.#set(change.table, key, null))
    }
  }

  #set(table: string, key: string, value: Uint8Array | null): Undo {
    const records = this.#table(table)
    const before = records.get(key)
    if (value === null) records.delete(key)
    else records.set(key, { key, bytes: keyBytes(key), value })
    return () => {
      if (before === undefined) records.delete(key)
      else records.set(key, before)
    }
  }

  #between(table: string, range: { from: string; before: string | null }): readonly Kept[] {
    const from = keyBytes(range.from)
    const before = range.before === null ? null : keyBytes(range.before)
    return [...this.#table(table).values()]
      .filter(({ bytes }) => Buffer.compare(bytes, from) >= 0)
      .filter(({ bytes }) => before === null || Buffer.compare(bytes, before) < 0)
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
  }

  #table(name: string): Map<string, Kept> {
    const found = this.#tables.get(name)
    if (found !== undefined) return found
    const made = new Map<string, Kept>()
    this.#tables.set(name, made)
    return made
  }
}
