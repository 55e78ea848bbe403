/**
 * Records that survive a power cut: an ordered map of byte strings in named tables.
 * Promise: once `commit` resolves, all of its changes are read back after any power cut;
 * before that, all of them or none.
 */
export interface Store {
  /**
   * Applies all changes or none, and syncs them to the disk. Commits made while another is under way are synced
   * together. At most 4096 changes and 16 MiB a commit, 512 bytes a key.
   * Throws BoxError `storage.conflict` (an `insert` of a key that is there), `storage.full`, `storage.io`,
   * `storage.limit` (larger than that, or too many commits wait for the disk; nothing was changed).
   */
  commit(changes: readonly Change[]): Promise<void>
  read(table: string, key: string): Promise<Uint8Array | null>
  /** In ascending order of key (by UTF-8 bytes), `from` included, `before` excluded, at most `limit` (1..10000). */
  scan(table: string, range: Range): Promise<readonly Row[]>
}

export type Change =
  | {
      readonly kind: 'put'
      readonly table: string
      readonly key: string
      readonly value: Uint8Array
    }
  /** Like put, but a key that is already there is a conflict: uniqueness that guards money and doors. */
  | {
      readonly kind: 'insert'
      readonly table: string
      readonly key: string
      readonly value: Uint8Array
    }
  | { readonly kind: 'remove'; readonly table: string; readonly key: string }
  /** Removes every key in [from, before). */
  | {
      readonly kind: 'clear'
      readonly table: string
      readonly from: string
      readonly before: string | null
    }

export interface Range {
  readonly from: string
  readonly before: string | null
  readonly limit: number
}

export interface Row {
  readonly key: string
  readonly value: Uint8Array
}
