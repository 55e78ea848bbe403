/** Signs with what is at hand, no more often than is needed. */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import { hexOf } from '../../runtime/core/hex.js'
import type { KeyRing, RingKey } from '../keys/ring.js'
import { type Authority, type Missing, missingOf, withSignature } from './authority.js'
import type { Document } from './documents.js'
import { requireFaithful } from './faithful.js'
import { type AnyDocument, signedBytes } from './metadata.js'

export interface Signed<S> {
  readonly document: Document<S>
  readonly missing: readonly Missing[]
  /** Keys that are known here and could not sign, and why. */
  readonly troubles: readonly string[]
}

/**
 * Signs until every authority has enough, or no key is left that could.
 * @param only names of the keys that may be used; null: all of the ring
 * @throws BoxError `key.given-up`, `release.invalid`
 */
export async function signFor<S extends AnyDocument['signed']>(
  ring: KeyRing,
  draft: Document<S>,
  authorities: readonly Authority[],
  only: readonly string[] | null = null,
): Promise<Signed<S>> {
  const troubles: string[] = []
  let document = draft
  requireFaithful(draft.signed)
  const bytes = signedBytes(draft.signed)
  const candidates = (await ring.list()).filter(
    ({ name, place }) => place.in !== 'elsewhere' && (only === null || only.includes(name)),
  )
  for (const key of candidates) {
    const isWanted = missing(document, authorities).some(({ open }) => open.includes(key.keyid))
    if (!isWanted) continue
    try {
      const signature = await ring.sign(key, bytes)
      document = withSignature(document, key.keyid, hexOf(signature))
    } catch (error) {
      troubles.push(troubleOf(key, error))
    }
  }
  return { document, missing: missing(document, authorities), troubles }
}

const missing = (document: AnyDocument, authorities: readonly Authority[]): Missing[] =>
  authorities.flatMap(authority => missingOf(document, authority) ?? [])

/** A key that is not at hand leaves its signature to others. Who gives up ends it all; anything else is a bug. */
function troubleOf({ name }: RingKey, error: unknown): string {
  if (!(error instanceof BoxError) || error.code === 'key.given-up') throw error
  return `${name}: ${messageOf(error)} (${error.code})`
}

/** `root 2: 1 of 2 signatures are there (by anna); one more of bert, carla` */
export function missingText(
  role: string,
  lack: Missing,
  nameOf: (keyid: string) => string,
): string {
  const { by, signed, open, threshold } = lack
  const who = signed.length === 0 ? '' : ` (by ${signed.map(nameOf).join(', ')})`
  const count = threshold - signed.length
  return `${role}: ${signed.length} of ${threshold} signatures that ${by} asks for${who}; ${count} more of: ${open.map(nameOf).join(', ')}`
}
