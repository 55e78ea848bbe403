/**
 * Brings an image to the partitions of the system that does not run. A boot partition without its beginning is no file
 * system, and the firmware passes over it: so the beginning is the last thing that is written.
 */
import { BoxError } from '../../runtime/core/errors.js'
import type { Partition } from '../../runtime/ports/partition.js'
import { type OsPart, osParts, type PartImage, type PartitionImage } from './os-state.js'

/** The boot sector, without which nothing is a FAT; and one sector alone, so that no cut leaves half of what is held back. */
export const HEAD_BYTES = 512
/** What memory may hold of an image at most, on a box with 512 MB. */
const UNSYNCED_BYTES_MAX = 16 * 1024 * 1024
/** A device is flushed for each write, so they must not be small. */
const BLOCK_BYTES = 256 * 1024
const noHead = new Uint8Array()

export type OsPartitions = Readonly<Record<OsPart, Partition>>

/** Where the images come from, by whatever means. */
export interface OsSource {
  /** Bytes of one image, or of the bundle, from the first one on. They need not be believed. */
  open(part: OsPart | 'bundle'): AsyncIterable<Uint8Array>
}

export interface OsProgress {
  /** `install`: RAUC is at work, and counts percent. */
  readonly part: OsPart | 'bundle' | 'install'
  readonly done: number
  readonly all: number
}

export interface OsWishes {
  readonly progress: (progress: OsProgress) => void
  readonly isCancelled: () => boolean
}

/** After this resolves no firmware starts what is in these partitions. */
export async function makeUnbootable({ boot }: OsPartitions): Promise<void> {
  await boot.write(0, new Uint8Array(HEAD_BYTES))
  await boot.sync()
}

/** @throws BoxError `os.refused` when a partition is too small */
export async function needRoom(partitions: OsPartitions, image: PartitionImage): Promise<void> {
  for (const part of osParts) {
    const room = await partitions[part].byteCount()
    const needed = image[part].byteCount
    if (room < needed)
      throw new BoxError(
        'os.refused',
        `the ${part} image has ${needed} bytes, and room is for ${room}`,
      )
  }
}

/**
 * The boot partition must have been made unbootable. When this resolves, both images were read back from the medium.
 * @throws BoxError `os.rotten` when what came, or what is on the medium, is not what was signed; `ota.refused` when cancelled
 */
export async function writeImages(
  partitions: OsPartitions,
  image: PartitionImage,
  source: OsSource,
  wishes: OsWishes,
): Promise<void> {
  await copy({ part: 'root', to: partitions.root, image: image.root, headBytes: 0 }, source, wishes)
  await needWhole('root', partitions.root, image.root, noHead)
  const boot = { part: 'boot', to: partitions.boot, image: image.boot } as const
  const head = await copy({ ...boot, headBytes: HEAD_BYTES }, source, wishes)
  await needWhole('boot', partitions.boot, image.boot, head)
  await partitions.boot.write(0, head)
  await partitions.boot.sync()
  await needWhole('boot', partitions.boot, image.boot, noHead)
}

/** Null: both images are on the medium as they were signed. */
export async function imageProblem(
  partitions: OsPartitions,
  image: PartitionImage,
): Promise<string | null> {
  for (const part of osParts) {
    const { byteCount, sha256 } = image[part]
    const found = await partitions[part].sha256({ byteCount, head: noHead })
    if (found !== sha256) return `the ${part} partition is not what was signed`
  }
  return null
}

interface Copy {
  readonly part: OsPart
  readonly to: Partition
  readonly image: PartImage
  /** How many of the first bytes are held back. */
  readonly headBytes: number
}

/** @returns what was held back */
async function copy(
  { part, to, image, headBytes }: Copy,
  source: OsSource,
  { progress, isCancelled }: OsWishes,
): Promise<Uint8Array> {
  const all = image.byteCount
  const head = new Uint8Array(Math.min(headBytes, all))
  let done = 0
  let unsynced = 0
  for await (const bytes of inBlocks(source.open(part))) {
    if (isCancelled()) throw new BoxError('ota.refused', 'writing the system was cancelled')
    if (done + bytes.length > all) throw rotten(`the ${part} image has more than ${all} bytes`)
    const held = Math.max(0, Math.min(bytes.length, head.length - done))
    head.set(bytes.subarray(0, held), Math.min(done, head.length))
    if (bytes.length > held) await to.write(done + held, bytes.subarray(held))
    done += bytes.length
    unsynced += bytes.length
    if (unsynced >= UNSYNCED_BYTES_MAX) {
      await to.sync()
      unsynced = 0
    }
    progress({ part, done, all })
  }
  if (done < all) throw rotten(`the ${part} image ends after ${done} of ${all} bytes`)
  await to.sync()
  return head
}

/** The same bytes, in blocks of one size but for the last; each holds until the next one is asked for. */
async function* inBlocks(from: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const block = new Uint8Array(BLOCK_BYTES)
  let filled = 0
  for await (const bytes of from)
    for (let at = 0; at < bytes.length; ) {
      const taken = bytes.subarray(at, at + BLOCK_BYTES - filled)
      block.set(taken, filled)
      filled += taken.length
      at += taken.length
      if (filled < BLOCK_BYTES) continue
      yield block
      filled = 0
    }
  if (filled > 0) yield block.subarray(0, filled)
}

async function needWhole(
  part: OsPart,
  from: Partition,
  { byteCount, sha256 }: PartImage,
  head: Uint8Array,
): Promise<void> {
  const found = await from.sha256({ byteCount, head })
  if (found !== sha256) throw rotten(`the ${part} partition was not written right`)
}

const rotten = (why: string): BoxError => new BoxError('os.rotten', why)
