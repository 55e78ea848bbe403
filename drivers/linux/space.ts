/** How full the disk is that a folder lies on. */
import { lstat, readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** Of a block, as lstat(2) counts them whatever the file system's own are. */
const BLOCK_BYTES = 512

export interface Space {
  /** Bytes that may still be written; null where nobody can tell. */
  free(folder: string): Promise<number | null>
  /** Bytes that come back when the folder is removed. What cannot be looked at counts nothing; thousands of files take a while. */
  taken(folder: string): Promise<number>
}

export const linuxSpace: Space = { free, taken }

async function free(folder: string): Promise<number | null> {
  const found = await statfs(folder).catch(() => null)
  return found && found.bavail * found.bsize
}

async function taken(folder: string): Promise<number> {
  // A folder that is not there, or goes while it is looked at, takes nothing.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  let byteCount = 0
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) byteCount += await taken(path)
    else byteCount += ((await lstat(path).catch(() => null))?.blocks ?? 0) * BLOCK_BYTES
  }
  return byteCount
}
