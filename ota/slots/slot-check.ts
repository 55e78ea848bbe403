/**
 * Whether the bytes in a slot are those of its release: all of them, after they were written; and before a start what can
 * be told quickly. A slot is exactly its manifest, nothing less and nothing more.
 */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Keys } from '../../runtime/ports/keys.js'
import type { FoundFile, SlotDisk } from '../../runtime/ports/slot-disk.js'
import {
  MANIFEST_BYTES_MAX,
  MANIFEST_FILE,
  type ManifestEntry,
  parseManifest,
} from '../release/manifest.js'
import { isDigest, isFields, isVersionOrNull, openSealedLine, sealedLine } from './sealed-lines.js'
import type { Release, SlotName } from './slot-state.js'

export const slotFolder = (slot: SlotName): string => `slots/${slot}`
export const sealFile = (slot: SlotName): string => `slots/${slot}.seal`

/** What stays the same as long as nobody writes: kept beside a slot once all of it was found right. */
interface Seal {
  readonly digest: string
  /** Over path, inode, size, mode and time of change of every file. */
  readonly fingerprint: string
  /** The box's floor at that time, should both state records be lost. */
  readonly floor: string | null
}

const SEAL_BYTES_MAX = 4096
/** Hashed before each start, on top of what is started: so much is read within a fraction of a second from any card. */
const SAMPLE_BYTES = 4 * 1024 * 1024
const SAMPLE_FILES = 24
/**
 * What is started, and says what is: all of our own program, native modules, and a Node that the release brings. Five
 * megabytes, with a Node a hundred, which are read from the card for the start anyway.
 */
const ALWAYS = /^(launch\.json|package\.json|bin\/node|program\/.*\.js|.*\.node)$/

export interface CheckPorts {
  readonly disk: SlotDisk
  readonly keys: Keys
}

export interface FullCheck {
  readonly from: 'memory' | 'disk'
  /** After each file, for whoever wants to leave the disk to others for a while. Throws to give up. */
  readonly pause: (done: { fileCount: number; fileCountMax: number }) => Promise<void>
}

export const atOnce = async (): Promise<void> => {}

/**
 * Every file against the manifest, and the manifest against the digest.
 * @returns null when all is right, else the first thing that is not
 */
export async function fullProblem(
  ports: CheckPorts,
  slot: SlotName,
  digest: string,
  check: FullCheck,
): Promise<string | null> {
  try {
    const { entries, files } = await readTree(ports, slot, digest)
    const problem = listProblem(entries, files)
    if (problem !== null) return problem
    for (const [index, entry] of entries.entries()) {
      const name = `${slotFolder(slot)}/${entry.path}`
      if ((await ports.disk.sha256(name, check.from)) !== entry.sha256)
        return `${entry.path} is not what was signed`
      await check.pause({ fileCount: index + 1, fileCountMax: entries.length })
    }
    return null
  } catch (error) {
    return problemOf(error)
  }
}

/** Notes that a slot was found right as a whole. Before anything in it changes, the seal must be gone. */
export async function seal(
  ports: CheckPorts,
  slot: SlotName,
  digest: string,
  floor: string | null,
): Promise<void> {
  const fingerprint = fingerprintOf(ports.keys, await ports.disk.list(slotFolder(slot)))
  await ports.disk.writeSynced(
    sealFile(slot),
    sealedLine(ports.keys, { digest, fingerprint, floor }),
  )
}

export async function readSeal({ disk, keys }: CheckPorts, slot: SlotName): Promise<Seal | null> {
  const bytes = await disk.read(sealFile(slot), SEAL_BYTES_MAX).catch(() => null)
  const value = bytes && openSealedLine(keys, bytes)
  if (!isFields(value)) return null
  const { digest, fingerprint, floor } = value
  if (!isDigest(digest) || !isDigest(fingerprint) || !isVersionOrNull(floor)) return null
  return { digest, fingerprint, floor }
}

export type Soundness =
  | { readonly isSound: true; readonly how: 'sealed' | 'read' }
  | { readonly isSound: false; readonly problem: string }

/**
 * Before a start: the seal still fits, and a sample of the bytes is right. Where it does not fit, everything is read, and
 * sealed again when it is right: a card that was copied has other inodes.
 */
