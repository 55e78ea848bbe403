/**
 * Whether what the library signs is what stands there: clients check signatures over the file, and the library over what it
 * has made of it. Of two delegations to one name it keeps the last, and it changes the order of names that look like numbers.
 */
import { BoxError } from '../../runtime/core/errors.js'
import { canonicalJson } from '../tuf/canonical.js'
import { type Signed, signedBytes } from './metadata.js'

export function isFaithful(signed: Signed): boolean {
  const [bytes, own] = [signedBytes(signed), canonicalJson(JSON.parse(JSON.stringify(signed)))]
  return bytes.length === own.length && bytes.every((byte, at) => byte === own[at])
}

/** @throws BoxError `release.invalid` */
export function requireFaithful(signed: Signed): void {
  if (!isFaithful(signed))
    throw new BoxError(
      'release.invalid',
      `${signed._type} ${signed.version} would be signed otherwise than it stands there: somebody has changed it`,
    )
}
