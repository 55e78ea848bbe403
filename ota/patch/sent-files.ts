/** Writes the files whose bytes are in the object: old bytes with changes, and new ones, as the control stream says. */
import { BoxError } from '../../runtime/core/errors.js'
import type { Digests, RunningDigest } from '../../runtime/ports/digests.js'
import type { NewFile, ReleaseTreeWriter } from '../../runtime/ports/release-tree.js'
import { ControlReader, type Operation } from './control.js'
import { type FrameReader, Stream } from './frames.js'
import type { OldBytes } from './old-bytes.js'

export interface SentFile {
  readonly path: string
  readonly mode: '644' | '755'
  /** Among the bytes of all sent files. */
  readonly start: number
  readonly end: number
}

export interface SentOptions {
  readonly digests: Digests
  readonly target: ReleaseTreeWriter
  readonly frames: FrameReader
  readonly old: OldBytes
  /** @returns false when it was cancelled */
  readonly report: (byteCount: number) => boolean
}

const CHUNK_BYTES = 64 * 1024

/** @returns the hash of each file by its path; null when it was cancelled */
export async function writeSent(
  options: SentOptions,
  files: readonly SentFile[],
): Promise<Map<string, string> | null> {
  const hashes = new Map<string, string>()
  const bytes = new SentBytes(options, files.at(-1)?.end ?? 0)
  for (const { path, mode, start, end } of files) {
    const file = await options.target.create(path, mode)
    const digest = options.digests.sha256()
    try {
      if (!(await bytes.write({ file, digest, start, end }))) return null
    } finally {
      await file.close()
    }
    hashes.set(path, digest.hex())
  }
  bytes.end()
  return hashes
}

/** The sent files' bytes, one after the other. */
class SentBytes {
  readonly #options: SentOptions
  readonly #control: ControlReader | null
  readonly #diff
  readonly #extra
  readonly #old = new Uint8Array(CHUNK_BYTES)
  #operation: Operation

  /** Without operations everything is new. */
  constructor(options: SentOptions, byteCount: number) {
    const { frames } = options
    this.#options = options
    this.#control =
      frames.kind === 'patch' ? new ControlReader(frames.stream(Stream.control)) : null
    this.#diff = frames.stream(Stream.diff)
    this.#extra = frames.stream(Stream.extra)
    const newByteCount = this.#control === null ? byteCount : 0
    this.#operation = { oldAt: 0, oldByteCount: 0, newByteCount }
  }

  /** @returns false when it was cancelled */
  async write(into: {
    file: NewFile
    digest: RunningDigest
    start: number
    end: number
  }): Promise<boolean> {
    for (let at = into.start; at < into.end; ) {
      const bytes = await this.#next(Math.min(CHUNK_BYTES, into.end - at), into.start)
      into.digest.update(bytes)
      await into.file.write(bytes)
      at += bytes.length
      if (!this.#options.report(bytes.length)) return false
    }
    return true
  }

  end(): void {
    const { oldByteCount, newByteCount } = this.#operation
    if (oldByteCount + newByteCount > 0 || this.#control?.isAtEnd === false)
      throw new BoxError('release.invalid', 'the transfer object makes more than there is room for')
  }

  /** @returns at least one byte, valid until the next call */
  async #next(byteCountMax: number, completeByteCount: number): Promise<Uint8Array> {
    const { oldAt, oldByteCount, newByteCount } = this.#operation
    if (oldByteCount > 0) {
      const changes = await this.#diff.take(Math.min(byteCountMax, oldByteCount))
      const bytes = this.#old.subarray(0, changes.length)
      await this.#options.old.read(oldAt, bytes, completeByteCount)
      for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] ?? 0) + (changes[at] ?? 0)
      this.#operation = {
        oldAt: oldAt + bytes.length,
        oldByteCount: oldByteCount - bytes.length,
        newByteCount,
      }
      return bytes
    }
    if (newByteCount > 0) {
      const bytes = await this.#extra.take(Math.min(byteCountMax, newByteCount))
      this.#operation = { oldAt, oldByteCount, newByteCount: newByteCount - bytes.length }
      return bytes
    }
    if (this.#control === null)
      throw new BoxError('release.invalid', 'the transfer object is short')
    this.#operation = await this.#control.next()
    return this.#next(byteCountMax, completeByteCount)
  }
}
