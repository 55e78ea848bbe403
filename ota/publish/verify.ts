/** A repository read whole, as the strictest client would, and every byte of it. */
import { BoxError, ConfigError, messageOf } from '../../runtime/core/errors.js'
import type { PublicFolder } from '../../runtime/ports/public-folder.js'
import { objectsOf, osDescriptionTarget } from '../os/os-description.js'
import { descriptionTarget, PIECE_BYTES } from '../release/description.js'
import { momentMs } from '../release/moments.js'
import { type Authority, delegatedAuthority, isSignedBy, rootAuthority } from './authority.js'
import { DAY_MS } from './commit.js'
import { isAsDescribed, isDocument } from './described.js'
import {
  type Document,
  METADATA_BYTES_MAX,
  type MetaFile,
  readSnapshot,
  readTargets,
  type Targets,
} from './documents.js'
import type { AnyDocument } from './metadata.js'
import { lackingReleases, lackingSystems } from './ordered.js'
import { ordersOf, readDescription, readOsDescription } from './releases.js'
import { OBJECTS, RELEASES, SYSTEMS } from './roles.js'
import { loadRepository, metadataFile, type RepositoryState, targetFileName } from './state.js'
import { osOrdersOf } from './systems.js'

export interface RoleReport {
  readonly role: string
  readonly version: number
  readonly expires: string
  readonly daysLeft: number
  readonly threshold: number
  readonly keyids: readonly string[]
  readonly targetCount: number
}

export interface RepositoryReport {
  readonly roles: readonly RoleReport[]
  /** What clients would stumble over, in words. */
  readonly problems: readonly string[]
  readonly targetCount: number
  readonly byteCount: number
  /** Files that nothing refers to: `prune` removes them. */
  readonly strayFiles: readonly string[]
}

/** @throws BoxError `release.invalid` when not even its metadata can be followed */
export async function verifyRepository(
  folder: PublicFolder,
  wallMs: number,
): Promise<RepositoryReport> {
  const state = await loadRepository(folder)
  if (state === null)
    throw new BoxError(
      'release.invalid',
      'there is no repository here, metadata/1.root.json is missing: name its folder with --repository, or make one with "roadcase release init"',
    )
  const problems: string[] = []
  const roles = documentsOf(state).map(([role, document, authority]) => {
    if (!isSignedBy(document, authority))
      problems.push(
        `${role} is not signed as ${authority.by} asks for: accept or refresh ends this`,
      )
    const daysLeft = (momentMs(document.signed.expires) - wallMs) / DAY_MS
    if (daysLeft <= 0) problems.push(`${role} has expired on ${document.signed.expires}`)
    return reportOf(role, document, authority, daysLeft)
  })
  let [targetCount, byteCount] = [0, 0]
  for (const { signed } of state.delegated.values()) {
    for (const [path, { length, hashes }] of Object.entries(signed.targets)) {
      const found = await folder.measure(targetFileName(path, hashes.sha256), PIECE_BYTES)
      if (found === null) problems.push(`${path} is missing`)
      else if (found.sha256 !== hashes.sha256 || found.byteCount !== length)
        problems.push(`${path} is not what was signed`)
      targetCount++
      byteCount += length
    }
  }
  problems.push(...(await metaProblems(folder, state)))
  problems.push(...(await contentProblems(folder, state)), ...(await besideProblems(folder, state)))
  return {
    ...{ roles, problems: [...new Set(problems)], targetCount, byteCount },
    strayFiles: await strayFiles(folder, state),
  }
}

function documentsOf(state: RepositoryState): [string, AnyDocument, Authority][] {
  const { root, targets, snapshot, timestamp, delegated } = state
  const top = { root, targets, snapshot, timestamp }
  const documents: [string, AnyDocument, Authority][] = []
  for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const)
    documents.push([role, top[role], rootAuthority(root.signed, role)])
  for (const [role, document] of delegated) {
    const authority = delegatedAuthority(targets.signed, role)
    if (authority !== null) documents.push([role, document, authority])
  }
  return documents
}

function reportOf(
  role: string,
  { signed }: AnyDocument,
  { threshold, keyids }: Authority,
  daysLeft: number,
): RoleReport {
  const targetCount = signed._type === 'targets' ? Object.keys(signed.targets).length : 0
  const { version, expires } = signed
  return { role, version, expires, daysLeft: Math.floor(daysLeft), threshold, keyids, targetCount }
}

/** What the documents say of each other's bytes. */
async function metaProblems(folder: PublicFolder, state: RepositoryState): Promise<string[]> {
  const problems: string[] = []
  const { snapshot, timestamp } = state
  const told: Record<string, MetaFile> = { ...snapshot.signed.meta, ...timestamp.signed.meta }
  for (const [role, { signed }] of documentsOf(state)) {
    const { length, hashes } = told[`${role}.json`] ?? {}
    const file = metadataFile(role, signed.version)
    const found = await folder.measure(file, PIECE_BYTES)
    const isOther =
      (length !== undefined && found?.byteCount !== length) ||
      (hashes !== undefined && found?.sha256 !== hashes.sha256)
    if (isOther) problems.push(`${file} has other bytes than were signed for`)
  }
  return problems
}

