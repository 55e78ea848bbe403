/**
 * A card near its end, or one whose journal cannot be read after a power cut, is mounted by the kernel for reading only
 * (`errors=remount-ro`, ext4(5)). The box of a venue starts from it all the same.
 */
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { BoxError } from '../../runtime/core/errors.js'
import { hasCode } from './errno.js'

/** @param path of a file, which need not be there */
export function isOnReadOnlyCard(path: string): boolean {
  try {
    accessSync(nearest(dirname(path)), constants.W_OK)
    return false
  } catch (error) {
    return hasCode(error, 'EROFS')
  }
}

/**
 * Whether a write is refused, by trying one: since Linux 6.12 the mount of an ext4 that was found damaged stays as it was
 * (`emergency_ro`), and only what would be written is refused.
 * @param path of a file, which need not be there
 */
export function areWritesRefused(path: string): boolean {
  if (isOnReadOnlyCard(path)) return true
  try {
    rmdirSync(mkdtempSync(join(nearest(dirname(path)), '.roadcase-')))
    return false
  } catch (error) {
    return hasCode(error, 'EROFS')
  }
}

/** Whether the card takes no writes, for good or until somebody makes room. */
export const isCardTrouble = (error: unknown): boolean =>
  ['EROFS', 'ENOSPC', 'EDQUOT'].some(code => hasCode(error, code))

/** The folder itself, or the first above it that is there. */
function nearest(folder: string): string {
  const above = dirname(folder)
  return existsSync(folder) || above === folder ? folder : nearest(above)
}

/** Where a Linux machine keeps files in its memory; that of a laptop may lack it. */
const MEMORY = '/dev/shm'

/**
 * @param paths those that are not there are passed over; the first one's copy is what `use` is given
 * @param use opens it: the names are gone right after, so that nothing is left however the process ends
 * @throws BoxError `storage.io` when there is no room for a copy
 */
export function withCopyInMemory(
  paths: readonly [string, ...string[]],
  use: (path: string) => void,
): void {
  const folder = copied(paths)
  try {
    use(join(folder, basename(paths[0])))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The folder of the copies: in the memory, or wherever else files for a while go. */
function copied(paths: readonly [string, ...string[]]): string {
  let cause: unknown
  for (const place of new Set([MEMORY, tmpdir()]))
    try {
      return copiedTo(place, paths)
    } catch (error) {
      cause = error
    }
  const problem = `${paths[0]} is on a card that takes no writes, and a copy of it finds no room in ${MEMORY} or ${tmpdir()}`
  throw new BoxError('storage.io', problem, { cause })
}

function copiedTo(place: string, paths: readonly string[]): string {
  const folder = mkdtempSync(join(place, 'roadcase-'))
  try {
    for (const path of paths) if (existsSync(path)) copyFileSync(path, join(folder, basename(path)))
    return folder
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}
