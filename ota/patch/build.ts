/**
 * Makes the transfer objects of a release, where it is published: all of it, what a base lacks, and what differs from a
 * base. A patch between two trees with a binary of 100 MB takes 3 GB of memory and some minutes.
 */
import { assert, BoxError } from '../../runtime/core/errors.js'
import type { Brotli } from '../../runtime/ports/brotli.js'
import type { Digests } from '../../runtime/ports/digests.js'
import type { ReleaseTree } from '../../runtime/ports/release-tree.js'
import { MANIFEST_FILE, type ManifestEntry, parseManifest } from '../release/manifest.js'
import { align, CODE_COSTS, TEXT_COSTS } from './alignment.js'
import { formatControl, type Operation, operationsOf } from './control.js'
import { type ObjectKind, Stream, type StreamNumber, windowBitsOf } from './frames.js'
import { byteCountOf, layOut, type Stretch } from './layout.js'
import { openSound, readSound, rotten } from './old-bytes.js'
import { gone, planOf } from './plan.js'
import { SUFFIX_BYTES_MAX } from './suffix-array.js'
import { type PackedStream, weave } from './weave.js'

export interface BuildPorts {
  readonly brotli: Brotli
  readonly digests: Digests
}

export interface BuildJob {
  readonly next: ReleaseTree
  /** Releases that boxes may run. */
  readonly bases: readonly ReleaseTree[]
  readonly kinds: readonly ObjectKind[]
  /** Of brotli, 0..11: at 11 a megabyte takes a second and more. */
  readonly quality: number
}

export interface BuiltObject {
  readonly kind: ObjectKind
  /** Digest of the release that it is applied to; null for `full`. */
  readonly from: string | null
  readonly bytes: Uint8Array
}

interface Release {
  readonly tree: ReleaseTree
  readonly digest: string | null
  readonly entries: readonly ManifestEntry[]
}

const NOTHING = { digest: null, entries: [] } as const
/** A file with a zero byte in its first bytes is taken for code. */
const LOOKED_AT_BYTES = 8192

/**
 * @returns the largest first; packs and patches that are not smaller than the full object are left out
 * @throws BoxError `storage.rotten` for a tree that is not as its manifest says, `release.invalid`, `storage.io`
 */
export async function buildObjects(ports: BuildPorts, job: BuildJob): Promise<BuiltObject[]> {
  const next = await readRelease(ports, job.next)
  const objects: BuiltObject[] = []
  const isWanted = (kind: ObjectKind): boolean => job.kinds.includes(kind)
  if (isWanted('full'))
    objects.push(
      await build(ports, job, { kind: 'full', next, base: { ...NOTHING, tree: job.next } }),
    )
  const byteCountMax = objects[0]?.bytes.length ?? Number.POSITIVE_INFINITY
  for (const tree of job.bases) {
    const base = await readRelease(ports, tree)
    for (const kind of ['pack', 'patch'] as const)
      if (isWanted(kind)) objects.push(await build(ports, job, { kind, next, base }))
  }
  return objects
    .filter(({ kind, bytes }) => kind === 'full' || bytes.length < byteCountMax)
    .sort((one, other) => other.bytes.length - one.bytes.length)
}

async function readRelease(ports: BuildPorts, tree: ReleaseTree): Promise<Release> {
  const file = await tree.open(MANIFEST_FILE)
  if (file === null) throw rotten(MANIFEST_FILE, 'is not there')
  try {
    const bytes = new Uint8Array(file.byteCount)
    await file.read(0, bytes)
    const digest = ports.digests.sha256()
    digest.update(bytes)
    return { tree, digest: digest.hex(), entries: parseManifest(bytes) }
  } finally {
    await file.close()
  }
}

async function build(
  ports: BuildPorts,
  job: BuildJob,
  make: { kind: ObjectKind; next: Release; base: Release },
): Promise<BuiltObject> {
  const { kind, next, base } = make
  const plan = planOf(next.entries, base.entries)
  const isSent = new Set(
    plan.planned.filter(({ source }) => source === null).map(({ path }) => path),
  )
  const sent = layOut(next.entries.filter(({ path }) => isSent.has(path)))
  const bytes = await readFiles(ports, next.tree, sent)
  const pack = async (number: StreamNumber, content: Uint8Array): Promise<PackedStream> => ({
    number,
    byteCount: content.length,
    packed:
      content.length === 0
        ? content
        : await ports.brotli.compress(content, {
            windowBits: windowBitsOf(kind, number),
            quality: job.quality,
          }),
  })
  const planStream = await pack(Stream.plan, plan.bytes)
  if (kind !== 'patch') {
    const streams = [planStream, await pack(Stream.extra, bytes)]
    return {
      kind,
      from: base.digest,
      bytes: await weave(ports.brotli, { kind, streams, operations: [], blocks: [] }),
    }
  }
  const oldFiles = layOut(gone(base.entries, plan.planned))
  if (Math.max(byteCountOf(oldFiles), byteCountOf(sent)) > SUFFIX_BYTES_MAX)
    throw new BoxError('release.invalid', `more than ${SUFFIX_BYTES_MAX} bytes changed: no patch`)
  const old = await readFiles(ports, base.tree, oldFiles)
  const operations = operationsOf(align(old, bytes, costsOf(sent, bytes)))
  const { diff, extra } = contentsOf(operations, old, bytes)
  const control = formatControl(operations)
  const streams = await Promise.all([
    planStream,
    pack(Stream.control, control.bytes),
    pack(Stream.diff, diff),
    pack(Stream.extra, extra),
  ])
  const { blocks } = control
  return {
    kind,
    from: base.digest,
    bytes: await weave(ports.brotli, { kind, streams, operations, blocks }),
  }
}

async function readFiles(
  ports: BuildPorts,
  tree: ReleaseTree,
  files: readonly Stretch[],
): Promise<Uint8Array> {
  const bytes = new Uint8Array(byteCountOf(files))
  for (const { entry, start } of files) {
    let at = start
    const file = await openSound(tree, entry)
    try {
      await readSound(ports.digests, file, entry, async part => {
        bytes.set(part, at)
        at += part.length
      })
    } finally {
      await file.close()
    }
  }
  return bytes
}

const costsOf = (files: readonly Stretch[], bytes: Uint8Array) =>
  files.map(({ start, end }) => ({
    end,
    costs: bytes.subarray(start, Math.min(end, start + LOOKED_AT_BYTES)).includes(0)
      ? CODE_COSTS
      : TEXT_COSTS,
  }))

/** What has to be added to each old byte, and the new bytes. */
function contentsOf(
  operations: readonly Operation[],
  old: Uint8Array,
  bytes: Uint8Array,
): { diff: Uint8Array; extra: Uint8Array } {
  const sum = (count: (operation: Operation) => number): number =>
    operations.reduce((total, operation) => total + count(operation), 0)
  const diff = new Uint8Array(sum(({ oldByteCount }) => oldByteCount))
  const extra = new Uint8Array(sum(({ newByteCount }) => newByteCount))
  let [at, diffAt, extraAt] = [0, 0, 0]
  for (const { oldAt, oldByteCount, newByteCount } of operations) {
    for (let from = oldAt; from < oldAt + oldByteCount; from++) {
      const before = from < old.length ? old[from] : bytes[from - old.length]
      diff[diffAt++] = (bytes[at++] ?? 0) - (before ?? 0)
    }
    extra.set(bytes.subarray(at, at + newByteCount), extraAt)
    at += newByteCount
    extraAt += newByteCount
  }
  assert(at === bytes.length, 'the operations make all of the bytes')
  return { diff, extra }
}
