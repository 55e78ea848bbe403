/** What the kernel's error numbers mean to whoever asked for a device. Names as in errno(3). */
import { constants } from 'node:os'
import { DeviceError, type ErrorCode } from '../../runtime/core/errors.js'

const codes: ReadonlyMap<string, ErrorCode> = new Map([
  ['ENOENT', 'device.absent'],
  ['ENODEV', 'device.absent'],
  ['ENXIO', 'device.absent'],
  ['ENETDOWN', 'device.absent'],
  ['EADDRNOTAVAIL', 'device.absent'],
  ['EADDRINUSE', 'port.taken'],
  ['EBUSY', 'device.busy'],
  ['EACCES', 'device.denied'],
  ['EPERM', 'device.denied'],
])

const names: ReadonlyMap<number, string> = new Map([
  ...Object.entries(constants.errno).map(([name, value]): [number, string] => [value, name]),
  // Not among the numbers that node:os knows. Linux, include/uapi/asm-generic/errno.h.
  [121, 'EREMOTEIO'],
])

/** `EBUSY` for 16; a number that has no name stays a number. */
export const errnoName = (errno: number): string => names.get(errno) ?? `errno ${errno}`

/** @param name as in errno(3), e.g. `EBUSY` */
export const codeOfErrno = (name: string): ErrorCode => codes.get(name) ?? 'device.io'

/** The errno name that a failed call of node:fs carries, or null when it was something else. */
export function errnoOf(thrown: unknown): string | null {
  if (!(thrown instanceof Error) || !('code' in thrown)) return null
  const { code } = thrown
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : null
}

export const hasCode = (thrown: unknown, code: string): boolean => errnoOf(thrown) === code

/**
 * What was thrown by a call to the kernel, as a DeviceError that says what was being done.
 * Anything that is no failed call is a bug and is thrown on as it is.
 */
export function deviceErrorOf(what: string, thrown: unknown): DeviceError {
  if (thrown instanceof DeviceError) return thrown
  const name = errnoOf(thrown)
  if (name === null) throw thrown
  return new DeviceError(codeOfErrno(name), `${what}: ${name}`, { cause: thrown })
}
