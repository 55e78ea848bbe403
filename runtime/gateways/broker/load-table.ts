import { BoxError } from '../../core/errors.js'
import type { Row, Store } from '../../ports/store.js'
import type { WriteBehind } from './write-behind.js'

export interface TableSource {
  readonly store: Store
  readonly writes: WriteBehind
  /** Told of each row that cannot be read; the row is removed, for it would be met again at every start. */
  readonly onRotten: (table: string, error: BoxError) => void
}

/** Hands every row of a table to `read`, one page in memory at a time. */
export async function loadTable(
  source: TableSource,
  table: string,
  pageRows: number,
  read: (key: string, value: Uint8Array) => void,
): Promise<void> {
  for (let from: string | null = ''; from !== null; ) {
    const rows: readonly Row[] = await readPage(source.store, table, from, pageRows)
    for (const row of rows) readRow(source, table, row, read)
    const last = rows.at(-1)
    from = last ? `${last.key}\u0000` : null
  }
}

/** Fewer rows when they are large: the store answers 64 MiB at most. */
async function readPage(
  store: Store,
  table: string,
  from: string,
  limit: number,
): Promise<readonly Row[]> {
  try {
    return await store.scan(table, { from, before: null, limit })
  } catch (error) {
    if (limit === 1 || !(error instanceof BoxError && error.code === 'storage.limit')) throw error
    return readPage(store, table, from, Math.ceil(limit / 4))
  }
}

function readRow(
  { writes, onRotten }: TableSource,
  table: string,
  { key, value }: Row,
  read: (key: string, value: Uint8Array) => void,
): void {
  try {
    read(key, value)
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error))
    onRotten(table, new BoxError('storage.rotten', `a row of ${table} cannot be read`, { cause }))
    writes.appendLazily({ kind: 'remove', table, key })
  }
}
