import { constants, fstatSync, openSync } from 'node:fs'
import { errnoOf } from './errno.js'

const FLAGS = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY
const STANDARD_OUTPUT = 1
const STANDARD_ERROR = 2

/**
 * A descriptor for what `fd` writes to, on which a write that cannot be done at once fails with EAGAIN instead of waiting
 * for a reader. A write that waits cannot be called back: neither this thread nor, in a thread of Node's pool, the
 * process would ever end.
 *
 * Not waiting belongs to the open file, which others may share: a shell, a supervisor. So a pipe or a terminal is opened
 * once more. A socket cannot be, and a pipe of another user may not; those are left to Node, which makes them so, and
 * undoes it at the end, for any program that uses `process.stdout`. A file has no reader to wait for.
 */
export function neverWaiting(fd: number): number {
  if (!hasReader(fd)) return fd
  try {
    return openSync(`/proc/self/fd/${fd}`, FLAGS)
  } catch (error) {
    if (errnoOf(error) === null) throw error
  }
  if (fd === STANDARD_OUTPUT) process.stdout.writable
  if (fd === STANDARD_ERROR) process.stderr.writable
  return fd
}

function hasReader(fd: number): boolean {
  try {
    const kind = fstatSync(fd)
    return kind.isFIFO() || kind.isSocket() || kind.isCharacterDevice()
  } catch (error) {
    // Closed by whoever started us: each write says so.
    if (errnoOf(error) === null) throw error
    return false
  }
}
