/** What is signed of a transfer object, taken apart: how many pieces, how long each, and its hash. */
import { BoxError } from '../../runtime/core/errors.js'
import { hexOf } from '../../runtime/core/hex.js'
import type { ReleaseDescription } from '../release/description.js'

export type TransferObject = ReleaseDescription['objects'][number]

const HASH_BYTES = 32

export class PieceList {
  readonly object: TransferObject
  readonly count: number
  readonly #hashes: Uint8Array

  /** @throws BoxError `fetch.invalid` when the pieces are not those of so many bytes */
  constructor(object: TransferObject) {
    this.object = object
    this.count = Math.ceil(object.byteCount / object.pieceByteCount)
    this.#hashes = bytesOf(object.pieces)
    if (this.#hashes.length !== this.count * HASH_BYTES)
      throw new BoxError(
        'fetch.invalid',
        `${object.target}: ${this.#hashes.length / HASH_BYTES} hashes for ${this.count} pieces`,
      )
  }

  startOf(index: number): number {
    return index * this.object.pieceByteCount
  }

  byteCountOf(index: number): number {
    return Math.min(this.object.pieceByteCount, this.object.byteCount - this.startOf(index))
  }

  /** Lower-case hexadecimal, 64 characters. */
  hashOf(index: number): string {
    return hexOf(this.#hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES))
  }
}

/** Base64 without Node's buffers. */
export function bytesOf(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
  } catch (cause) {
    throw new BoxError('fetch.invalid', 'pieces are not in base64', { cause })
  }
}
