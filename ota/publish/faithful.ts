/**
 * Whether what the library signs is what stands there: clients check signatures over the file, and the library over what it
 * has made of it. Of two delegations to one name it keeps the last, and it changes the order of names that look like numbers.
 */
import { BoxError } from '../../runtime/core/errors.js'
import { hexOf } from '../../runtime/core/hex.js'
import { canonicalJson } from '../tuf/canonical.js'
import { type Signed, signedBytes } from './metadata.js'

export const isFaithful = (signed: Signed): boolean =>
  hexOf(signedBytes(signed)) === hexOf(canonicalJson(JSON.parse(JSON.stringify(signed))))

/** @throws BoxError `release.invalid` */
export function requireFaithful(signed: Signed): void {
  if (!isFaithful(signed))
    throw new BoxError(
      'release.invalid',
      `${signed._type} ${signed.version} would be signed otherwise than it stands there: somebody has changed it`,
    )
}