/** What is signed must also make sense. */
async function contentProblems(folder: PublicFolder, state: RepositoryState): Promise<string[]> {
  const releases = state.delegated.get(RELEASES)?.signed.targets ?? {}
  const objects = state.delegated.get(OBJECTS)?.signed.targets ?? {}
  const problems: string[] = []
  for (const [path, file] of Object.entries(releases))
    problems.push(
      ...(await told(async () => {
        const description = await readDescription(folder, path, file)
        const { architecture, version } = description
        const isAtHome = descriptionTarget(architecture, version) === path
        const strayed = isAtHome ? [] : [`${path} describes ${version} for ${architecture}`]
        return [...strayed, ...lackingObjects(path, description.objects, objects)]
      })),
    )
  problems.push(
    ...(await told(async () => lackingReleases(await ordersOf(folder, state), releases))),
    ...(await systemProblems(folder, state, objects)),
  )
  return problems
}

/** What is said beside a target, where only people look, must be what boxes read in it. */
async function besideProblems(folder: PublicFolder, state: RepositoryState): Promise<string[]> {
  const problems: string[] = []
  for (const { signed } of state.delegated.values())
    for (const [path, file] of Object.entries(signed.targets)) {
      if (file.custom === undefined || !isDocument(path)) continue
      const bytes = await folder.read(targetFileName(path, file.hashes.sha256), METADATA_BYTES_MAX)
      if (bytes === null) continue
      const words = `what is said beside ${path} (custom) is not what it says itself`
      problems.push(...(await told(async () => (isAsDescribed(path, bytes, file) ? [] : [words]))))
    }
  return problems
}

async function systemProblems(
  folder: PublicFolder,
  state: RepositoryState,
  objects: Targets['targets'],
): Promise<readonly string[]> {
  const systems = state.delegated.get(SYSTEMS)?.signed.targets ?? {}
  const problems: string[] = []
  for (const [path, file] of Object.entries(systems))
    problems.push(
      ...(await told(async () => {
        const description = await readOsDescription(folder, path, file)
        const { boards, version } = description
        const isAtHome = boards.some(board => osDescriptionTarget(board, version) === path)
        const strayed = isAtHome ? [] : [`${path} describes ${version} for ${boards.join(', ')}`]
        return [...strayed, ...lackingObjects(path, objectsOf(description), objects)]
      })),
    )
  const ordered = await told(async () => lackingSystems(await osOrdersOf(folder, state), systems))
  return [...problems, ...ordered]
}

async function told(work: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await work()
  } catch (error) {
    return [wordsOf(error)]
  }
}

const lackingObjects = (
  path: string,
  wanted: readonly { readonly target: string; readonly byteCount: number }[],
  objects: Targets['targets'],
): string[] =>
  wanted
    .filter(({ target, byteCount }) => objects[target]?.length !== byteCount)
    .map(({ target }) => `${path} needs ${target}, which is not signed so`)

function wordsOf(error: unknown): string {
  if (error instanceof BoxError) return messageOf(error)
  throw error
}

async function strayFiles(folder: PublicFolder, state: RepositoryState): Promise<string[]> {
  const needed = new Set(state.roots.map(({ signed }) => metadataFile('root', signed.version)))
  for (const [role, { signed }] of documentsOf(state)) {
    needed.add(metadataFile(role, signed.version))
    for (const file of filesOf(signed)) needed.add(file)
  }
  for (const file of await filesBefore(folder, state)) needed.add(file)
  const files = [...(await folder.list('metadata')), ...(await folder.list('targets'))]
  return files.filter(file => !needed.has(file))
}

const filesOf = (signed: AnyDocument['signed']): string[] =>
  signed._type === 'targets'
    ? Object.entries(signed.targets).map(([path, { hashes }]) =>
        targetFileName(path, hashes.sha256),
      )
    : []

/** Who has fetched the timestamp before this one is still to find all that it led to. */
async function filesBefore(folder: PublicFolder, { snapshot }: RepositoryState): Promise<string[]> {
  const files = [metadataFile('snapshot', snapshot.signed.version - 1)]
  const before = await readOf(folder, files[0] ?? '', readSnapshot)
  if (before === null) return files
  const load = async (role: string): Promise<Targets | null> => {
    const file = metadataFile(role, before.meta[`${role}.json`]?.version ?? 0)
    files.push(file)
    const signed = await readOf(folder, file, readTargets)
    if (signed !== null) files.push(...filesOf(signed))
    return signed
  }
  const targets = await load('targets')
  for (const { name } of targets?.delegations?.roles ?? []) await load(name)
  return files
}

/** Null for what is not there any more, or has rotted: then nobody can be led further by it. */
async function readOf<S>(
  folder: PublicFolder,
  file: string,
  read: (bytes: Uint8Array, name: string) => Document<S>,
): Promise<S | null> {
  const bytes = await folder.read(file, METADATA_BYTES_MAX)
  if (bytes === null) return null
  try {
    return read(bytes, file).signed
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}

/** Removes what nothing refers to. @returns the names */
export async function pruneRepository(folder: PublicFolder): Promise<readonly string[]> {
  const state = await loadRepository(folder)
  if (state === null)
    throw new BoxError(
      'release.invalid',
      'there is no repository here, metadata/1.root.json is missing: name its folder with --repository, or make one with "roadcase release init"',
    )
  const files = await strayFiles(folder, state)
  for (const file of files) await folder.remove(file)
  return files
}
