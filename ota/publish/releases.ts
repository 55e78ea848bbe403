/** What a repository offers: releases, and what each tour has ordered of them. */
import { BoxError } from '../../runtime/core/errors.js'
import type { Keys } from '../../runtime/ports/keys.js'
import type { PublicFolder } from '../../runtime/ports/public-folder.js'
import { checkOsDescription, type OsDescription, objectsOf } from '../os/os-description.js'
import {
  type Architecture,
  architectures,
  checkDescription,
  checkOrder,
  descriptionTarget,
  PIECE_BYTES,
  type ReleaseDescription,
  type TourOrder,
} from '../release/description.js'
import { listed } from './described.js'
import { fileBytes, jsonOf, type TargetFile, type Targets } from './documents.js'
import type { Outcome, Publisher } from './publisher.js'
import { toursOf } from './role-names.js'
import { OBJECTS, RELEASES, SYSTEMS, tourRole } from './roles.js'
import { type RepositoryState, targetFileName } from './state.js'

export const DESCRIPTION_FILE = 'description.json'
export const DESCRIPTION_BYTES_MAX = 1024 * 1024

export type TargetTable = Targets['targets']

/**
 * @param built what `roadcase release build` has made: description.json and objects/
 * @throws BoxError `release.invalid` for objects that are not as described; `release.conflict` for a version that was
 * published with another content: a release never changes
 */
export async function publishRelease(
  publisher: Publisher,
  built: PublicFolder,
  keys: Keys,
): Promise<{ readonly outcome: Outcome; readonly description: ReleaseDescription }> {
  const state = await publisher.state()
  const bytes = await built.read(DESCRIPTION_FILE, DESCRIPTION_BYTES_MAX)
  if (bytes === null)
    throw invalid(
      `there is no ${DESCRIPTION_FILE} in this folder: give the one that "roadcase release build" was told to write into`,
    )
  const description = checkDescription(jsonOf(bytes, DESCRIPTION_FILE))
  const path = descriptionTarget(description.architecture, description.version)
  const [releases, objects] = [tableOf(state, RELEASES), tableOf(state, OBJECTS)]
  const file = listed(path, bytes, { keys, table: releases, wallMs: publisher.wallMs })
  if (releases[path] !== undefined && releases[path] !== file)
    throw new BoxError(
      'release.conflict',
      `${path} is published already and is another one; a release never changes: give it another version`,
    )
  const added = await takeObjects(publisher, built, description.objects)
  await publisher.folder.write(targetFileName(path, file.hashes.sha256), [bytes])
  const outcome = await publisher.setTargets(
    state,
    new Map([
      [OBJECTS, sorted({ ...objects, ...added })],
      [RELEASES, sorted({ ...releases, [path]: file })],
    ]),
  )
  return { outcome, description }
}

type TransferObject = ReleaseDescription['objects'][number]

/** @throws BoxError `release.invalid` for one that is not as described */
export async function takeObjects(
  publisher: Publisher,
  built: PublicFolder,
  objects: readonly TransferObject[],
): Promise<TargetTable> {
  const added: TargetTable = {}
  for (const object of objects) added[object.target] = await takeObject(publisher, built, object)
  return added
}

async function takeObject(
  { folder }: Publisher,
  built: PublicFolder,
  object: TransferObject,
): Promise<TargetFile> {
  const { target, sha256, byteCount } = object
  if (target !== `objects/${sha256}.${object.kind}`)
    throw invalid(`${target} is not named for its digest and kind`)
  const file = targetFileName(target, sha256)
  // What is there and right stays: boxes may just be fetching it.
  if ((await problemOf(folder, file, object)) !== null) {
    await folder.write(file, built.stream(target))
    const problem = await problemOf(folder, file, object)
    if (problem !== null) {
      await folder.remove(file)
      throw invalid(`${target} ${problem}: build the release again`)
    }
  }
  return { length: byteCount, hashes: { sha256 } }
}

/** Null when a file is what an object was described to be. */
async function problemOf(
  folder: PublicFolder,
  file: string,
  { byteCount, sha256, pieces }: TransferObject,
): Promise<string | null> {
  const found = await folder.measure(file, PIECE_BYTES)
  if (found === null) return 'is missing'
  if (found.byteCount !== byteCount)
    return `has ${found.byteCount} bytes, described were ${byteCount}`
  if (found.sha256 !== sha256) return 'has another digest than was described'
  return base64Of(found.pieces) === pieces ? null : 'has other pieces than were described'
}

/** What the boxes of a tour shall run, from now on. */
export async function setOrder(publisher: Publisher, keys: Keys, value: unknown): Promise<Outcome> {
  const state = await publisher.state()
  const { role, added } = await writeOrder(publisher, state, keys, value)
  return publisher.setTargets(state, new Map([[role, { ...tableOf(state, role), ...added }]]))
}

