/** What a repository offers of operating systems, and what each tour has ordered of them. */
import { BoxError } from '../../runtime/core/errors.js'
import type { Keys } from '../../runtime/ports/keys.js'
import type { PublicFolder } from '../../runtime/ports/public-folder.js'
import {
  checkOsDescription,
  checkOsOrder,
  type OsDescription,
  type OsOrder,
  objectsOf,
  osDescriptionTarget,
  osOrderTarget,
} from '../os/os-description.js'
import { listed } from './described.js'
import { fileBytes, jsonOf } from './documents.js'
import type { Outcome, Publisher } from './publisher.js'
import {
  DESCRIPTION_BYTES_MAX,
  DESCRIPTION_FILE,
  invalid,
  neededObjects,
  readJson,
  sorted,
  type TargetTable,
  tableOf,
  takeObjects,
  writeOrder,
} from './releases.js'
import { OBJECTS, SYSTEMS, tourRole } from './roles.js'
import { type RepositoryState, targetFileName } from './state.js'

/** Whether it is an operating system that was built there, and no release. */
export async function isSystem(built: PublicFolder): Promise<boolean> {
  const bytes = await built.read(DESCRIPTION_FILE, DESCRIPTION_BYTES_MAX)
  const described = bytes === null ? null : jsonOf(bytes, DESCRIPTION_FILE)
  const isFields = typeof described === 'object' && described !== null && 'product' in described
  return isFields && described.product === 'roadcase-os'
}

/**
 * @param built what `roadcase release build-os` has made
 * @throws BoxError `release.invalid`, `release.conflict` for a version that was published with another content
 */
export async function publishSystem(
  publisher: Publisher,
  built: PublicFolder,
  keys: Keys,
): Promise<{ readonly outcome: Outcome; readonly description: OsDescription }> {
  const state = await publisher.state()
  const bytes = await built.read(DESCRIPTION_FILE, DESCRIPTION_BYTES_MAX)
  if (bytes === null) throw invalid(`there is no ${DESCRIPTION_FILE} in this folder`)
  const description = checkOsDescription(jsonOf(bytes, DESCRIPTION_FILE))
  const { version, boards } = description
  const systems = systemsOf(state)
  const added: TargetTable = {}
  for (const board of boards) {
    const path = osDescriptionTarget(board, version)
    const file = listed(path, bytes, { keys, table: systems, wallMs: publisher.wallMs })
    if (systems[path] !== undefined && systems[path] !== file)
      throw new BoxError(
        'release.conflict',
        `${path} is published already and is another one; it never changes: give it another version`,
      )
    added[path] = file
  }
  const objects = await takeObjects(publisher, built, objectsOf(description))
  for (const [path, file] of Object.entries(added))
    await publisher.folder.write(targetFileName(path, file.hashes.sha256), [bytes])
  const outcome = await publisher.setTargets(
    state,
    new Map([
      [OBJECTS, sorted({ ...tableOf(state, OBJECTS), ...objects })],
      [SYSTEMS, sorted({ ...systems, ...added })],
    ]),
  )
  return { outcome, description }
}

export interface Orders {
  readonly tour: string
  /** The releases that its boxes shall run; undefined: as before. */
  readonly releases: unknown
  /** The operating systems by board; undefined: as before; null: none. */
  readonly systems: unknown
}

/** Both at once, or one of them: what is left out stands as it was. @throws BoxError `release.invalid` */
export async function setOrders(
  publisher: Publisher,
  keys: Keys,
  { tour, releases, systems }: Orders,
): Promise<Outcome> {
  const state = await publisher.state()
  const role = tourRole(tour)
  const { [osOrderTarget(tour)]: before, ...others } = tableOf(state, role)
  const ordered = releases === undefined ? null : await writeOrder(publisher, state, keys, releases)
  const kept = systems === undefined && before !== undefined
  const beside = kept
    ? { [osOrderTarget(tour)]: before }
    : await writeOsOrder(publisher, state, keys, { tour, systems: systems ?? null })
  const next = sorted({ ...others, ...ordered?.added, ...beside })
  return publisher.setTargets(state, new Map([[role, next]]))
}

async function writeOsOrder(
  { folder, wallMs }: Publisher,
  state: RepositoryState,
  keys: Keys,
  { tour, systems }: { readonly tour: string; readonly systems: unknown },
): Promise<TargetTable> {
  if (systems === null) return {}
  const order = checkOsOrder({ format: 1, tour, systems })
  const published = state.delegated.get(SYSTEMS)?.signed.targets ?? {}
  for (const [board, version] of Object.entries(order.systems))
    if (published[osDescriptionTarget(board, version)] === undefined)
      throw invalid(`the operating system ${version} is not published for ${board}`)
  const bytes = fileBytes(order)
  const path = osOrderTarget(tour)
  const file = listed(path, bytes, { keys, table: tableOf(state, tourRole(tour)), wallMs })
  await folder.write(targetFileName(path, file.hashes.sha256), [bytes])
  return { [path]: file }
}

/** Takes a system back for one board: boxes that have it keep it. @throws BoxError `release.conflict`, `release.invalid` */
export async function removeSystem(
  publisher: Publisher,
  version: string,
  board: string,
): Promise<Outcome> {
  const state = await publisher.state()
  const path = osDescriptionTarget(board, version)
  const { [path]: gone, ...left } = systemsOf(state)
  if (gone === undefined)
    throw invalid(`the operating system ${version} is not published for ${board}`)
  for (const { tour, systems } of await osOrdersOf(publisher.folder, state))
    if (systems[board] === version)
      throw new BoxError(
        'release.conflict',
        `tour ${tour} has ordered the operating system ${version} for ${board}: order another one first`,
      )
  const next = new Map([[SYSTEMS, left]])
  const objects = await neededObjects(publisher.folder, state, next)
  return publisher.setTargets(state, new Map([...next, [OBJECTS, objects]]))
}

/** @throws BoxError `release.invalid` with what to do where nobody may sign operating systems */
function systemsOf(state: RepositoryState): TargetTable {
  const document = state.delegated.get(SYSTEMS)
  if (document !== undefined) return document.signed.targets
  throw invalid(
    'nobody may sign operating systems in this repository yet: "roadcase release os --key <names>"',
  )
}

export async function osOrdersOf(
  folder: PublicFolder,
  { delegated }: RepositoryState,
): Promise<readonly OsOrder[]> {
  const orders: OsOrder[] = []
  for (const [role, { signed }] of delegated) {
    const path = osOrderTarget(role.replace(/^tour-/, ''))
    const file = signed.targets[path]
    if (role.startsWith('tour-') && file !== undefined)
      orders.push(checkOsOrder(await readJson(folder, path, file)))
  }
  return orders
}
