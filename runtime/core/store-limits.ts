/** What any `Store` takes at most, so that the simulated one refuses what the real one refuses. */
import type { Change, Range } from '../ports/store.js'
import { assert, BoxError } from './errors.js'

export const commitChangesMax = 4096
export const commitBytesMax = 16 * 1024 * 1024
export const keyBytesMax = 512
export const scanRowsMax = 10_000
export const scanBytesMax = 64 * 1024 * 1024

const encoder = new TextEncoder()

/**
 * A key as the store orders it: by its UTF-8 bytes.
 * @throws BoxError `storage.limit` when it is longer than 512 bytes, or holds half a surrogate pair: two such keys
 * would become the same bytes
 */
export function keyBytes(key: string): Uint8Array {
  if (/\p{Surrogate}/u.test(key))
    throw new BoxError('storage.limit', 'a key is not well-formed Unicode')
  if (key.length > keyBytesMax) throw tooLong()
  const bytes = encoder.encode(key)
  if (bytes.length > keyBytesMax) throw tooLong()
  return bytes
}

const tooLong = (): BoxError =>
  new BoxError('storage.limit', `a key has more than ${keyBytesMax} bytes`)

/**
 * The bytes that a commit asks the store to keep or to look up.
 * @throws BoxError `storage.limit`
 */
export function commitBytes(changes: readonly Change[]): number {
  if (changes.length > commitChangesMax)
    throw new BoxError('storage.limit', `a commit has more than ${commitChangesMax} changes`)
  let byteCount = 0
  for (const change of changes) byteCount += changeBytes(change)
  if (byteCount > commitBytesMax)
    throw new BoxError('storage.limit', `a commit has more than ${commitBytesMax} bytes`)
  return byteCount
}

function changeBytes(change: Change): number {
  checkTable(change.table)
  switch (change.kind) {
    case 'put':
    case 'insert':
      return keyBytes(change.key).length + change.value.length
    case 'remove':
      return keyBytes(change.key).length
    case 'clear':
      return keyBytes(change.from).length + keyBytes(change.before ?? '').length
  }
}

/** Tables are named by the program, never from outside. */
export function checkTable(table: string): void {
  assert(/^[\w./:-]{1,64}$/.test(table), `"${table}" can name a table`)
}

/** @throws BoxError `storage.limit` */
export function checkRange(table: string, range: Range): void {
  checkTable(table)
  keyBytes(range.from)
  if (range.before !== null) keyBytes(range.before)
  if (!Number.isInteger(range.limit) || range.limit < 1 || range.limit > scanRowsMax)
    throw new BoxError('storage.limit', `a scan takes 1 to ${scanRowsMax} rows`)
}
