/** Whether a document is signed by enough of those who may. */
import type { Verifier } from '../../runtime/ports/verifier.js'
import type { Authority, Document } from './metadata.js'
import { Refusal } from './outcome.js'

/** The work for one document is bounded to less than a second: nobody has more keys for a role. */
const KEYS_TRIED_MAX = 1024

/**
 * Each key counts once, however many names or forms it has been given (section 5.3.4 asks it of names only).
 * @throws Refusal `not signed as required`
 */
export function requireSignatures(
  document: Document<unknown>,
  authority: Authority,
  options: { readonly role: string; readonly verifier: Verifier },
): void {
  const signers = new Set<string>()
  let tried = 0
  for (const [id, key] of authority.keys) {
    const signature = document.signatures.get(id)
    if (signature === undefined || tried++ >= KEYS_TRIED_MAX) continue
    const signer = options.verifier.signer(key, document.signed, signature)
    if (signer !== null) signers.add(signer)
    if (signers.size >= authority.threshold) return
  }
  throw new Refusal(
    'not signed as required',
    options.role,
    `${options.role} has ${signers.size} of the ${authority.threshold} signatures it needs`,
  )
}

/** @throws Refusal `altered` when these are not the bytes that were described */
export function requireContent(
  bytes: Uint8Array,
  described: {
    readonly length: number | null
    readonly hashes: ReadonlyMap<string, string> | null
  },
  options: { readonly role: string; readonly verifier: Verifier },
): void {
  const { role, verifier } = options
  if (described.length !== null && bytes.length !== described.length)
    throw new Refusal(
      'altered',
      role,
      `${role} has ${bytes.length} bytes, ${described.length} were signed for`,
    )
  for (const [algorithm, expected] of described.hashes ?? []) {
    // An unknown algorithm gives null, and null is never expected: what cannot be checked is not believed.
    if (verifier.digestHex(algorithm, bytes) !== expected.toLowerCase())
      throw new Refusal(
        'altered',
        role,
        `the ${algorithm.slice(0, 20)} of ${role} is not what was signed for`,
      )
  }
}
