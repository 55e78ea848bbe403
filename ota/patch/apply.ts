/**
 * Makes a release from a transfer object and the release that runs, in one pass and with bounded memory, straight into the
 * folder where it will live. What is written is what the signed digest says, or there is no manifest: a tree without one
 * is never taken for a release.
 */
import { BoxError } from '../../runtime/core/errors.js'
import type { Brotli } from '../../runtime/ports/brotli.js'
import type { Digests } from '../../runtime/ports/digests.js'
import type {
  ByteSource,
  ReleaseTree,
  ReleaseTreeWriter,
} from '../../runtime/ports/release-tree.js'
import {
  formatManifest,
  MANIFEST_BYTES_MAX,
  MANIFEST_FILE,
  type ManifestEntry,
  parseManifest,
} from '../release/manifest.js'
import { FrameReader, type ObjectKind, Stream } from './frames.js'
import { layOut } from './layout.js'
import { OldBytes, openSound, readSound, rotten } from './old-bytes.js'
import { gone, type Planned, readPlan } from './plan.js'
import { writeSent } from './sent-files.js'

export interface ApplyPorts {
  readonly brotli: Brotli
  readonly digests: Digests
}

/** What the signed description says of the release and of the object. */
export interface ExpectedRelease {
  readonly kind: ObjectKind
  /** Digest of the release that the object is applied to; null for `full`. */
  readonly from: string | null
  readonly digest: string
  readonly manifestByteCount: number
  /** Of all files together, the manifest not counted. No more is written. */
  readonly treeByteCount: number
  readonly treeFileCount: number
}

export interface ApplyJob {
  readonly expected: ExpectedRelease
  /** Whose pieces were checked; nothing of it is believed all the same. */
  readonly object: ByteSource
  /** Needed for `patch` and `pack`. Only read. */
  readonly base: ReleaseTree | null
  /** Another folder than the base's. Whatever is in it is removed first. */
  readonly target: ReleaseTreeWriter
  readonly onProgress: (doneByteCount: number, totalByteCount: number) => void
  readonly isCancelled: () => boolean
}

/** A place for files that are not hashed yet: as long as a hash. */
const NO_HASH = '0'.repeat(64)

/**
 * A run that was killed is begun again with the same arguments.
 * @returns `applied`: the target holds the release, and nothing else, after any power cut from now on; `cancelled`: it
 *   holds a part, and no manifest
 * @throws BoxError `release.invalid`: the object does not make this release; `storage.rotten`: a file of the base is
 *   damaged, and which; `storage.full`, `storage.io`
 */
export async function applyObject(
  ports: ApplyPorts,
  job: ApplyJob,
): Promise<'applied' | 'cancelled'> {
  const base = await readBase(ports, job)
  const frames = new FrameReader(ports.brotli, job.object, job.expected.kind)
  try {
    await frames.start()
    const plan = await frames.stream(Stream.plan).takeAll(frames.planByteCount)
    const planned = readPlan(plan, base)
    checkPlanned(planned, job.expected)
    await job.target.clear()
    const hashes = await writeAll(ports, job, { base, planned, frames })
    if (hashes === null) return 'cancelled'
    await frames.end()
    await finish(ports, job, entriesOf(planned, hashes))
    return 'applied'
  } finally {
    frames.close()
  }
}

/** The base's manifest is checked against the digest that the object is for. */
async function readBase(ports: ApplyPorts, job: ApplyJob): Promise<ManifestEntry[]> {
  const { from } = job.expected
  if (from === null) return []
  const file = await (job.base?.open(MANIFEST_FILE) ?? null)
  if (file === null) throw rotten(MANIFEST_FILE, 'is not there')
  try {
    if (file.byteCount > MANIFEST_BYTES_MAX) throw rotten(MANIFEST_FILE, 'is too long')
    const bytes = new Uint8Array(file.byteCount)
    const count = await file.read(0, bytes)
    const digest = ports.digests.sha256()
    digest.update(bytes.subarray(0, count))
    if (digest.hex() !== from) throw rotten(MANIFEST_FILE, `is not that of ${from}`)
    return parseManifest(bytes)
  } finally {
    await file.close()
  }
}

