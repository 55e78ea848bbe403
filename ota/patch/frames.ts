/**
 * A transfer object: `RCO1`, what it is, and brotli streams cut into frames that stand in the order in which a box needs
 * them, so that it reads the object once, from the first byte to the last, and keeps nothing of it.
 *
 * ```
 * "RCO1"  kind (1 byte: 0 full, 1 pack, 2 patch)  byte count of the plan (varint)  frames
 * frame = byte count * 4 + stream (varint)  bytes
 * ```
 */
import { assert, BoxError } from '../../runtime/core/errors.js'
import type { Brotli, BrotliReader } from '../../runtime/ports/brotli.js'
import type { ByteSource } from '../../runtime/ports/release-tree.js'
import { MANIFEST_BYTES_MAX } from '../release/manifest.js'
import { VarintDecoder, VarintWriter } from './varints.js'

export const kinds = ['full', 'pack', 'patch'] as const
export type ObjectKind = (typeof kinds)[number]

/** What files there are; how old and new bytes follow each other; changes of old bytes; new bytes. */
export const Stream = { plan: 0, control: 1, diff: 2, extra: 3 } as const
export type StreamNumber = (typeof Stream)[keyof typeof Stream]
export const STREAMS = 4

const MAGIC = new TextEncoder().encode('RCO1')
export const FRAME_BYTES_MAX = 16 * 1024
/** Frames of other streams that may come before one that is waited for. */
const FRAMES_AHEAD_MAX = 8
const READ_BYTES = 64 * 1024
/** Window of a patch's streams, of which three are open at once. A stream that wants more is refused. */
const WINDOW_BITS_MAX = { full: 24, pack: 24, patch: 22 } as const

export const windowBitsOf = (kind: ObjectKind, stream: StreamNumber): number =>
  stream === Stream.plan ? 18 : WINDOW_BITS_MAX[kind]

export function formatHead(kind: ObjectKind, planByteCount: number): Uint8Array {
  const writer = new VarintWriter()
  writer.putBytes(MAGIC)
  writer.put(kinds.indexOf(kind))
  writer.put(planByteCount)
  return writer.bytes()
}

export function formatFrameHead(stream: StreamNumber, byteCount: number): Uint8Array {
  const writer = new VarintWriter()
  writer.put(byteCount * STREAMS + stream)
  return writer.bytes()
}

/** Reads one object. @throws BoxError `release.invalid` for whatever such an object is not */
export class FrameReader {
  planByteCount = 0
  readonly #source: ByteSource
  readonly #brotli: Brotli
  readonly kind: ObjectKind
  readonly #streams: StreamReader[]
  readonly #buffer = new Uint8Array(READ_BYTES)
  #from = 0
  #filled = 0
  #at = 0

  constructor(brotli: Brotli, source: ByteSource, kind: ObjectKind) {
    this.#brotli = brotli
    this.#source = source
    this.kind = kind
    this.#streams = Object.values(Stream).map(
      stream => new StreamReader(this.#brotli, () => this.#next(stream)),
    )
  }

  async start(): Promise<void> {
    const head = await this.#take(MAGIC.length + 1)
    if (MAGIC.some((byte, index) => head[index] !== byte)) throw invalid('does not begin with RCO1')
    if (kinds[head[MAGIC.length] ?? -1] !== this.kind)
      throw invalid(`is not of the kind ${this.kind}`)
    this.planByteCount = await this.#takeVarint()
    if (this.planByteCount > MANIFEST_BYTES_MAX) throw invalid('has a plan that is too long')
  }

  stream(number: StreamNumber): StreamReader {
    const stream = this.#streams[number]
    assert(stream !== undefined, 'a stream of an object')
    return stream
  }

