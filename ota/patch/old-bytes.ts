/**
 * The bytes that a patch is made of, as if they were one: files of the base, and behind them the files of the release that
 * are complete. A file of the base is hashed before the first of its bytes is used.
 */
import { BoxError } from '../../runtime/core/errors.js'
import type { Digests } from '../../runtime/ports/digests.js'
import type { OpenFile, ReleaseTree } from '../../runtime/ports/release-tree.js'
import type { ManifestEntry } from '../release/manifest.js'
import { byteCountOf, type Stretch } from './layout.js'

const HASHED_AT_ONCE_BYTES = 64 * 1024
const OPEN_FILES_MAX = 8

/** @throws BoxError `storage.rotten` naming a file of the base that is not as its manifest says */
export async function openSound(base: ReleaseTree, entry: ManifestEntry): Promise<OpenFile> {
  const file = await base.open(entry.path)
  if (file === null) throw rotten(entry.path, 'is not there')
  if (file.byteCount === entry.byteCount) return file
  await file.close()
  throw rotten(entry.path, `has ${file.byteCount} bytes instead of ${entry.byteCount}`)
}

export const rotten = (path: string, problem: string): BoxError =>
  new BoxError('storage.rotten', `${path} of the release that runs ${problem}`)

/** Reads a file of the base to its end. @throws BoxError `storage.rotten` at the end when the bytes were not the right ones */
export async function readSound(
  digests: Digests,
  file: OpenFile,
  entry: ManifestEntry,
  take: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const digest = digests.sha256()
  const buffer = new Uint8Array(Math.min(HASHED_AT_ONCE_BYTES, Math.max(1, entry.byteCount)))
  for (let at = 0; at < entry.byteCount; ) {
    const count = await file.read(at, buffer)
    if (count === 0) throw rotten(entry.path, `ends after ${at} bytes`)
    const bytes = buffer.subarray(0, count)
    digest.update(bytes)
    await take(bytes)
    at += count
  }
  if (digest.hex() !== entry.sha256) throw rotten(entry.path, 'is not what it was')
}

export interface OldBytesOptions {
  readonly digests: Digests
  readonly base: ReleaseTree
  readonly baseFiles: readonly Stretch[]
  readonly target: ReleaseTree
  readonly targetFiles: readonly { path: string; start: number; end: number }[]
}

export class OldBytes {
  readonly #options: OldBytesOptions
  readonly #baseByteCount: number
  /** By index among the base's files and then the target's; the one used last is the last. */
  readonly #open = new Map<number, OpenFile>()
  readonly #sound = new Set<number>()

  constructor(options: OldBytesOptions) {
    this.#options = options
    this.#baseByteCount = byteCountOf(options.baseFiles)
  }

  /**
   * @param completeByteCount how many bytes of the release's sent files are complete
   * @throws BoxError `release.invalid` outside of what is there
   */
  async read(at: number, into: Uint8Array, completeByteCount: number): Promise<void> {
    if (at < 0 || at + into.length > this.#baseByteCount + completeByteCount)
      throw new BoxError('release.invalid', 'the transfer object reads outside of what there is')
    for (let done = 0; done < into.length; ) {
      const { index, start, end } = this.#fileAt(at + done)
      const count = Math.min(into.length - done, end - at - done)
      const part = into.subarray(done, done + count)
      if ((await (await this.#file(index)).read(at + done - start, part)) < count)
        throw rotten(this.#pathOf(index), 'became shorter while it was read')
      done += count
    }
  }

  async close(): Promise<void> {
    for (const file of this.#open.values()) await file.close()
    this.#open.clear()
  }

  #fileAt(at: number): { index: number; start: number; end: number } {
    const { baseFiles, targetFiles } = this.#options
    if (at < this.#baseByteCount) {
      const index = lastFrom(baseFiles, at)
      const { start = 0, end = 0 } = baseFiles[index] ?? {}
      return { index, start, end }
    }
    const index = lastFrom(targetFiles, at - this.#baseByteCount)
    const { start = 0, end = 0 } = targetFiles[index] ?? {}
    return {
      index: baseFiles.length + index,
      start: this.#baseByteCount + start,
      end: this.#baseByteCount + end,
    }
  }

  async #file(index: number): Promise<OpenFile> {
    const there = this.#open.get(index)
    if (there !== undefined) {
      this.#open.delete(index)
      this.#open.set(index, there)
      return there
    }
    const file = await this.#openFile(index)
    this.#open.set(index, file)
    const [oldest] = this.#open
    if (this.#open.size > OPEN_FILES_MAX && oldest !== undefined) {
      this.#open.delete(oldest[0])
      await oldest[1].close()
    }
    return file
  }

  async #openFile(index: number): Promise<OpenFile> {
    const { base, baseFiles, target, digests } = this.#options
    const entry = baseFiles[index]?.entry
    if (entry === undefined) {
      const file = await target.open(this.#pathOf(index))
      if (file === null) throw new BoxError('storage.io', `${this.#pathOf(index)} is gone again`)
      return file
    }
    const file = await openSound(base, entry)
    if (this.#sound.has(index)) return file
    try {
      await readSound(digests, file, entry, async () => {})
    } catch (error) {
      await file.close()
      throw error
    }
    this.#sound.add(index)
    return file
  }

  #pathOf(index: number): string {
    const { baseFiles, targetFiles } = this.#options
    return baseFiles[index]?.entry.path ?? targetFiles[index - baseFiles.length]?.path ?? ''
  }
}

/** The last file that begins at or before a place, which is the one that has it: empty ones stand before. */
function lastFrom(files: readonly { start: number }[], at: number): number {
  let [low, high] = [0, files.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((files[middle]?.start ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return low - 1
}
