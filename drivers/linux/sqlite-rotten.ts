/** Moves a database that cannot be read out of the way. It is evidence and perhaps rescue: it is never deleted. */
import { existsSync, renameSync, rmSync } from 'node:fs'

/** When so many lie about already, the last one is replaced: a dying card must not be filled with its own remains. */
const KEPT_MAX = 9

/** Moves the file and its write-ahead log, so that `sqlite3` can still open the pair; returns the new path. */
export function moveAside(path: string): string {
  const rottenPath = freePath(path)
  for (const suffix of ['-wal', '']) {
    rmSync(`${rottenPath}${suffix}`, { force: true })
    if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${rottenPath}${suffix}`)
  }
  rmSync(`${path}-shm`, { force: true })
  return rottenPath
}

function freePath(path: string): string {
  for (let count = 1; count < KEPT_MAX; count++)
    if (!existsSync(`${path}.rotten-${count}`)) return `${path}.rotten-${count}`
  return `${path}.rotten-${KEPT_MAX}`
}
