import { createHash, createHmac } from 'node:crypto'
import { assert } from '../../runtime/core/errors.js'
import type { Keys } from '../../runtime/ports/keys.js'

const COUNT_MAX = 1024 * 1024

/** Digests are the real ones; chance comes from a seed, so that a run can be repeated. Never for a real box. */
export class SimulatedKeys implements Keys {
  readonly #random: () => number

  /** @param random numbers in [0, 1) */
  constructor(random: () => number) {
    this.#random = random
  }

  randomBytes(count: number): Uint8Array {
    assert(Number.isInteger(count) && count >= 0 && count <= COUNT_MAX, 'a count of random bytes')
    return Uint8Array.from({ length: count }, () => Math.floor(this.#random() * 256))
  }

  sha256Hex(bytes: Uint8Array): string {
    return createHash('sha256').update(bytes).digest('hex')
  }

  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array {
    return Uint8Array.from(createHmac('sha256', key).update(bytes).digest())
  }
}
