/** The state of the operating systems as bytes on the disk; on the partition that both of them use. */
import type { Keys } from '../../runtime/ports/keys.js'
import {
  type Fields,
  isDigest,
  isFields,
  isVersion,
  isVersionOrNull,
  openSealedLine,
  sealedLine,
} from '../slots/sealed-lines.js'
import type { Refusal } from '../slots/slot-state.js'
import { isCount, isRefusals, RECORD_BYTES_MAX } from '../slots/state-record.js'
import type { Numbered, RecordForm } from '../slots/two-records.js'
import {
  type OsHome,
  type OsImage,
  type OsSilence,
  type OsSlot,
  type OsState,
  osNames,
  type PartImage,
  type SlotImage,
} from './os-state.js'

export const OS_RECORD_FILES = ['ota/os.0', 'ota/os.1'] as const
const FORMAT = 1

export const osRecords: RecordForm<OsState> = {
  files: OS_RECORD_FILES,
  family: 'os',
  byteCountMax: RECORD_BYTES_MAX,
  encode: (keys, { sequence, state }) => sealedLine(keys, { format: FORMAT, sequence, ...state }),
  decode: decodeOsRecord,
}

function decodeOsRecord(keys: Keys, bytes: Uint8Array): Numbered<OsState> | null {
  const value = openSealedLine(keys, bytes)
  if (!isFields(value) || value['format'] !== FORMAT) return null
  const { sequence, slots, floor, refused } = value
  if (!isCount(sequence) || !isFields(slots) || !isVersionOrNull(floor)) return null
  const [a, b] = [decodeSlot(slots['a']), decodeSlot(slots['b'])]
  if (a === null || b === null || !isRefusals(refused)) return null
  const known: readonly Refusal[] = refused
  const home = decodeHome(value['home'])
  return { sequence, state: { slots: { a, b }, floor, refused: known, home } }
}

function decodeSlot(value: unknown): OsSlot | null {
  if (!isFields(value)) return null
  const { kind } = value
  if (kind === 'unknown') return { kind }
  if (kind === 'good' && value['image'] === null) return { kind, image: null }
  const image = decodeImage(value['image'])
  if (image === null) return null
  if (kind === 'writing' || kind === 'good') return { kind, image }
  return kind === 'failed' ? decodeFailed(value, image) : decodeTried(value, image)
}

const decodeFailed = ({ why }: Fields, image: OsImage): OsSlot | null =>
  typeof why === 'string' ? { kind: 'failed', image, why } : null

function decodeTried({ kind, attempts, askedIn, silence }: Fields, image: OsImage): OsSlot | null {
  if (!isCount(attempts)) return null
  if (kind === 'written') return { kind, image, attempts }
  if (kind !== 'trial' || typeof askedIn !== 'string') return null
  return { kind, image, attempts, askedIn, silence: decodeSilence(silence) }
}

/** Older releases say nothing of it. */
function decodeSilence(value: unknown): OsSilence | null {
  if (!isFields(value)) return null
  const { reboots, countedIn, why } = value
  if (!isCount(reboots) || typeof why !== 'string') return null
  const last = typeof countedIn === 'string' ? countedIn : ''
  return { reboots, countedIn: last, isWhole: value['isWhole'] !== false, why }
}

/** As of the silence. */
function decodeHome(value: unknown): OsHome | null {
  if (!isFields(value)) return null
  const { name, startedFrom } = value
  const known = osNames.find(one => one === name)
  return known && typeof startedFrom === 'string' ? { name: known, startedFrom } : null
}

function decodeImage(value: unknown): OsImage | null {
  if (!isFields(value)) return null
  const { digest, version, floor } = value
  if (!isDigest(digest) || !isVersion(version) || !isVersionOrNull(floor)) return null
  const [bundle, slots] = [decodePart(value['bundle']), decodeSlotImages(value['slots'])]
  if (bundle !== null) return slots && { digest, version, floor, bundle, slots }
  const [boot, root] = [decodePart(value['boot']), decodePart(value['root'])]
  return boot && root && { digest, version, floor, boot, root }
}

function decodeSlotImages(value: unknown): SlotImage[] | null {
  if (!Array.isArray(value)) return null
  const found: SlotImage[] = []
  for (const one of value) {
    const part = decodePart(one)
    const { slotClass, isReadable } = isFields(one) ? one : {}
    if (part === null || typeof slotClass !== 'string' || typeof isReadable !== 'boolean')
      return null
    found.push({ slotClass, isReadable, ...part })
  }
  return found
}

function decodePart(value: unknown): PartImage | null {
  if (!isFields(value)) return null
  const { byteCount, sha256 } = value
  return isCount(byteCount) && isDigest(sha256) ? { byteCount, sha256 } : null
}
