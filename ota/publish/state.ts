/** A repository as it stands on its disk, read and checked: what is not rightly signed is not built upon. */
import { BoxError } from '../../runtime/core/errors.js'
import type { PublicFolder } from '../../runtime/ports/public-folder.js'
import { type Authority, delegatedAuthority, isSignedBy, rootAuthority } from './authority.js'
import {
  type Document,
  METADATA_BYTES_MAX,
  type Root,
  readRoot,
  readSnapshot,
  readTargets,
  readTimestamp,
  type Snapshot,
  type Targets,
  type Timestamp,
} from './documents.js'
import type { AnyDocument } from './metadata.js'

const ROOTS_MAX = 1024

export interface RepositoryState {
  /** All of them, from version 1 on. */
  readonly roots: readonly Document<Root>[]
  readonly root: Document<Root>
  readonly timestamp: Document<Timestamp>
  readonly snapshot: Document<Snapshot>
  readonly targets: Document<Targets>
  /** Of those roles that targets delegates to now. */
  readonly delegated: ReadonlyMap<string, Document<Targets>>
}

export const metadataFile = (role: string, version: number): string =>
  role === 'timestamp' ? 'metadata/timestamp.json' : `metadata/${version}.${role}.json`

/** Where a target lies with consistent snapshots (specification, 5.7 and 6.2.1): its digest before its name. */
export function targetFileName(path: string, sha256: string): string {
  const slash = path.lastIndexOf('/')
  return `targets/${path.slice(0, slash + 1)}${sha256}.${path.slice(slash + 1)}`
}

/**
 * Null when there is no repository yet.
 * @throws BoxError `release.invalid` for a file that is missing or not signed as it must be; ConfigError for one that is
 * not of the form
 */
export async function loadRepository(folder: PublicFolder): Promise<RepositoryState | null> {
  const roots = await loadRoots(folder)
  const root = roots.at(-1)
  if (root === undefined) return null
  // Where a lost key was replaced, what it had signed stands until it is signed anew: any root may vouch for it here.
  const everyRoot = (role: 'timestamp' | 'snapshot' | 'targets'): Authority[] =>
    roots.map(({ signed }) => rootAuthority(signed, role))
  const timestampFile = metadataFile('timestamp', 0)
  const timestamp = readTimestamp(await bytesOf(folder, timestampFile), timestampFile)
  checkSigned(timestamp, everyRoot('timestamp'), timestampFile)
  const snapshotFile = metadataFile('snapshot', timestamp.signed.meta['snapshot.json'].version)
  const snapshot = readSnapshot(await bytesOf(folder, snapshotFile), snapshotFile)
  checkSigned(snapshot, everyRoot('snapshot'), snapshotFile)
  const targets = await loadRole(folder, snapshot.signed, 'targets', everyRoot('targets'))
  const delegated = new Map<string, Document<Targets>>()
  for (const { name } of targets.signed.delegations?.roles ?? []) {
    const authority = delegatedAuthority(targets.signed, name)
    const authorities = authority === null ? [] : [authority]
    delegated.set(name, await loadRole(folder, snapshot.signed, name, authorities))
  }
  return { roots, root, timestamp, snapshot, targets, delegated }
}

async function loadRoots(folder: PublicFolder): Promise<Document<Root>[]> {
  const roots: Document<Root>[] = []
  for (let version = 1; version <= ROOTS_MAX; version++) {
    const file = metadataFile('root', version)
    const bytes = await folder.read(file, METADATA_BYTES_MAX)
    if (bytes === null) return roots
    const root = readRoot(bytes, file)
    checkVersion(root, version, file)
    const before = roots.at(-1)
    for (const { signed } of [before ?? root, root])
      checkSigned(root, [rootAuthority(signed, 'root')], file)
    roots.push(root)
  }
  throw new BoxError('release.invalid', `the repository has more than ${ROOTS_MAX} roots`)
}

async function loadRole(
  folder: PublicFolder,
  snapshot: Snapshot,
  role: string,
  authorities: readonly Authority[],
): Promise<Document<Targets>> {
  const version = snapshot.meta[`${role}.json`]?.version
  if (version === undefined)
    throw new BoxError('release.invalid', `snapshot ${snapshot.version} does not name ${role}.json`)
  const file = metadataFile(role, version)
  const document = readTargets(await bytesOf(folder, file), file)
  checkVersion(document, version, file)
  checkSigned(document, authorities, file)
  return document
}

async function bytesOf(folder: PublicFolder, file: string): Promise<Uint8Array> {
  const bytes = await folder.read(file, METADATA_BYTES_MAX)
  if (bytes === null) throw new BoxError('release.invalid', `${file} is missing`)
  return bytes
}

function checkVersion({ signed }: AnyDocument, version: number, file: string): void {
  if (signed.version !== version)
    throw new BoxError('release.invalid', `${file} says that it is version ${signed.version}`)
}

function checkSigned(document: AnyDocument, any: readonly Authority[], file: string): void {
  if (any.some(authority => isSignedBy(document, authority))) return
  const by = any.map(authority => authority.by).join(', ')
  throw new BoxError(
    'release.invalid',
    `${file} is not signed as ${by} asks for: somebody has changed it, or the disk has`,
  )
}