  /** All streams are at their end, and so is the object. */
  async end(): Promise<void> {
    for (const stream of this.#streams) await stream.end()
    if (this.#from + this.#at < this.#source.byteCount) throw invalid('goes on behind its end')
  }

  close(): void {
    for (const stream of this.#streams) stream.close()
  }

  /** The next frame of a stream; null when none comes any more. Frames of others are kept for them. */
  async #next(number: StreamNumber): Promise<Uint8Array | null> {
    const { kept } = this.stream(number)
    while (kept.length === 0) {
      if (this.#from + this.#at >= this.#source.byteCount) return null
      const head = await this.#takeVarint()
      const [stream, byteCount] = [head % STREAMS, Math.floor(head / STREAMS)]
      if (byteCount === 0 || byteCount > FRAME_BYTES_MAX)
        throw invalid('has a frame of a wrong length')
      const bytes = await this.#take(byteCount)
      const other = this.#streams[stream]
      assert(other !== undefined, 'a remainder names a stream')
      this.#checkWindow(other, bytes)
      other.kept.push(bytes)
      if (other.kept.length > FRAMES_AHEAD_MAX) throw invalid('has its frames out of order')
    }
    return kept.shift() ?? null
  }

  /** RFC 7932, 9.1: the first bits of a stream are those of its window: 23 and 24 are 1011 and 1111. */
  #checkWindow(stream: StreamReader, first: Uint8Array): void {
    if (stream.hasBegun) return
    stream.hasBegun = true
    const low = (first[0] ?? 0) & 0x0f
    if (WINDOW_BITS_MAX[this.kind] < 23 && (low === 0x0d || low === 0x0f))
      throw invalid('has a stream that wants too much memory')
  }

  async #takeVarint(): Promise<number> {
    const decoder = new VarintDecoder()
    for (;;) {
      const [byte = 0] = await this.#take(1)
      if (decoder.push(byte)) return decoder.value
    }
  }

  async #take(byteCount: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(byteCount)
    for (let done = 0; done < byteCount; ) {
      if (this.#at === this.#filled) await this.#fill()
      const part = this.#buffer.subarray(
        this.#at,
        Math.min(this.#filled, this.#at + byteCount - done),
      )
      bytes.set(part, done)
      done += part.length
      this.#at += part.length
    }
    return bytes
  }

  async #fill(): Promise<void> {
    this.#from += this.#filled
    const byteCount = Math.min(READ_BYTES, this.#source.byteCount - this.#from)
    this.#at = 0
    this.#filled = await this.#source.read(this.#from, this.#buffer.subarray(0, byteCount))
    if (this.#filled === 0) throw invalid('is cut off')
  }
}

/** What one of the streams decompresses to. */
export class StreamReader {
  /** Frames that came before they were needed. */
  readonly kept: Uint8Array[] = []
  hasBegun = false
  readonly #brotli: Brotli
  readonly #next: () => Promise<Uint8Array | null>
  #reader: BrotliReader | null = null
  #chunk: Uint8Array = new Uint8Array()

  constructor(brotli: Brotli, next: () => Promise<Uint8Array | null>) {
    this.#brotli = brotli
    this.#next = next
  }

  /** @returns at least one byte, at most `byteCountMax`; valid until the next call */
  async take(byteCountMax: number): Promise<Uint8Array> {
    if (this.#chunk.length === 0) {
      this.#reader ??= this.#brotli.decompress(this.#next)
      const chunk = await this.#reader.read()
      if (chunk === null || chunk.length === 0) throw invalid('has a stream that ends too early')
      this.#chunk = chunk
    }
    const taken = this.#chunk.subarray(0, byteCountMax)
    this.#chunk = this.#chunk.subarray(taken.length)
    return taken
  }

  async takeAll(byteCount: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(byteCount)
    for (let at = 0; at < byteCount; ) {
      const part = await this.take(byteCount - at)
      bytes.set(part, at)
      at += part.length
    }
    return bytes
  }

  async takeVarint(): Promise<number> {
    const decoder = new VarintDecoder()
    for (;;) {
      // Most numbers lie whole in what is there: no promise for each of their bytes.
      for (let at = 0; at < this.#chunk.length; at++) {
        if (!decoder.push(this.#chunk[at] ?? 0)) continue
        this.#chunk = this.#chunk.subarray(at + 1)
        return decoder.value
      }
      this.#chunk = this.#chunk.subarray(this.#chunk.length)
      if (decoder.push((await this.take(1))[0] ?? 0)) return decoder.value
    }
  }

  /** A stream that nothing was asked of has no frames. */
  async end(): Promise<void> {
    const isAtEnd =
      this.#chunk.length === 0 &&
      (this.#reader === null ? (await this.#next()) === null : (await this.#reader.read()) === null)
    if (!isAtEnd || this.kept.length > 0) throw invalid('has a stream that goes on behind its end')
  }

  close(): void {
    this.#reader?.close()
  }
}

const invalid = (problem: string): BoxError =>
  new BoxError('release.invalid', `the transfer object ${problem}`)
