/** An image out of its transfer object, a little at a time. */
import type { Brotli } from '../../runtime/ports/brotli.js'
import type { FetchedObject } from '../fetch/fetched-object.js'

const READ_BYTES = 64 * 1024

/** @throws BoxError `release.invalid` for what is no brotli, `storage.rotten` for a piece that is not what it was */
export async function* unpacked(
  brotli: Pick<Brotli, 'decompress'>,
  object: FetchedObject,
): AsyncGenerator<Uint8Array> {
  let at = 0
  const reader = brotli.decompress(async () => {
    const bytes = new Uint8Array(READ_BYTES)
    const count = await object.read(at, bytes)
    at += count
    return count === 0 ? null : bytes.subarray(0, count)
  })
  try {
    for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read()) yield bytes
  } finally {
    reader.close()
  }
}