/** Before a byte is written: paths, sizes and their sum, and that the manifest will be as long as the signed one. */
function checkPlanned(planned: readonly Planned[], expected: ExpectedRelease): void {
  const byteCount = planned.reduce((sum, file) => sum + file.byteCount, 0)
  if (byteCount > expected.treeByteCount)
    throw invalid(`would make ${byteCount} bytes, ${expected.treeByteCount} are allowed`)
  if (planned.length !== expected.treeFileCount)
    throw invalid(`would make ${planned.length} files instead of ${expected.treeFileCount}`)
  const manifest = formatManifest(entriesOf(planned, new Map()))
  if (manifest.length !== expected.manifestByteCount) throw invalid('has another list of files')
}

/** @returns the hashes of files that were sent, by path; null when it was cancelled */
async function writeAll(
  ports: ApplyPorts,
  job: ApplyJob,
  tree: { base: readonly ManifestEntry[]; planned: readonly Planned[]; frames: FrameReader },
): Promise<Map<string, string> | null> {
  let done = 0
  const total = tree.planned.reduce((sum, { byteCount }) => sum + byteCount, 0)
  const report = (byteCount: number): boolean => {
    done += byteCount
    job.onProgress(done, total)
    return !job.isCancelled()
  }
  for (const file of tree.planned)
    if (file.source !== null && !(await copyFile(ports, job, file, file.source, report)))
      return null
  const targetFiles = layOut(entriesOf(tree.planned.filter(isSent), new Map())).map(
    ({ entry, start, end }) => ({ path: entry.path, mode: entry.mode, start, end }),
  )
  const baseFiles = job.expected.kind === 'patch' ? layOut(gone(tree.base, tree.planned)) : []
  const { target, base } = job
  const old = new OldBytes({
    digests: ports.digests,
    base: base ?? target,
    baseFiles,
    target,
    targetFiles,
  })
  try {
    return await writeSent({ ...ports, target, frames: tree.frames, old, report }, targetFiles)
  } finally {
    await old.close()
  }
}

const isSent = ({ source }: Planned): boolean => source === null

/** @returns false when it was cancelled */
async function copyFile(
  ports: ApplyPorts,
  job: ApplyJob,
  file: Planned,
  source: ManifestEntry,
  report: (byteCount: number) => boolean,
): Promise<boolean> {
  if (job.base === null) throw invalid('copies from a base that there is not')
  const from = await openSound(job.base, source)
  try {
    const to = await job.target.create(file.path, file.mode)
    let isOn = report(0)
    try {
      await readSound(ports.digests, from, source, async bytes => {
        await to.write(bytes)
        isOn = report(bytes.length)
      })
    } finally {
      await to.close()
    }
    return isOn
  } finally {
    await from.close()
  }
}

async function finish(
  ports: ApplyPorts,
  job: ApplyJob,
  entries: readonly ManifestEntry[],
): Promise<void> {
  const manifest = formatManifest(entries)
  const digest = ports.digests.sha256()
  digest.update(manifest)
  if (digest.hex() !== job.expected.digest)
    throw invalid('makes another release than the signed one')
  await job.target.settle()
  await job.target.finish(manifest)
}

function entriesOf(
  planned: readonly Planned[],
  hashes: ReadonlyMap<string, string>,
): ManifestEntry[] {
  return planned.map(({ path, mode, byteCount, source }) => ({
    path,
    mode,
    byteCount,
    sha256: source?.sha256 ?? hashes.get(path) ?? NO_HASH,
  }))
}

const invalid = (problem: string): BoxError =>
  new BoxError('release.invalid', `the transfer object ${problem}`)
