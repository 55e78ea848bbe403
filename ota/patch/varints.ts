/** Whole numbers in as few bytes as they need: seven bits a byte, the low ones first, the top bit says "more" (LEB128). */
import { assert, BoxError } from '../../runtime/core/errors.js'

/** So many bits as a number holds exactly. */
const BYTES_MAX = 8

export class VarintWriter {
  #bytes = new Uint8Array(256)
  #count = 0

  /** @param value 0..2^53-1 */
  put(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'a whole number')
    if (this.#count + BYTES_MAX > this.#bytes.length) this.#grow(BYTES_MAX)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#count++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#count++] = rest
  }

  /** Small numbers on both sides of 0 stay small. */
  putSigned(value: number): void {
    this.put(value < 0 ? -2 * value - 1 : 2 * value)
  }

  putBytes(bytes: Uint8Array): void {
    if (this.#count + bytes.length > this.#bytes.length) this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#count)
    this.#count += bytes.length
  }

  get byteCount(): number {
    return this.#count
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#count)
  }

  #grow(byteCount: number): void {
    const larger = new Uint8Array(this.#bytes.length * 2 + byteCount)
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

/** @throws BoxError `release.invalid` behind the end and for a number that is too large */
export class VarintReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  take(): number {
    const decoder = new VarintDecoder()
    for (;;) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new BoxError('release.invalid', 'a number is cut off')
      if (decoder.push(byte)) return decoder.value
    }
  }

  takeSigned(): number {
    return unfolded(this.take())
  }

  takeBytes(byteCount: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.#at, this.#at + byteCount)
    if (bytes.length < byteCount) throw new BoxError('release.invalid', 'a name is cut off')
    this.#at += byteCount
    return bytes
  }
}

/** One number, byte by byte. */
export class VarintDecoder {
  value = 0
  #scale = 1
  #byteCount = 0

  /** @returns true when the number is complete */
  push(byte: number): boolean {
    this.value += (byte & 0x7f) * this.#scale
    this.#scale *= 0x80
    this.#byteCount++
    if (this.#byteCount > BYTES_MAX || this.value > Number.MAX_SAFE_INTEGER)
      throw new BoxError('release.invalid', 'a number is too large')
    return byte < 0x80
  }
}

export const unfolded = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)
