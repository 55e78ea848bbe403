/**
 * The bundle as a file of its own. RAUC takes only one that nobody else could write to while it reads: not the one from which
 * pieces are given to others; and it may make root its owner.
 */
import { BoxError } from '../../runtime/core/errors.js'
import type { PieceStore } from '../../runtime/ports/piece-store.js'
import type { PartImage } from './os-state.js'
import type { OsSource, OsWishes } from './os-writer.js'

/** Left free for everything else on the partition. */
const ROOM_LEFT_BYTES = 32 * 1024 * 1024

/**
 * When this resolves, all of it is on the disk, under its digest, and closed.
 * @throws BoxError `os.rotten` when it is not what was signed, `ota.refused` when cancelled, `storage.full`, `storage.io`
 */
export async function fetchBundle(
  store: PieceStore,
  { byteCount, sha256 }: PartImage,
  source: OsSource,
  { progress, isCancelled }: OsWishes,
): Promise<void> {
  await removeBundles(store)
  const free = await store.freeByteCount()
  if (free < byteCount + ROOM_LEFT_BYTES)
    throw new BoxError('storage.full', `the bundle has ${byteCount} bytes, and ${free} are free`)
  const file = await store.open(sha256)
  try {
    let done = 0
    for await (const bytes of source.open('bundle')) {
      if (isCancelled()) throw new BoxError('ota.refused', 'fetching the bundle was cancelled')
      if (done + bytes.length > byteCount) throw rotten(`more than ${byteCount} bytes`)
      await file.write(done, bytes)
      done += bytes.length
      progress({ part: 'bundle', done, all: byteCount })
    }
    if (done < byteCount) throw rotten(`${done} of ${byteCount} bytes`)
    await file.sync()
    if ((await file.sha256Hex(byteCount)) !== sha256) throw rotten('other bytes')
  } finally {
    await file.close()
  }
}

/** Whatever an earlier try has left. */
export async function removeBundles(store: PieceStore): Promise<void> {
  for (const { sha256 } of await store.list()) await store.remove(sha256)
}

const rotten = (what: string): BoxError =>
  new BoxError('os.rotten', `the bundle is not what was signed: ${what}`)
