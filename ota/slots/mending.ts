/**
 * Makes a slot whole from what lies on the card: files of the same bytes, in the other slot or in this one, are copied
 * beside it, read back, and put into their places one by one. A cut leaves each file as it was or as it is to be. A slot in
 * which nothing is right yet becomes a copy this way.
 */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import {
  MANIFEST_BYTES_MAX,
  MANIFEST_FILE,
  type ManifestEntry,
  parseManifest,
} from '../release/manifest.js'
import { type CheckPorts, fileProblem, fullProblem, slotFolder } from './slot-check.js'
import { otherSlot, type SlotName } from './slot-state.js'

/** What is being copied: outside of the slots, of which it is no part, and one for both. */
export const HALF_FILE = 'slots/half'

export interface MendWishes {
  /** After each file and each megabyte. Throws to give up; what was done stays. */
  readonly pause: () => Promise<void>
  /** Asked before anything is written. @throws BoxError when there is no room for so much */
  readonly makeSure: (byteCount: number) => Promise<void>
}

export type Mending =
  /** Every byte is right. `putRight`: files that were not, none when nothing was wrong. */
  | { readonly isWhole: true; readonly putRight: readonly string[] }
  | {
      readonly isWhole: false
      readonly problem: string
      /** Only what nobody runs is damaged still. */
      readonly isHarmless: boolean
    }

/** Of a release: they are there to be read by people. */
const WORDS: readonly string[] = ['licences.txt', 'sbom.cdx.json']

interface Wrong {
  readonly entries: readonly ManifestEntry[]
  readonly strays: readonly string[]
}

/** Whoever calls it sees to it that nobody else writes into the slot, and seals it afterwards. */
export async function mend(
  ports: CheckPorts,
  slot: SlotName,
  digest: string,
  wishes: MendWishes,
): Promise<Mending> {
  const { disk } = ports
  try {
    // Of a cut.
    await disk.remove(HALF_FILE)
    const manifest = await findManifest(ports, slot, digest)
    if (manifest === null) return beyond('the list of its files is damaged, and nobody has another')
    return await repair(ports, slot, manifest, { digest, wishes })
  } catch (error) {
    if (!(error instanceof BoxError) || !MAY_FAIL.includes(error.code)) throw error
    return beyond(messageOf(error))
  }
}

async function repair(
  ports: CheckPorts,
  slot: SlotName,
  manifest: FoundManifest,
  { digest, wishes }: { readonly digest: string; readonly wishes: MendWishes },
): Promise<Mending> {
  const entries = parseManifest(manifest.bytes)
  const wrong = await findWrong(ports, slot, entries, wishes)
  const sources = await findSources(ports, slot, entries, wrong)
  const lost = wrong.entries.filter(({ sha256 }) => !sources.has(sha256))
  const worst = lost.find(({ path }) => !WORDS.includes(path)) ?? lost[0]
  const isHarmless = lost.every(({ path }) => WORDS.includes(path))
  if (!isHarmless && worst) return beyond(noSuchFile(worst))
  const found = wrong.entries.filter(entry => !lost.includes(entry))
  await wishes.makeSure(found.reduce((sum, { byteCount }) => sum + byteCount, 0))
  for (const path of wrong.strays) await ports.disk.remove(`${slotFolder(slot)}/${path}`)
  for (const entry of found)
    await putRight(ports, slot, entry, { from: sources.get(entry.sha256) ?? [], wishes })
  if (!manifest.isOwn) await putManifest(ports, slot, manifest.bytes)
  if (worst) return { ...beyond(noSuchFile(worst)), isHarmless }
  const problem = await fullProblem(ports, slot, digest, { from: 'disk', pause: wishes.pause })
  if (problem !== null) return beyond(problem)
  const own = manifest.isOwn ? [] : [MANIFEST_FILE]
  return { isWhole: true, putRight: [...own, ...found.map(({ path }) => path)] }
}

/** The card's fault. No room, or no time, is for the caller. */
const MAY_FAIL: readonly string[] = ['storage.io', 'storage.limit', 'release.invalid']

const noSuchFile = ({ path }: ManifestEntry): string =>
  `${path} is damaged, and the other slot has no such file`

const beyond = (problem: string): Mending & { isWhole: false } => ({
  isWhole: false,
  problem,
  isHarmless: false,
})

