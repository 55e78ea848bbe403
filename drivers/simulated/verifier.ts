import { createHash } from 'node:crypto'
import type { PublicKey, Verifier } from '../../runtime/ports/verifier.js'

/** Digests are the real ones; a signature is the digest of key and bytes, which anybody can make. Never for a real box. */
export class SimulatedVerifier implements Verifier {
  digestHex(algorithm: string, bytes: Uint8Array): string | null {
    const isKnown = algorithm === 'sha256' || algorithm === 'sha384' || algorithm === 'sha512'
    return isKnown ? createHash(algorithm).update(bytes).digest('hex') : null
  }

  signer(key: PublicKey, bytes: Uint8Array, signature: string): string | null {
    if (key.keyType !== key.scheme || key.scheme !== 'ed25519') return null
    return simulatedSignature(key, bytes) === signature ? key.text.toLowerCase() : null
  }
}

/** What the simulated verifier takes for the signature of this key. */
export const simulatedSignature = (key: PublicKey, bytes: Uint8Array): string =>
  createHash('sha256').update(key.text.toLowerCase()).update(bytes).digest('hex')
