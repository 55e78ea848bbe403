/**
 * What `roadcase release build-os` makes: from two images of partitions, or from a bundle of RAUC, larger than memory, the
 * objects that boxes fetch and their description, as `release publish` takes them.
 */
import { createReadStream } from 'node:fs'
import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { compressed, LinuxBrotli } from '../drivers/linux/brotli.js'
import { LinuxDigests } from '../drivers/linux/digests.js'
import { LinuxPublicFolder } from '../drivers/linux/public-folder.js'
import { BoxError, messageOf } from '../runtime/core/errors.js'
import { fatProblem } from './os/fat.js'
import {
  describeOs,
  type OsDescription,
  type OsFileDescription,
  type OsFileDescriptions,
  type OsWords,
} from './os/os-description.js'
import type { OsPart, PartImage } from './os/os-state.js'
import { DESCRIPTION_FILE } from './publish/releases.js'
import { PIECE_BYTES } from './release/description.js'
import { descriptionBytes } from './release/objects.js'

/** As of a release's full object: the box keeps so much of it in memory while it writes. */
const WINDOW_BITS = 24
const READ_BYTES = 1024 * 1024
const FIRST_BYTES = 512

export interface OsBuildWish extends OsWords {
  /** A folder that has nothing of the kind yet. */
  readonly into: string
  /** Files with the images of whole partitions, or one with the bundle. */
  readonly images: Readonly<Record<OsPart, string>> | { readonly bundle: string }
  /** Of brotli, 0..11. */
  readonly quality: number
}

/**
 * @param say told what is being done
 * @throws ConfigError for words that no box would believe; BoxError `release.invalid`, `release.conflict`, `storage.io`
 */
export async function buildOs(
  wish: OsBuildWish,
  say: (what: string) => void,
): Promise<OsDescription> {
  const into = new LinuxPublicFolder(wish.into)
  // Before minutes of work.
  describeOs(wish, 'bundle' in wish.images ? { bundle: nothing } : { images: noImages })
  if ((await namesIn(wish.into)).length > 0)
    throw new BoxError('release.conflict', `${wish.into} has something in it already`)
  const made = await packAll(into, wish, say)
  const description = describeOs(wish, made)
  await into.write(DESCRIPTION_FILE, [descriptionBytes(description)])
  return description
}

async function packAll(
  into: LinuxPublicFolder,
  { images, quality, into: folder }: OsBuildWish,
  say: (what: string) => void,
): Promise<OsFileDescriptions> {
  const one = async (part: OsPart | 'bundle', path: string): Promise<OsFileDescription> => {
    const packed = await pack(into, { part, path, quality, folder })
    const { byteCount, object } = packed
    say(`${part}: ${megabytes(byteCount)}, packed ${megabytes(object.byteCount)}`)
    return packed
  }
  if ('bundle' in images) return { bundle: await one('bundle', await needBundle(images.bundle)) }
  const { boot, root } = images
  say(`packing ${await needFat(boot)} and ${root}, which takes a while`)
  return { images: { root: await one('root', root), boot: await one('boot', boot) } }
}

/** What stands for an image that is not read yet. */
const nothing: OsFileDescription = {
  byteCount: 1,
  sha256: '0'.repeat(64),
  object: {
    kind: 'full',
    from: null,
    target: `objects/${'0'.repeat(64)}.full`,
    byteCount: 1,
    sha256: '0'.repeat(64),
    pieceByteCount: PIECE_BYTES,
    pieces: Buffer.alloc(32).toString('base64'),
  },
}
const noImages = { boot: nothing, root: nothing }

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
}

async function needFat(path: string): Promise<string> {
  for await (const bytes of imageBytes(path, FIRST_BYTES)) {
    const problem = fatProblem(bytes)
    if (problem === null) return path
    throw new BoxError('release.invalid', `${path} ${problem}`)
  }
  throw new BoxError('release.invalid', `${path} is empty`)
}

/** A squashfs, whose first word is this (Documentation/filesystems/squashfs.rst); the signature stands behind it. */
const SQUASHFS = 'hsqs'

/** The formats `plain` and `verity` of RAUC; what is encrypted says nothing of itself. */
async function needBundle(path: string): Promise<string> {
  for await (const bytes of imageBytes(path, FIRST_BYTES))
    if (Buffer.from(bytes.subarray(0, SQUASHFS.length)).toString('latin1') === SQUASHFS) return path
  throw new BoxError('release.invalid', `${path} is no bundle of RAUC`)
}

interface Packing {
  readonly part: OsPart | 'bundle'
  readonly path: string
  /** Where it is packed to. */
  readonly folder: string
  readonly quality: number
}

async function pack(
  into: LinuxPublicFolder,
  { part, path, folder, quality }: Packing,
): Promise<OsFileDescription> {
  const unnamed = `objects/${part}`
  const hash = new LinuxDigests().sha256()
  let byteCount = 0
  async function* read(): AsyncGenerator<Uint8Array> {
    for await (const bytes of imageBytes(path, Number.POSITIVE_INFINITY)) {
      hash.update(bytes)
      byteCount += bytes.length
      yield bytes
    }
  }
  await into.write(unnamed, compressed(read(), { windowBits: WINDOW_BITS, quality }))
  const image = { byteCount, sha256: hash.hex() }
  await prove(into, unnamed, image)
  const found = await into.measure(unnamed, PIECE_BYTES)
  if (found === null) throw new BoxError('storage.io', `${unnamed} is gone`)
  const target = `objects/${found.sha256}.full`
  await rename(join(folder, unnamed), join(folder, target))
  const pieces = Buffer.from(found.pieces).toString('base64')
  return {
    ...image,
    object: {
      ...{ kind: 'full', from: null, target, byteCount: found.byteCount },
      ...{ sha256: found.sha256, pieceByteCount: PIECE_BYTES, pieces },
    },
  }
}

/** As a box unpacks it. @throws BoxError when that is not the image: the mistake is ours, and no box shall find it */
async function prove(into: LinuxPublicFolder, name: string, image: PartImage): Promise<void> {
  const packed = into.stream(name)[Symbol.asyncIterator]()
  const reader = new LinuxBrotli().decompress(async () => {
    const { value, done } = await packed.next()
    return done ? null : value
  })
  const hash = new LinuxDigests().sha256()
  try {
    for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read())
      hash.update(bytes)
  } finally {
    reader.close()
  }
  if (hash.hex() !== image.sha256)
    throw new BoxError('release.invalid', `${name} does not unpack to what it was made of`)
}

async function* imageBytes(path: string, byteCountMax: number): AsyncGenerator<Uint8Array> {
  try {
    const end = byteCountMax - 1
    for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES, end }))
      if (chunk instanceof Uint8Array) yield chunk
  } catch (cause) {
    throw new BoxError('storage.io', `${path} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
