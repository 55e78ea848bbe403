/**
 * Writes a change that is signed. New files first and what leads to them last, each of them safe on the disk before the
 * next, so that clients accept the repository between any two of them. What was written twice is the same twice.
 */
import { BoxError } from '../../runtime/core/errors.js'
import type { Keys } from '../../runtime/ports/keys.js'
import type { PublicFolder } from '../../runtime/ports/public-folder.js'
import { spokenKeyid } from '../keys/keyid.js'
import type { KeyRing } from '../keys/ring.js'
import { momentMs, momentText } from '../release/moments.js'
import { missingOf } from './authority.js'
import { authoritiesOf, type Change } from './change.js'
import {
  type Document,
  fileBytes,
  METADATA_BYTES_MAX,
  type MetaFile,
  type Snapshot,
  type Timestamp,
} from './documents.js'
import { putEnclosed } from './enclosed.js'
import { type AnyDocument, isSameSigned, SPEC_VERSION } from './metadata.js'
import { missingText, signFor } from './signing.js'
import { metadataFile, type RepositoryState } from './state.js'

export const DAY_MS = 86_400_000

export interface Days {
  readonly snapshot: number
  readonly timestamp: number
}

export interface CommitParts {
  readonly folder: PublicFolder
  readonly ring: KeyRing
  readonly keys: Pick<Keys, 'sha256Hex'>
  readonly wallMs: number
  readonly days: Days
}

/** @param state null for a new repository @throws BoxError `release.unsigned`, `release.conflict` */
export async function commitChange(
  parts: CommitParts,
  state: RepositoryState | null,
  asked: Change,
): Promise<void> {
  checkBase(state, asked)
  const change = newsOf(state, asked)
  const { root, roles } = change
  checkExpiry(parts.wallMs, change)
  await checkSignatures(parts, state, change)
  await putEnclosed(parts.folder, state, change)
  const snapshot = await nextSnapshot(parts, state, change)
  const timestamp = await nextTimestamp(parts, state, change, snapshot)
  const documents: [string, AnyDocument][] = [
    ...roles,
    ['snapshot', snapshot],
    ['timestamp', timestamp],
  ]
  // Clients that know the new root take only what its keys have signed, those that do not only what the old ones have.
  // All of it has both signatures and so the root is last, unless the old keys are lost.
  if (root !== null) documents.splice(change.isOldKeyLost ? 0 : documents.length, 0, ['root', root])
  for (const [role, document] of documents) {
    const bytes = fileBytes(document)
    if (bytes.length > METADATA_BYTES_MAX)
      throw new BoxError('release.conflict', `${role} has more than ${METADATA_BYTES_MAX} bytes`)
    await parts.folder.write(metadataFile(role, document.signed.version), [bytes])
  }
}

/** What is not there yet, over what is. */
function newsOf(state: RepositoryState | null, { root, roles, ...rest }: Change): Change {
  return {
    ...rest,
    base: state === null ? null : { root: state.root, targets: state.targets, roles: new Map() },
    root: root !== null && isNews(state, 'root', root) ? root : null,
    roles: new Map([...roles].filter(([role, next]) => isNews(state, role, next))),
  }
}

function checkExpiry(wallMs: number, { root, roles }: Change): void {
  for (const [role, document] of [['root', root] as const, ...roles]) {
    const expires = document?.signed.expires
    if (expires !== undefined && momentMs(expires) <= wallMs)
      throw new BoxError('release.conflict', `${role} has expired on ${expires}: make it again`)
  }
}

/** What was signed for one state of the repository is not written over another. */
function checkBase(state: RepositoryState | null, { base, root }: Change): void {
  const rootVersion = state?.root.signed.version ?? 0
  const wanted = base?.root.signed.version ?? 0
  const isWritten = root !== null && state !== null && isSameSigned(root.signed, state.root.signed)
  if (rootVersion === wanted || isWritten) return
  const there =
    state === null ? 'there is no repository' : `the repository is at root ${rootVersion}`
  const meant = base === null ? 'a new repository' : `root ${wanted}`
  throw new BoxError('release.conflict', `this was made for ${meant}, and ${there}: make it again`)
}

/** @returns false for what is in the repository already */
function isNews(state: RepositoryState | null, role: string, next: AnyDocument): boolean {
  const current = currentOf(state, role)
  const { version } = next.signed
  if (current !== null && isSameSigned(current.signed, next.signed)) return false
  const expected = versionOf(state, role) + 1
  if (version === expected) return true
  throw new BoxError(
    'release.conflict',
    `this is version ${version} of ${role}, and the repository needs ${expected}: somebody else has published meanwhile, make it again`,
  )
}

