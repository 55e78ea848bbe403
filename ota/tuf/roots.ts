/** The root that a box begins with, of those that it has. */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Log } from '../../runtime/ports/log.js'
import type { Verifier } from '../../runtime/ports/verifier.js'
import { type Document, type RootBody, readRoot } from './metadata.js'
import { Refusal } from './outcome.js'
import { requireSignatures } from './signatures.js'

interface Ports {
  readonly verifier: Verifier
  readonly log: Log
}

/** Of those that vouch for themselves. @throws BoxError `trust.root` when none does */
export function newestRoot(roots: readonly Uint8Array[], ports: Ports): Document<RootBody> {
  let newest: Document<RootBody> | null = null
  for (const bytes of roots) {
    const root = rootOf(bytes, ports)
    if (root !== null && root.version > (newest?.version ?? 0)) newest = root
  }
  if (newest !== null) return newest
  throw new BoxError(
    'trust.root',
    'no root is left that vouches for itself, not even the provisioned one',
  )
}

/** Null when it cannot be read or does not vouch for itself. */
function rootOf(bytes: Uint8Array, { verifier, log }: Ports): Document<RootBody> | null {
  try {
    const root = readRoot(bytes)
    requireSignatures(root, root.body.authorities.root, { role: 'root', verifier })
    return root
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    log.warn('trust.rotten', { file: 'root', error: messageOf(error) })
    return null
  }
}
