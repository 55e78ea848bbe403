import { createHash, createHmac, randomBytes } from 'node:crypto'
import { assert } from '../../runtime/core/errors.js'
import type { Keys } from '../../runtime/ports/keys.js'

const COUNT_MAX = 1024 * 1024

/** Digests and chance from OpenSSL, seeded by the kernel. */
export class LinuxKeys implements Keys {
  randomBytes(count: number): Uint8Array {
    assert(Number.isInteger(count) && count >= 0 && count <= COUNT_MAX, 'a count of random bytes')
    return Uint8Array.from(randomBytes(count))
  }

  sha256Hex(bytes: Uint8Array): string {
    return createHash('sha256').update(bytes).digest('hex')
  }

  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array {
    return Uint8Array.from(createHmac('sha256', key).update(bytes).digest())
  }
}