export async function checkBeforeStart(
  ports: CheckPorts,
  slot: SlotName,
  release: Release,
  floor: string | null,
): Promise<Soundness> {
  const quick = await sealProblem(ports, slot, release.digest)
  if (quick === null) return { isSound: true, how: 'sealed' }
  const check: FullCheck = { from: 'memory', pause: atOnce }
  const problem = await fullProblem(ports, slot, release.digest, check)
  if (problem !== null) return { isSound: false, problem }
  // A card that takes no more writes costs a whole reading at each start, not the start.
  await seal(ports, slot, release.digest, floor).catch(unlessStorage)
  return { isSound: true, how: 'read' }
}

async function sealProblem(
  ports: CheckPorts,
  slot: SlotName,
  digest: string,
): Promise<string | null> {
  const found = await readSeal(ports, slot)
  if (found === null || found.digest !== digest) return 'no seal'
  try {
    const { entries, files } = await readTree(ports, slot, digest)
    if (fingerprintOf(ports.keys, files) !== found.fingerprint) return 'the seal does not fit'
    for (const { path, sha256 } of sampleOf(ports.keys, entries))
      if ((await ports.disk.sha256(`${slotFolder(slot)}/${path}`, 'memory')) !== sha256)
        return `${path} is not what was signed`
    return null
  } catch (error) {
    return problemOf(error)
  }
}

/** What is started, and others from a place that chance chooses, so that in time every file has its turn. */
export function sampleOf(keys: Keys, entries: readonly ManifestEntry[]): readonly ManifestEntry[] {
  const always = entries.filter(({ path }) => ALWAYS.test(path))
  const [high = 0, low = 0] = keys.randomBytes(2)
  const start = (high * 256 + low) % entries.length
  const turn = [...entries.slice(start), ...entries.slice(0, start)].slice(0, SAMPLE_FILES)
  let bytesLeft = SAMPLE_BYTES
  const chosen = turn.filter(({ byteCount }, index) => {
    bytesLeft -= byteCount
    // The first has its turn however long it is.
    return index === 0 || bytesLeft >= 0
  })
  return [...always, ...chosen.filter(entry => !always.includes(entry))]
}

/** For whoever has found it damaged, and may not mend it now: everything is read before the next start. */
export async function spoilSeal(ports: CheckPorts, slot: SlotName): Promise<void> {
  const found = await readSeal(ports, slot)
  if (found === null) return
  const spoilt = { ...found, fingerprint: '0'.repeat(found.fingerprint.length) }
  await ports.disk.writeSynced(sealFile(slot), sealedLine(ports.keys, spoilt))
}

async function readTree({ disk, keys }: CheckPorts, slot: SlotName, digest: string) {
  const bytes = await disk.read(`${slotFolder(slot)}/${MANIFEST_FILE}`, MANIFEST_BYTES_MAX)
  if (bytes === null) throw new BoxError('slot.rotten', 'there is no manifest')
  if (keys.sha256Hex(bytes) !== digest)
    throw new BoxError('slot.rotten', 'the manifest is not that of the release')
  return { entries: parseManifest(bytes), files: await disk.list(slotFolder(slot)) }
}

function listProblem(
  entries: readonly ManifestEntry[],
  files: readonly FoundFile[],
): string | null {
  const found = new Map(files.map(file => [file.path, file]))
  found.delete(MANIFEST_FILE)
  for (const { path, byteCount, mode } of entries) {
    const problem = fileProblem({ path, byteCount, mode }, found.get(path))
    if (problem !== null) return problem
    found.delete(path)
  }
  const [stray] = found.keys()
  return stray === undefined ? null : `${stray} is not of the release`
}

/** What can be told without reading it. */
export function fileProblem(
  { path, byteCount, mode }: Pick<ManifestEntry, 'path' | 'byteCount' | 'mode'>,
  file: FoundFile | undefined,
): string | null {
  if (!file) return `${path} is missing`
  if (!file.isRegular) return `${path} is not a file`
  if (file.byteCount !== byteCount) return `${path} has ${file.byteCount} bytes, not ${byteCount}`
  if (file.isExecutable !== (mode === '755')) return `${path} is not ${mode}`
  return null
}

const fingerprintOf = (keys: Keys, files: readonly FoundFile[]): string =>
  keys.sha256Hex(
    new TextEncoder().encode(
      files
        .map(file =>
          [
            JSON.stringify(file.path),
            file.inode,
            file.byteCount,
            file.isRegular,
            file.isExecutable,
            file.modified,
          ].join(' '),
        )
        .join('\n'),
    ),
  )

export function unlessStorage(error: unknown): void {
  if (!(error instanceof BoxError)) throw error
}

/** What the disk or the manifest says is a problem of the slot; anything else is a bug. */
function problemOf(error: unknown): string {
  if (error instanceof BoxError) return messageOf(error)
  throw error
}
