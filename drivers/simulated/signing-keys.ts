import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { BoxError } from '../../runtime/core/errors.js'
import type { KeyPlace, PublicKey, SigningKeys } from '../../runtime/ports/signing-keys.js'

/** PKCS#8 of Ed25519 up to the 32 bytes of the seed (RFC 8410, 7). */
const SEED_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Keys that are drawn from a seed and are as real as others. Never for a real box. */
export class SimulatedSigningKeys implements SigningKeys {
  readonly #random: () => number
  readonly #files = new Map<string, KeyObject>()
  /** How often each file has signed. */
  readonly signedBy = new Map<string, number>()

  /** @param random numbers in [0, 1) */
  constructor(random: () => number) {
    this.#random = random
  }

  async create(file: string): Promise<PublicKey> {
    if (this.#files.has(file)) throw new BoxError('key.denied', `${file} is there already`)
    const seed = Buffer.from(Array.from({ length: 32 }, () => Math.floor(this.#random() * 256)))
    const key = createPrivateKey({
      key: Buffer.concat([SEED_HEADER, seed]),
      format: 'der',
      type: 'pkcs8',
    })
    this.#files.set(file, key)
    return publicOf(key)
  }

  async find(place: KeyPlace): Promise<PublicKey> {
    return publicOf(this.#at(place))
  }

  async sign(place: KeyPlace, key: PublicKey, bytes: Uint8Array): Promise<Uint8Array> {
    const found = this.#at(place)
    if (publicOf(found).public !== key.public)
      throw new BoxError('key.invalid', 'this is another key than it was')
    if (place.in === 'file') this.signedBy.set(place.file, (this.signedBy.get(place.file) ?? 0) + 1)
    return Uint8Array.from(sign(null, bytes, found))
  }

  /** As when somebody has lost the file. */
  lose(file: string): void {
    this.#files.delete(file)
  }

  #at(place: KeyPlace): KeyObject {
    const key = place.in === 'file' ? this.#files.get(place.file) : undefined
    if (key === undefined) throw new BoxError('key.absent', 'there is no such key')
    return key
  }
}

function publicOf(key: KeyObject): PublicKey {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return { keytype: 'ed25519', scheme: 'ed25519', public: der.subarray(-32).toString('hex') }
}
