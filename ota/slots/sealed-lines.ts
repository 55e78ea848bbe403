/**
 * Small facts that are kept on the disk with their checksum: one line of JSON, then its SHA-256. Read by hand, since the
 * launcher carries no packages: whatever is not exactly right is not there.
 */
import type { Keys } from '../../runtime/ports/keys.js'

export function sealedLine(keys: Keys, value: unknown): Uint8Array {
  const line = new TextEncoder().encode(JSON.stringify(value))
  return new TextEncoder().encode(`${new TextDecoder().decode(line)}\n${keys.sha256Hex(line)}\n`)
}

/** Null for anything that was not written whole. */
export function openSealedLine(keys: Keys, bytes: Uint8Array): unknown {
  const end = bytes.indexOf(0x0a)
  if (end < 0) return null
  const sum = new TextDecoder().decode(bytes.subarray(end + 1))
  if (sum !== `${keys.sha256Hex(bytes.subarray(0, end))}\n`) return null
  return JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)))
}

export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const DIGEST = /^[0-9a-f]{64}$/
const VERSION =
  /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9a-z]{1,16}(\.[0-9a-z]{1,16}){0,3})?$/

export const isDigest = (value: unknown): value is string =>
  typeof value === 'string' && DIGEST.test(value)

/** The same as `releaseVersion` of ../release/description.ts. */
export const isVersion = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 64 && VERSION.test(value)

export const isVersionOrNull = (value: unknown): value is string | null =>
  value === null || isVersion(value)
