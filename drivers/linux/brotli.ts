import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { brotliCompress, constants, createBrotliCompress, createBrotliDecompress } from 'node:zlib'
import { BoxError } from '../../runtime/core/errors.js'
import type { Brotli, BrotliReader } from '../../runtime/ports/brotli.js'

const CHUNK_BYTES = 64 * 1024
/** What every stream takes, though the types of zlib do not name it. */
const PULLED = { chunkSize: CHUNK_BYTES, readableHighWaterMark: 1, writableHighWaterMark: 1 }
const compress = promisify(brotliCompress)

/** Brotli of the program that runs us; it works in threads of its own. */
export class LinuxBrotli implements Brotli {
  async compress(
    bytes: Uint8Array,
    options: { readonly windowBits: number; readonly quality: number },
  ): Promise<Uint8Array> {
    return compress(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: options.quality,
        [constants.BROTLI_PARAM_LGWIN]: options.windowBits,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    })
  }

  decompress(nextInput: () => Promise<Uint8Array | null>): BrotliReader {
    return new Decompression(nextInput)
  }
}

/** A stream of any length, a little at a time. @param options as of `Brotli.compress` */
export async function* compressed(
  bytes: AsyncIterable<Uint8Array>,
  { windowBits, quality }: { readonly windowBits: number; readonly quality: number },
): AsyncGenerator<Uint8Array> {
  const stream = createBrotliCompress({
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_LGWIN]: windowBits,
    },
  })
  const fed = pipeline(bytes, stream)
  // What breaks it breaks the reading, too.
  fed.catch(() => {})
  for await (const chunk of stream) if (chunk instanceof Uint8Array) yield chunk
  await fed
}

/**
 * Pulls: a stream of zlib works ahead by one chunk of output at most, and is given input only when it has done with the
 * last, so that a small input that would become gigabytes does not.
 */
class Decompression implements BrotliReader {
  readonly #nextInput: () => Promise<Uint8Array | null>
  readonly #stream = createBrotliDecompress(PULLED)
  #givenByteCount = 0
  #isWriting = false
  #hasEnded = false
  #error: Error | null = null
  #wake: () => void = () => {}

  constructor(nextInput: () => Promise<Uint8Array | null>) {
    this.#nextInput = nextInput
    this.#stream.on('error', error => {
      this.#error = error
      this.#wake()
    })
    this.#stream.on('readable', () => this.#wake())
    this.#stream.on('end', () => {
      this.#hasEnded = true
      this.#wake()
    })
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#error !== null) throw invalid('is broken', this.#error)
      const bytes: unknown = this.#stream.read()
      if (bytes instanceof Uint8Array) return bytes
      if (this.#hasEnded) return this.#end()
      if (this.#isWriting || this.#stream.writableEnded) await this.#change()
      else await this.#feed()
    }
  }

  /** Zlib lets lie what is behind the end. */
  #end(): null {
    if (this.#stream.bytesWritten < this.#givenByteCount) throw invalid('goes on behind its end')
    return null
  }

  close(): void {
    this.#stream.destroy()
  }

  async #feed(): Promise<void> {
    const input = await this.#nextInput()
    if (input === null) {
      this.#stream.end()
      return
    }
    this.#givenByteCount += input.length
    this.#isWriting = true
    this.#stream.write(input, () => {
      this.#isWriting = false
      this.#wake()
    })
  }

  #change(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }
}

const invalid = (problem: string, cause?: Error): BoxError =>
  new BoxError('release.invalid', `a compressed stream ${problem}`, { cause })
