/**
 * What a repository takes of a release: transfer objects and their description. A process for each base; the same trees
 * give the same bytes.
 */
import { type ExecFileException, execFile } from 'node:child_process'
import { rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LinuxKeys } from '../drivers/linux/keys.js'
import { BoxError } from '../runtime/core/errors.js'
import { check, object, string } from '../runtime/core/schema.js'
import type { EncodingJob, MadeObjects } from './object-encoder.js'
import { type Architecture, PIECE_BYTES, releaseVersion } from './release/description.js'
import { MANIFEST_FILE, parseManifest } from './release/manifest.js'
import {
  type DescribedTree,
  describeRelease,
  descriptionBytes,
  type ReleaseWords,
  type TransferObject,
  worthSending,
} from './release/objects.js'
import { readIfThere, readJson } from './release/workshop/folder.js'

/** Beside `tree` and `objects`, where `roadcase release publish` looks for it. */
export const DESCRIPTION = 'description.json'
const ENCODER = fileURLToPath(new URL('./object-encoder.js', import.meta.url))
/** Of Node, when it has no memory left: 128 and SIGABRT. */
const ABORTED = 134
/** Its answer: a kilobyte for each 8 MB of objects. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024

export interface ObjectsWish extends ReleaseWords {
  /** Folders of releases that boxes may run: the tree, or what `release build` made with the tree in it. */
  readonly bases: readonly string[]
  /** Of brotli, 0..11. */
  readonly quality: number
}

export interface Base {
  readonly folder: string
  readonly digest: string
  readonly version: string
}

const releaseFacts = object({
  version: releaseVersion,
  architecture: string({ max: 16 }),
}).loose()
/** A hash of nothing: in its place will be what is made. */
const NO_HASH = '0'.repeat(64)

/**
 * Before minutes of work: whether the words are ones that a box believes, and the bases are releases.
 * @throws ConfigError, BoxError `release.invalid`, `release.unbuilt`
 */
export async function checkWish(
  release: Pick<DescribedTree, 'version' | 'architecture'>,
  wish: ObjectsWish,
): Promise<Base[]> {
  const nothing = { sha256: NO_HASH, byteCount: 1 }
  const full: TransferObject = {
    kind: 'full',
    from: null,
    target: `objects/${NO_HASH}.full`,
    ...nothing,
    pieceByteCount: PIECE_BYTES,
    pieces: Buffer.alloc(32).toString('base64'),
  }
  describeRelease({ ...release, manifest: nothing, byteCount: 1, fileCount: 1 }, wish, [full])
  const bases = new Map<string, Base>()
  for (const folder of wish.bases) {
    const base = await readBase(folder, release.architecture)
    bases.set(base.digest, base)
  }
  return [...bases.values()]
}

/**
 * @param into a folder with the release in `tree`; objects and description are put beside it, the description last
 * @throws BoxError `storage.rotten` for a base that is not as its manifest says, `release.unbuilt`
 */
export async function makeObjects(
  into: string,
  release: Pick<DescribedTree, 'version' | 'architecture'>,
  { bases, wish }: { readonly bases: readonly Base[]; readonly wish: ObjectsWish },
  say: (what: string) => void,
): Promise<TransferObject[]> {
  const next = join(into, 'tree')
  const { entries, manifest } = await readTree(next)
  const byteCount = entries.reduce((sum, entry) => sum + entry.byteCount, 0)
  const job = { next, into, manifest, byteCount, fileCount: entries.length, quality: wish.quality }
  say('packing all of it, which takes a while')
  const stop = new AbortController()
  const others = bases.filter(({ digest }) => digest !== manifest.sha256)
  // One base at a time, for the memory, and all of it beside them.
  const both = [encode({ ...job, base: null }, stop), encodeSince({ job, stop, say }, others)]
  const made = await Promise.all(both).catch(async error => {
    stop.abort()
    await Promise.allSettled(both)
    throw error
  })
  const objects = worthSending(made.flat())
  const kept = new Set(objects.map(({ target }) => target))
  for (const { target } of made.flat())
    if (!kept.has(target)) await rm(join(into, target), { force: true })
  const tree = { ...release, manifest, byteCount, fileCount: entries.length }
  const description = descriptionBytes(describeRelease(tree, wish, objects))
  await writeFile(join(into, DESCRIPTION), description, { mode: 0o644 })
  return objects
}

async function encodeSince(
  {
    job,
    stop,
    say,
  }: { job: Omit<EncodingJob, 'base'>; stop: AbortController; say: (what: string) => void },
  bases: readonly Base[],
): Promise<TransferObject[]> {
  const made: TransferObject[] = []
  for (const { folder, version } of bases) {
    say(`finding what is new since ${version}`)
    made.push(...(await encode({ ...job, base: folder }, stop)))
  }
  return made
}

async function readTree(
  folder: string,
): Promise<{ entries: ReturnType<typeof parseManifest>; manifest: DescribedTree['manifest'] }> {
  const bytes = await readIfThere(join(folder, MANIFEST_FILE))
  if (bytes === null) throw new BoxError('release.unbuilt', `there is no release in ${folder}`)
  const manifest = { sha256: new LinuxKeys().sha256Hex(bytes), byteCount: bytes.length }
  return { entries: parseManifest(bytes), manifest }
}

async function readBase(named: string, architecture: Architecture): Promise<Base> {
  const inner = join(named, 'tree')
  const folder = resolve((await isThere(join(inner, MANIFEST_FILE))) ? inner : named)
  const { manifest } = await readTree(folder)
  const facts = check(releaseFacts, await readJson(join(folder, 'release.json')), 'release')
  if (facts.architecture !== architecture)
    throw new BoxError(
      'release.unbuilt',
      `${named} is a release for ${facts.architecture}: no box for ${architecture} has it`,
    )
  return { folder, digest: manifest.sha256, version: facts.version }
}

const isThere = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => null)) !== null

async function encode(job: EncodingJob, stop: AbortController): Promise<TransferObject[]> {
  const answer = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      [ENCODER, JSON.stringify(job)],
      { maxBuffer: ANSWER_BYTES_MAX, signal: stop.signal },
      (error, said) => (error === null ? resolve(said) : reject(reasonOf(error))),
    )
  })
  const made: MadeObjects = JSON.parse(answer)
  if ('code' in made) throw new BoxError(made.code, made.message)
  return [...made.objects]
}

/** A process that was killed has met the end of the memory, most likely: by the kernel, or by Node itself. */
function reasonOf(error: ExecFileException): Error {
  const { signal, code } = error
  if (signal == null && code !== ABORTED) return error
  return new BoxError(
    'release.unbuilt',
    `the process that makes objects ended (${signal ?? code}): a patch of a large binary takes 2.5 GB of memory`,
    { cause: error },
  )
}
