/** Transfer objects for tests: bytes from a seed, and what would be signed of them. */
import { createHash } from 'node:crypto'
import type { TransferObject } from '../../../ota/fetch/piece-list.js'
import { PIECE_BYTES } from '../../../ota/release/description.js'
import { randomFrom } from '../../../runtime/core/random.js'

export interface TestObject {
  readonly object: TransferObject
  readonly bytes: Uint8Array
}

export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

export function objectOf(bytes: Uint8Array): TestObject {
  const hash = sha256(bytes).toString('hex')
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    pieces.push(sha256(bytes.subarray(at, at + PIECE_BYTES)))
  const object: TransferObject = {
    kind: 'full',
    from: null,
    target: `objects/${hash}.full`,
    byteCount: bytes.length,
    sha256: hash,
    pieceByteCount: PIECE_BYTES,
    pieces: Buffer.concat(pieces).toString('base64'),
  }
  return { object, bytes }
}

/** @param byteCount any; no two blocks of it are the same */
export function randomObject(byteCount: number, seed = 1): TestObject {
  const random = randomFrom(seed)
  const words = new Uint32Array(Math.ceil(byteCount / 4))
  for (let index = 0; index < words.length; index++) words[index] = random() * 2 ** 32
  return objectOf(new Uint8Array(words.buffer, 0, byteCount))
}
