/** Who may sign what, and whose signatures are missing. */
import type { Document, KeyJson, RoleKeys, Root, Targets } from './documents.js'
import { isFaithful } from './faithful.js'
import { type AnyDocument, signersOf } from './metadata.js'

/** A set of keys of which `threshold` must sign. */
export interface Authority extends RoleKeys {
  /** Which document says so, in words. */
  readonly by: string
  readonly keys: Readonly<Record<string, KeyJson>>
}

export interface Missing {
  readonly by: string
  readonly signed: readonly string[]
  /** Ids of the keys that may still sign. */
  readonly open: readonly string[]
  readonly threshold: number
}

export type TopRole = keyof Root['roles']
export const topRoles: readonly TopRole[] = ['root', 'targets', 'snapshot', 'timestamp']
export const isTopRole = (role: string): role is TopRole => topRoles.some(top => top === role)

export function rootAuthority(root: Root, role: TopRole): Authority {
  return { ...root.roles[role], by: `root ${root.version}`, keys: root.keys }
}

/** @returns null when nothing is delegated to a role of this name */
export function delegatedAuthority(targets: Targets, role: string): Authority | null {
  const { delegations } = targets
  const found = delegations?.roles.find(({ name }) => name === role)
  if (delegations === undefined || found === undefined) return null
  const { keyids, threshold } = found
  return { keyids, threshold, by: `targets ${targets.version}`, keys: delegations.keys }
}

/** Those of the keys that have rightly signed what stands there. */
export function signedBy(document: AnyDocument, { keys, keyids }: Authority): readonly string[] {
  const signers = isFaithful(document.signed) ? signersOf(document, keys) : new Set<string>()
  return keyids.filter(keyid => signers.has(keyid))
}

/** Null when enough of the keys have signed. */
export function missingOf(document: AnyDocument, authority: Authority): Missing | null {
  const signed = signedBy(document, authority)
  if (signed.length >= authority.threshold) return null
  const open = authority.keyids.filter(keyid => !signed.includes(keyid))
  return { by: authority.by, signed, open, threshold: authority.threshold }
}

export const isSignedBy = (document: AnyDocument, authority: Authority): boolean =>
  missingOf(document, authority) === null

/** Adds a signature, in the place of an earlier one of that key. */
export const withSignature = <S>(
  document: Document<S>,
  keyid: string,
  sig: string,
): Document<S> => ({
  signed: document.signed,
  signatures: [...document.signatures.filter(other => other.keyid !== keyid), { keyid, sig }],
})
