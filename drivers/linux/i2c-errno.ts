/** What the kernel's error numbers mean on an I2C bus (Documentation/i2c/fault-codes.rst). */
import type { ErrorCode } from '../../runtime/core/errors.js'
import { codeOfErrno } from './errno.js'

const noAnswer: ReadonlySet<string> = new Set(['ENXIO', 'EREMOTEIO', 'EAGAIN'])

/** Nobody acknowledged, or another master won the bus: nothing has happened yet, so it may be tried again. */
export const isNoAnswer = (name: string): boolean => noAnswer.has(name)

/** A Pi's adapters report an address that nobody acknowledged as EREMOTEIO, others as ENXIO. */
export function codeOfI2cErrno(name: string): ErrorCode {
  if (name === 'EREMOTEIO') return 'device.absent'
  return name === 'ETIMEDOUT' ? 'device.timeout' : codeOfErrno(name)
}