function currentOf(state: RepositoryState | null, role: string): AnyDocument | null {
  if (state === null) return null
  if (role === 'root') return state.root
  if (role === 'targets') return state.targets
  return state.delegated.get(role) ?? null
}

/** A role that is delegated to no longer keeps its place in the snapshot, and goes on from there when it comes back. */
function versionOf(state: RepositoryState | null, role: string): number {
  if (role === 'root') return state?.root.signed.version ?? 0
  return state?.snapshot.signed.meta[`${role}.json`]?.version ?? 0
}

export const nextVersion = (state: RepositoryState | null, role: string): number =>
  versionOf(state, role) + 1

/** Everything that clients will read, whether this change brings it or not. */
async function checkSignatures(
  { ring }: CommitParts,
  state: RepositoryState | null,
  change: Change,
): Promise<void> {
  const names = new Map((await ring.list()).map(({ keyid, name }) => [keyid, name]))
  const nameOf = (keyid: string): string => names.get(keyid) ?? spokenKeyid(keyid)
  const lacks: string[] = []
  for (const [role, document] of documentsAfter(state, change))
    for (const authority of authoritiesOf(change, role)) {
      const lack = missingOf(document, authority)
      if (lack !== null) lacks.push(missingText(role, lack, nameOf))
    }
  if (lacks.length > 0) throw new BoxError('release.unsigned', lacks.join('\n'))
}

function documentsAfter(
  state: RepositoryState | null,
  change: Change,
): ReadonlyMap<string, AnyDocument> {
  const documents = new Map<string, AnyDocument>()
  if (change.root !== null) documents.set('root', change.root)
  const targets = change.roles.get('targets') ?? state?.targets
  if (targets === undefined)
    throw new BoxError('release.invalid', 'a new repository has no targets')
  documents.set('targets', targets)
  for (const { name } of targets.signed.delegations?.roles ?? []) {
    const document = change.roles.get(name) ?? state?.delegated.get(name)
    if (document === undefined)
      throw new BoxError('release.invalid', `targets delegates to ${name}, which is not there`)
    documents.set(name, document)
  }
  return documents
}

function nextSnapshot(
  parts: CommitParts,
  state: RepositoryState | null,
  change: Change,
): Promise<Document<Snapshot>> {
  const meta: Record<string, MetaFile> = { ...state?.snapshot.signed.meta }
  for (const [role, document] of change.roles) meta[`${role}.json`] = describedAs(parts, document)
  const signed: Snapshot = {
    _type: 'snapshot',
    spec_version: SPEC_VERSION,
    version: (state?.snapshot.signed.version ?? 0) + 1,
    expires: momentText(parts.wallMs + parts.days.snapshot * DAY_MS),
    meta,
  }
  return signOnline(parts, change, 'snapshot', signed)
}

function nextTimestamp(
  parts: CommitParts,
  state: RepositoryState | null,
  change: Change,
  snapshot: Document<Snapshot>,
): Promise<Document<Timestamp>> {
  const signed: Timestamp = {
    _type: 'timestamp',
    spec_version: SPEC_VERSION,
    version: (state?.timestamp.signed.version ?? 0) + 1,
    expires: momentText(parts.wallMs + parts.days.timestamp * DAY_MS),
    meta: { 'snapshot.json': describedAs(parts, snapshot) },
  }
  return signOnline(parts, change, 'timestamp', signed)
}

/** Of the bytes that are about to be written. */
function describedAs({ keys }: CommitParts, document: AnyDocument): MetaFile {
  const bytes = fileBytes(document)
  const hashes = { sha256: keys.sha256Hex(bytes) }
  return { version: document.signed.version, length: bytes.length, hashes }
}

async function signOnline<S extends Snapshot | Timestamp>(
  { ring }: CommitParts,
  change: Change,
  role: 'snapshot' | 'timestamp',
  signed: S,
): Promise<Document<S>> {
  const authorities = authoritiesOf(change, role)
  const { document, missing, troubles } = await signFor(
    ring,
    { signed, signatures: [] },
    authorities,
  )
  if (missing.length === 0) return document
  const names = new Map((await ring.list()).map(({ keyid, name }) => [keyid, name]))
  const nameOf = (keyid: string): string => names.get(keyid) ?? spokenKeyid(keyid)
  const lacks = missing.map(lack => missingText(role, lack, nameOf))
  const how = `the keys of ${role} must be where the repository is written`
  throw new BoxError('release.unsigned', [...lacks, ...troubles, how].join('\n'))
}
