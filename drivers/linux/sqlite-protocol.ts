/** What the store and its worker thread say to each other. Keys travel as UTF-8 bytes, which is how they are ordered. */
import type { ErrorCode } from '../../runtime/core/errors.js'
import type { Row } from '../../runtime/ports/store.js'

export interface PackedChange {
  readonly kind: 'put' | 'insert' | 'remove' | 'clear'
  readonly table: string
  /** The key; for `clear`, the first one. */
  readonly key: Uint8Array
  /** The value; for `clear`, the first key that stays, or null for none. */
  readonly value: Uint8Array | null
}

export type StoreRequest =
  | { readonly kind: 'commit'; readonly changes: readonly PackedChange[] }
  | { readonly kind: 'read'; readonly table: string; readonly key: Uint8Array }
  | {
      readonly kind: 'scan'
      readonly table: string
      readonly from: Uint8Array
      readonly before: Uint8Array | null
      readonly limit: number
    }

export type StoreAnswer =
  | { readonly kind: 'committed' }
  | { readonly kind: 'value'; readonly value: Uint8Array | null }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | Failure

/** `code` is null for a bug. */
export interface Failure {
  readonly kind: 'failed'
  readonly code: ErrorCode | null
  readonly message: string
}

export type ToWorker =
  | {
      readonly kind: 'ask'
      readonly id: number
      readonly byteCount: number
      readonly request: StoreRequest
    }
  | { readonly kind: 'close' }

export type FromWorker =
  | ({ readonly kind: 'opened' } & StoreOpened)
  | Failure
  | { readonly kind: 'answers'; readonly answers: readonly { id: number; answer: StoreAnswer }[] }

/** Why a card takes no writes: the kernel mounted it for reading only, or there is no room. */
export type CardTrouble = 'read-only' | 'full'

export interface StoreOpened {
  /**
   * Where an unreadable database was moved, so that the box could start with an empty one; null when all is well.
   * Never keep silent about it: what the box knew is gone from its sight.
   */
  readonly rottenPath: string | null
  /** What it holds is read, and every commit is refused until that is over. */
  readonly trouble: CardTrouble | null
}

export interface SqliteLimits {
  /** The database file may grow to this; then `storage.full` until something is removed. At least 64 KiB. */
  readonly fileBytesMax: number
}

export interface SqliteWorkerStart {
  readonly path: string
  readonly limits: SqliteLimits
}
