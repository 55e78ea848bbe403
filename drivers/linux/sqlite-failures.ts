/** What SQLite's result codes mean in this house. https://www.sqlite.org/rescode.html */
import { constants } from 'node:os'
import { BoxError, type ErrorCode, messageOf } from '../../runtime/core/errors.js'
import type { Failure } from './sqlite-protocol.js'

const Result = { corrupt: 11, full: 13, notADatabase: 26 } as const
/** The upper bytes of a result code only refine the lowest. */
const PRIMARY_MASK = 0xff

/** The failure to report, with its code; `code` is null when it is no failure of the disk but a bug. */
export function failureOf(error: unknown): Failure {
  const code = codeOf(error)
  const message = code === null && error instanceof Error ? error.stack : undefined
  return { kind: 'failed', code, message: message ?? messageOf(error) }
}

export function codeOf(error: unknown): ErrorCode | null {
  if (error instanceof BoxError) return error.code
  if (numberIn(error, 'systemErrno') === constants.errno.ENOSPC) return 'storage.full'
  if (textIn(error, 'code') === 'ENOSPC') return 'storage.full'
  const result = numberIn(error, 'errcode')
  if (result === null) return textIn(error, 'syscall') === null ? null : 'storage.io'
  switch (result & PRIMARY_MASK) {
    case Result.full:
      return 'storage.full'
    case Result.corrupt:
    case Result.notADatabase:
      return 'storage.rotten'
    default:
      return 'storage.io'
  }
}

/** A BoxError for a failure of the disk; anything else is a bug and stays what it is. */
export function thrownFor(error: unknown): unknown {
  const code = codeOf(error)
  if (error instanceof BoxError || code === null) return error
  return new BoxError(code, `the store cannot be opened: ${messageOf(error)}`, { cause: error })
}

function numberIn(error: unknown, name: string): number | null {
  const value = valueIn(error, name)
  return typeof value === 'number' ? value : null
}

function textIn(error: unknown, name: string): string | null {
  const value = valueIn(error, name)
  return typeof value === 'string' ? value : null
}

function valueIn(error: unknown, name: string): unknown {
  return error instanceof Error ? Object.getOwnPropertyDescriptor(error, name)?.value : undefined
}
