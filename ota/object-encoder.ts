/**
 * Makes the transfer objects of a release from one base, in a process of its own: patching a binary of 100 MB takes 2.5 GB,
 * which is given back with the process. Each object is proven: it is applied, as a box would. The one argument is an
 * EncodingJob as JSON, the output a MadeObjects.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LinuxBrotli } from '../drivers/linux/brotli.js'
import { LinuxDigests } from '../drivers/linux/digests.js'
import {
  LinuxReleaseTree,
  LinuxReleaseTreeWriter,
  openBytes,
} from '../drivers/linux/release-tree.js'
import { BoxError, type ErrorCode } from '../runtime/core/errors.js'
import { applyObject } from './patch/apply.js'
import { buildObjects } from './patch/build.js'
import { describeObject, type TransferObject } from './release/objects.js'

export interface EncodingJob {
  /** Folders of release trees. Null: the full object. */
  readonly next: string
  readonly base: string | null
  /** Of `next`. */
  readonly manifest: { readonly sha256: string; readonly byteCount: number }
  readonly byteCount: number
  readonly fileCount: number
  /** The objects are written below `objects` in there. */
  readonly into: string
  /** Of brotli, 0..11. */
  readonly quality: number
}

export type MadeObjects =
  | { readonly objects: readonly TransferObject[] }
  | { readonly code: ErrorCode; readonly message: string }

const ports = { brotli: new LinuxBrotli(), digests: new LinuxDigests() }
const job: EncodingJob = JSON.parse(process.argv[2] ?? '')
process.stdout.write(JSON.stringify(await outcomeOf(job)))

async function outcomeOf(job: EncodingJob): Promise<MadeObjects> {
  try {
    return { objects: await encode(job) }
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    return { code: error.code, message: error.message }
  }
}

async function encode(job: EncodingJob): Promise<TransferObject[]> {
  const { next, base, into, quality } = job
  const built = await buildObjects(ports, {
    next: new LinuxReleaseTree(next),
    bases: base === null ? [] : [new LinuxReleaseTree(base)],
    kinds: base === null ? ['full'] : ['pack', 'patch'],
    quality,
  })
  const objects: TransferObject[] = []
  for (const object of built) {
    const described = describeObject(ports.digests, object)
    const path = join(into, described.target)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, object.bytes, { mode: 0o644 })
    await prove(job, described)
    objects.push(described)
  }
  return objects
}

/** @throws BoxError when the object does not make the release: the mistake is ours, and no box shall find it */
async function prove(job: EncodingJob, { kind, from, target }: TransferObject): Promise<void> {
  const { next, base, into, manifest, byteCount, fileCount } = job
  const proof = await mkdtemp(join(into, '.proof-'))
  const object = await openBytes(join(into, target))
  try {
    await applyObject(ports, {
      expected: {
        kind,
        from,
        digest: manifest.sha256,
        manifestByteCount: manifest.byteCount,
        treeByteCount: byteCount,
        treeFileCount: fileCount,
      },
      object,
      base: new LinuxReleaseTree(base ?? next),
      target: new LinuxReleaseTreeWriter(proof),
      onProgress: () => {},
      isCancelled: () => false,
    })
  } finally {
    await object.close()
    await rm(proof, { recursive: true, force: true })
  }
}
