/** Whether what tours order is there. */
import { BoxError } from '../../runtime/core/errors.js'
import type { PublicFolder } from '../../runtime/ports/public-folder.js'
import {
  checkOsOrder,
  type OsOrder,
  osDescriptionTarget,
  osOrderTarget,
} from '../os/os-description.js'
import { checkOrder, type TourOrder } from '../release/description.js'
import type { Change } from './change.js'
import { targetIn } from './described.js'
import { jsonOf, type Targets } from './documents.js'
import { orderTarget, readTarget } from './releases.js'
import { RELEASES, SYSTEMS, TOUR_PREFIX } from './roles.js'
import type { RepositoryState } from './state.js'

type Table = Targets['targets']

export const lackingReleases = (orders: readonly TourOrder[], releases: Table): readonly string[] =>
  orders.flatMap(({ tour, releases: ordered }) =>
    Object.entries(ordered)
      .filter(([name, version]) => releases[`releases/${name}/${version}.json`] === undefined)
      .map(
        ([name, version]) => `tour ${tour} orders ${version} for ${name}, which is not published`,
      ),
  )

export const lackingSystems = (orders: readonly OsOrder[], systems: Table): readonly string[] =>
  orders.flatMap(({ tour, systems: wanted }) =>
    Object.entries(wanted)
      .filter(([board, version]) => systems[osDescriptionTarget(board, version)] === undefined)
      .map(
        ([board, version]) =>
          `tour ${tour} orders the operating system ${version} for ${board}, which is not published`,
      ),
  )

/**
 * A draft has waited, and others have published meanwhile: what it orders may have gone, or what it takes back be ordered.
 * @throws BoxError `release.conflict`
 */
export async function requireOrdered(
  folder: PublicFolder,
  state: RepositoryState | null,
  { roles, documents }: Change,
): Promise<void> {
  const after = new Map([...(state?.delegated ?? []), ...roles])
  const tableOf = (role: string): Table => after.get(role)?.signed.targets ?? {}
  const isEveryone = roles.has(RELEASES) || roles.has(SYSTEMS)
  const [orders, systems]: [TourOrder[], OsOrder[]] = [[], []]
  for (const role of (isEveryone ? after : roles).keys()) {
    if (!role.startsWith(TOUR_PREFIX)) continue
    const tour = role.slice(TOUR_PREFIX.length)
    const orderIn = async (path: string): Promise<unknown> => {
      const file = targetIn(tableOf(role), path)
      if (file === undefined) return null
      return jsonOf(documents.get(path) ?? (await readTarget(folder, path, file)), path)
    }
    const order = await orderIn(orderTarget(tour))
    if (order !== null) orders.push(checkOrder(order))
    const system = await orderIn(osOrderTarget(tour))
    if (system !== null) systems.push(checkOsOrder(system))
  }
  const lacks = [
    ...lackingReleases(orders, tableOf(RELEASES)),
    ...lackingSystems(systems, tableOf(SYSTEMS)),
  ]
  if (lacks.length > 0)
    throw new BoxError('release.conflict', `${lacks.join('\n')}: make the draft again`)
}
