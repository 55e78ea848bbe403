/** A few writes to a chip's registers as bytes in memory that threads share: how many, then each with its length. */
import { BLOCK_BYTES_MAX, WRITES_MAX } from '../../runtime/core/planned-writes.js'
import type { RegisterWrite } from '../../runtime/ports/host.js'

const HEAD_BYTES = 2
/** A multiple of 4. */
export const PACKED_BYTES = 4 + WRITES_MAX * (HEAD_BYTES + BLOCK_BYTES_MAX)

/** @param offset where `PACKED_BYTES` are free */
export function packWrites(
  memory: Uint8Array,
  offset: number,
  writes: readonly RegisterWrite[],
): void {
  let at = offset
  memory[at++] = writes.length
  for (const { register, bytes } of writes) {
    memory[at++] = register
    memory[at++] = bytes.length
    memory.set(bytes, at)
    at += bytes.length
  }
}

/** Copies: what lies in shared memory may change. */
export function unpackWrites(memory: Uint8Array, offset: number): RegisterWrite[] {
  let at = offset
  const count = memory[at++] ?? 0
  const writes: RegisterWrite[] = []
  while (writes.length < count) {
    const [register = 0, length = 0] = [memory[at], memory[at + 1]]
    at += HEAD_BYTES
    writes.push({ register, bytes: memory.slice(at, at + length) })
    at += length
  }
  return writes
}
