/**
 * What rauc(1) prints with `--output-format=json`, as src/main.c of versions 1.8 to 1.16 makes it. Newer versions say more,
 * and may say still more: what is not needed is not looked at.
 */
import type {
  RaucBundle,
  RaucContent,
  RaucImage,
  RaucSlot,
  RaucStatus,
} from '../../runtime/ports/rauc.js'

/** A slot, and where it is. */
export interface PlacedSlot extends RaucSlot {
  readonly device: string
}

export interface PlacedStatus extends RaucStatus {
  readonly slots: readonly PlacedSlot[]
}

type Fields = Readonly<Record<string, unknown>>

/** What RAUC copies byte for byte (src/update_handler.c); an archive, an index or a difference is another thing. */
const VERBATIM = /\.(img|ext[234]|vfat|squashfs|erofs)$/
const SLOTS_MAX = 64

/** Null for what is not the answer to `status --detailed`. */
export function parseStatus(said: string): PlacedStatus | null {
  const value = fieldsOf(parse(said))
  const slots = value && namedOnes(value['slots'], readSlot)
  if (typeof value?.['compatible'] !== 'string' || !slots) return null
  const { compatible, variant, boot_primary: primary } = value
  return { compatible, variant: words(variant), primary: words(primary), slots }
}

/** Null for what is not the answer to `info`. */
export function parseBundle(said: string): RaucBundle | null {
  const value = fieldsOf(parse(said))
  const images = value && namedOnes(value['images'], readImage)
  if (typeof value?.['compatible'] !== 'string' || !images) return null
  return { compatible: value['compatible'], images }
}

function readSlot(name: string, slot: Fields): PlacedSlot | null {
  const { class: slotClass, device } = slot
  if (typeof slotClass !== 'string' || typeof device !== 'string') return null
  return {
    name,
    slotClass,
    device,
    parent: words(slot['parent']),
    isBootable: words(slot['bootname']) !== null,
    isBooted: slot['state'] === 'booted',
    isRaw: slot['type'] === 'raw',
    content: contentOf(fieldsOf(slot['slot_status'])),
  }
}

function contentOf(status: Fields | null): RaucContent {
  if (status === null || status['status'] === undefined || status['status'] === null)
    return { kind: 'unsaid' }
  const checksum = fieldsOf(status['checksum'])
  const { sha256, size } = checksum ?? {}
  if (status['status'] !== 'ok') return { kind: 'broken' }
  if (!isDigest(sha256) || !isSize(size)) return { kind: 'unsaid' }
  return { kind: 'installed', byteCount: size, sha256 }
}

function readImage(slotClass: string, image: Fields): RaucImage | null {
  const { variant, filename, checksum, size, hooks } = image
  if (!isDigest(checksum) || !isSize(size)) return null
  const hasHooks = !Array.isArray(hooks) || hooks.length > 0
  const isVerbatim = !hasHooks && typeof filename === 'string' && VERBATIM.test(filename)
  return { slotClass, variant: words(variant), isVerbatim, byteCount: size, sha256: checksum }
}

/** A list of objects that have one member each, which is named for what it is. Null when one of them cannot be read. */
function namedOnes<T>(value: unknown, read: (name: string, fields: Fields) => T | null) {
  if (!Array.isArray(value) || value.length > SLOTS_MAX) return null
  const found: T[] = []
  for (const one of value) {
    const [name, inner, ...more] = Object.entries(fieldsOf(one) ?? {}).flat()
    const fields = fieldsOf(inner)
    const thing =
      typeof name === 'string' && fields && more.length === 0 ? read(name, fields) : null
    if (thing === null) return null
    found.push(thing)
  }
  return found
}

function parse(said: string): unknown {
  try {
    return JSON.parse(said)
  } catch {
    // Then it is not what was asked for.
    return null
  }
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const fieldsOf = (value: unknown): Fields | null => (isRecord(value) ? value : null)
/** What is empty is not there. */
const words = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null
const isDigest = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
const isSize = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