/** Puts an order where it is found once it is signed. @throws BoxError `release.invalid` for what is not published */
export async function writeOrder(
  { folder, wallMs }: Publisher,
  state: RepositoryState,
  keys: Keys,
  value: unknown,
): Promise<{ readonly role: string; readonly added: TargetTable }> {
  const order = checkOrder(value)
  const role = tourRole(order.tour)
  if (!state.delegated.has(role))
    throw invalid(
      `there is no tour ${order.tour}; there are: ${toursOf(state)} ("roadcase release tour" lets one order)`,
    )
  const releases = tableOf(state, RELEASES)
  for (const architecture of architectures) {
    const version = order.releases[architecture]
    if (version !== undefined && releases[descriptionTarget(architecture, version)] === undefined)
      throw invalid(`${version} is not published for ${architecture}`)
  }
  const path = orderTarget(order.tour)
  const bytes = fileBytes(order)
  const file = listed(path, bytes, { keys, table: tableOf(state, role), wallMs })
  await folder.write(targetFileName(path, file.hashes.sha256), [bytes])
  return { role, added: { [path]: file } }
}

export const orderTarget = (tour: string): string => `tours/${tour}/order.json`

/** Takes a release back: boxes that have it keep it, no other gets it. @throws BoxError `release.conflict` */
export async function removeRelease(
  publisher: Publisher,
  version: string,
  only: Architecture | null,
): Promise<Outcome> {
  const state = await publisher.state()
  const releases = tableOf(state, RELEASES)
  const paths = architectures
    .filter(architecture => only === null || architecture === only)
    .map(architecture => descriptionTarget(architecture, version))
    .filter(path => releases[path] !== undefined)
  if (paths.length === 0) throw invalid(`${version} is not published`)
  for (const order of await ordersOf(publisher.folder, state))
    for (const architecture of architectures)
      if (
        order.releases[architecture] === version &&
        paths.includes(descriptionTarget(architecture, version))
      )
        throw new BoxError(
          'release.conflict',
          `tour ${order.tour} has ordered ${version} for ${architecture}: order another one first`,
        )
  const left = Object.fromEntries(
    Object.entries(releases).filter(([path]) => !paths.includes(path)),
  )
  return publisher.setTargets(
    state,
    new Map([
      [RELEASES, left],
      [OBJECTS, await neededObjects(publisher.folder, state, new Map([[RELEASES, left]]))],
    ]),
  )
}

/** The objects that something is made of, of what will be published. @param next by role: other tables than those of now */
export async function neededObjects(
  folder: PublicFolder,
  state: RepositoryState,
  next: ReadonlyMap<string, TargetTable>,
): Promise<TargetTable> {
  const listed = (role: string) =>
    Object.entries(next.get(role) ?? state.delegated.get(role)?.signed.targets ?? {})
  const needed = new Set<string>()
  for (const [path, file] of listed(RELEASES))
    for (const { target } of (await readDescription(folder, path, file)).objects) needed.add(target)
  for (const [path, file] of listed(SYSTEMS))
    for (const { target } of objectsOf(await readOsDescription(folder, path, file)))
      needed.add(target)
  const objects = Object.entries(tableOf(state, OBJECTS)).filter(([path]) => needed.has(path))
  return Object.fromEntries(objects)
}

export const readDescription = async (
  folder: PublicFolder,
  path: string,
  file: TargetFile,
): Promise<ReleaseDescription> => checkDescription(await readJson(folder, path, file))

export const readOsDescription = async (
  folder: PublicFolder,
  path: string,
  file: TargetFile,
): Promise<OsDescription> => checkOsDescription(await readJson(folder, path, file))

/** @throws BoxError `release.invalid` for a target that is missing; ConfigError for one that is no JSON */
export const readJson = async (
  folder: PublicFolder,
  path: string,
  file: TargetFile,
): Promise<unknown> => jsonOf(await readTarget(folder, path, file), path)

/** @throws BoxError `release.invalid` for one that is missing, or not what was signed */
export async function readTarget(
  folder: PublicFolder,
  path: string,
  { hashes }: TargetFile,
): Promise<Uint8Array> {
  const file = targetFileName(path, hashes.sha256)
  const bytes = await folder.read(file, DESCRIPTION_BYTES_MAX)
  if (bytes === null) throw invalid(`${path} is missing`)
  const found = await folder.measure(file, PIECE_BYTES)
  if (found?.sha256 !== hashes.sha256) throw invalid(`${path} is not what was signed`)
  return bytes
}

export async function ordersOf(
  folder: PublicFolder,
  { delegated }: RepositoryState,
): Promise<readonly TourOrder[]> {
  const orders: TourOrder[] = []
  for (const [role, { signed }] of delegated) {
    const path = orderTarget(role.replace(/^tour-/, ''))
    const file = signed.targets[path]
    if (!role.startsWith('tour-') || file === undefined) continue
    orders.push(checkOrder(await readJson(folder, path, file)))
  }
  return orders
}

/** @throws BoxError `release.invalid` for a role that there is not */
export function tableOf({ delegated }: RepositoryState, role: string): TargetTable {
  const document = delegated.get(role)
  if (document === undefined) throw invalid(`there is no role ${role} in this repository`)
  return document.signed.targets
}

export const sorted = (table: TargetTable): TargetTable =>
  Object.fromEntries(Object.entries(table).sort(([one], [other]) => (one < other ? -1 : 1)))

const base64Of = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

export const invalid = (message: string): BoxError => new BoxError('release.invalid', message)