interface FoundManifest {
  readonly bytes: Uint8Array
  readonly isOwn: boolean
}

async function findManifest(
  { disk, keys }: CheckPorts,
  slot: SlotName,
  digest: string,
): Promise<FoundManifest | null> {
  for (const name of [slot, otherSlot(slot)]) {
    const path = `${slotFolder(name)}/${MANIFEST_FILE}`
    const bytes = await disk.read(path, MANIFEST_BYTES_MAX).catch(unreadable)
    if (bytes !== null && keys.sha256Hex(bytes) === digest) return { bytes, isOwn: name === slot }
  }
  return null
}

async function findWrong(
  { disk }: CheckPorts,
  slot: SlotName,
  entries: readonly ManifestEntry[],
  { pause }: MendWishes,
): Promise<Wrong> {
  const listed = await disk.list(slotFolder(slot))
  const found = new Map(listed.map(file => [file.path, file]))
  const wrong: ManifestEntry[] = []
  for (const entry of entries) {
    const name = `${slotFolder(slot)}/${entry.path}`
    const isLike = fileProblem(entry, found.get(entry.path)) === null
    const isRight = isLike && (await disk.sha256(name, 'disk').catch(unreadable)) === entry.sha256
    if (!isRight) wrong.push(entry)
    await pause()
  }
  const known = new Set([MANIFEST_FILE, ...entries.map(({ path }) => path)])
  const strays = listed.map(({ path }) => path).filter(path => !known.has(path))
  return { entries: wrong, strays }
}

/** By digest: where such bytes should be. None of them is believed before it was read. */
async function findSources(
  { disk }: CheckPorts,
  slot: SlotName,
  entries: readonly ManifestEntry[],
  wrong: Wrong,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const other = otherSlot(slot)
  const path = `${slotFolder(other)}/${MANIFEST_FILE}`
  const bytes = await disk.read(path, MANIFEST_BYTES_MAX).catch(unreadable)
  const there = new Set((await disk.list(slotFolder(other))).map(file => file.path))
  const isWrong = new Set(wrong.entries)
  const sources = new Map<string, string[]>()
  const add = (sha256: string, name: string): void => {
    sources.set(sha256, [...(sources.get(sha256) ?? []), name])
  }
  for (const { sha256, path } of entriesIn(bytes))
    if (there.has(path)) add(sha256, `${slotFolder(other)}/${path}`)
  for (const entry of entries)
    if (!isWrong.has(entry)) add(entry.sha256, `${slotFolder(slot)}/${entry.path}`)
    // The other slot's list may be what is damaged there.
    else if (there.has(entry.path)) add(entry.sha256, `${slotFolder(other)}/${entry.path}`)
  return sources
}

function entriesIn(manifest: Uint8Array | null): readonly ManifestEntry[] {
  try {
    return manifest === null ? [] : parseManifest(manifest)
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    return []
  }
}

async function putRight(
  { disk }: CheckPorts,
  slot: SlotName,
  { path, mode, sha256 }: ManifestEntry,
  { from, wishes }: { from: readonly string[]; wishes: MendWishes },
): Promise<void> {
  const wanted = { isExecutable: mode === '755', pause: wishes.pause }
  for (const name of new Set(from)) {
    const copied = await disk.copy(name, HALF_FILE, wanted).catch(unreadable)
    if (copied !== sha256) continue
    if ((await disk.sha256(HALF_FILE, 'disk')) !== sha256)
      throw new BoxError('storage.io', `the card does not keep what is written for ${path}`)
    return disk.rename(HALF_FILE, `${slotFolder(slot)}/${path}`)
  }
  throw new BoxError('storage.io', `${path} is damaged, and in the other slot as well`)
}

async function putManifest({ disk }: CheckPorts, slot: SlotName, bytes: Uint8Array): Promise<void> {
  await disk.writeSynced(HALF_FILE, bytes)
  await disk.rename(HALF_FILE, `${slotFolder(slot)}/${MANIFEST_FILE}`)
}

/** A block that cannot be read is as good as rotten. */
function unreadable(error: unknown): null {
  if (error instanceof BoxError && ['storage.io', 'storage.limit'].includes(error.code)) return null
  throw error
}
