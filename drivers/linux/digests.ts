import { createHash } from 'node:crypto'
import type { Digests, RunningDigest } from '../../runtime/ports/digests.js'

/** Digests from OpenSSL. */
export class LinuxDigests implements Digests {
  sha256(): RunningDigest {
    const hash = createHash('sha256')
    return { update: bytes => void hash.update(bytes), hex: () => hash.digest('hex') }
  }
}
