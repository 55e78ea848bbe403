/** The state of the slots as bytes on the disk, with the number that tells which of two records is the newer. */
import type { Keys } from '../../runtime/ports/keys.js'
import {
  type Fields,
  isDigest,
  isFields,
  isVersion,
  isVersionOrNull,
  openSealedLine,
  sealedLine,
} from './sealed-lines.js'
import type { Refusal, Release, Slot, State } from './slot-state.js'
import { REFUSALS_MAX } from './slot-state.js'

export interface StateRecord {
  readonly sequence: number
  readonly state: State
}

/** Refusals take the most, about 700 bytes each. */
export const RECORD_BYTES_MAX = 256 * 1024
const FORMAT = 1

export const encodeRecord = (keys: Keys, { sequence, state }: StateRecord): Uint8Array =>
  sealedLine(keys, { format: FORMAT, sequence, ...state })

/** Null for a record that is torn, rotten, or of a kind that nobody here writes. */
export function decodeRecord(keys: Keys, bytes: Uint8Array): StateRecord | null {
  const value = openSealedLine(keys, bytes)
  if (!isFields(value) || value['format'] !== FORMAT) return null
  const { sequence, slots, chosen, floor, refused } = value
  if (!isCount(sequence) || !isFields(slots) || !isVersionOrNull(floor)) return null
  if (chosen !== 'a' && chosen !== 'b' && chosen !== null) return null
  const [a, b] = [decodeSlot(slots['a']), decodeSlot(slots['b'])]
  if (a === null || b === null || !isRefusals(refused)) return null
  return { sequence, state: { slots: { a, b }, chosen, floor, refused } }
}

export const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

function decodeSlot(value: unknown): Slot | null {
  if (!isFields(value)) return null
  const { kind } = value
  if (kind === 'empty') return { kind }
  const release = decodeRelease(value['release'])
  if (release === null) return null
  switch (kind) {
    case 'installing':
    case 'ready':
    case 'good':
      return { kind, release }
    case 'trial':
      return decodeTrial(value, release)
    case 'failed':
      return typeof value['why'] === 'string' ? { kind, release, why: value['why'] } : null
    default:
      return null
  }
}

const decodeTrial = ({ attempts }: Fields, release: Release): Slot | null =>
  isCount(attempts) ? { kind: 'trial', release, attempts } : null

function decodeRelease(value: unknown): Release | null {
  if (!isFields(value)) return null
  const { digest, version, floor } = value
  if (!isDigest(digest) || !isVersion(version) || !isVersionOrNull(floor)) return null
  return { digest, version, floor }
}

export const isRefusals = (value: unknown): value is readonly Refusal[] =>
  Array.isArray(value) && value.length <= REFUSALS_MAX + 1 && value.every(isRefusal)

const isRefusal = (value: unknown): boolean =>
  isFields(value) &&
  isDigest(value['digest']) &&
  isVersion(value['version']) &&
  typeof value['why'] === 'string'
