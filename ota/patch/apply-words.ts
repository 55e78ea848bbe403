/**
 * What the updater and the process that applies an object say to each other, over Node's channel between parent and child.
 * Both are of one release, so this is no format that lasts; each side checks all the same, without the schema library,
 * which alone would make the child heavier by a tenth.
 */
import { type ErrorCode, errorCodes } from '../../runtime/core/errors.js'
import type { ExpectedRelease } from './apply.js'

/** The first message to the child. */
export interface ApplyOrder {
  /** The file of the transfer object; it is read while the child lives. */
  readonly object: string
  readonly expected: ExpectedRelease
  /** The folder of the release that is the object's base; null for `full`. */
  readonly base: string | null
  /** The folder that is emptied, and becomes the release. */
  readonly target: string
}

/** The second message to the child, if there is one: it ends soon, and says nothing more. */
export const CANCEL = { kind: 'cancel' } as const

export type ApplyReport =
  /** Bytes of the release's files. */
  | { readonly kind: 'progress'; readonly done: number; readonly all: number }
  /** It is on the disk. The child has nothing more to do. */
  | { readonly kind: 'applied' }
  /** The child has nothing more to do. */
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }

type Fields = Readonly<Record<string, unknown>>

/** Null for what is no order. */
export function readOrder(message: unknown): ApplyOrder | null {
  if (!isFields(message)) return null
  const { object, base, target } = message
  const expected = readExpected(message['expected'])
  if (typeof object !== 'string' || typeof target !== 'string' || expected === null) return null
  if (typeof base !== 'string' && base !== null) return null
  return { object, expected, base, target }
}

export const isCancel = (message: unknown): boolean =>
  isFields(message) && message['kind'] === CANCEL.kind

/** Null for what is no report. */
export function readReport(message: unknown): ApplyReport | null {
  if (!isFields(message)) return null
  const { kind, done, all } = message
  switch (kind) {
    case 'progress':
      return isCount(done) && isCount(all) ? { kind, done, all } : null
    case 'applied':
      return { kind }
    case 'failed': {
      const code = errorCodes.find(known => known === message['code'])
      return code === undefined ? null : { kind, code, message: `${message['message']}` }
    }
    default:
      return null
  }
}

function readExpected(value: unknown): ExpectedRelease | null {
  if (!isFields(value)) return null
  const { kind, from, digest, manifestByteCount, treeByteCount, treeFileCount } = value
  if (kind !== 'patch' && kind !== 'pack' && kind !== 'full') return null
  if (typeof digest !== 'string' || (typeof from !== 'string' && from !== null)) return null
  if (!isCount(manifestByteCount) || !isCount(treeByteCount) || !isCount(treeFileCount)) return null
  return { kind, from, digest, manifestByteCount, treeByteCount, treeFileCount }
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
