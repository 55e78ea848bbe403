/** What a repository has, and what is ordered of it: for people who ask, and for programs. */
import type { PublicFolder } from '../../runtime/ports/public-folder.js'
import type { Architecture, TourOrder } from '../release/description.js'
import { momentMs } from '../release/moments.js'
import { compareVersions } from '../release/version-order.js'
import { DAY_MS } from './commit.js'
import { describedIn, tellingOf } from './described.js'
import type { TargetFile } from './documents.js'
import { invalid, ordersOf, readTarget } from './releases.js'
import { RELEASES, SYSTEMS, TOUR_PREFIX, tourRole } from './roles.js'
import type { RepositoryState } from './state.js'
import { osOrdersOf } from './systems.js'

interface Offered {
  readonly version: string
  /** Names of the boards that it is for; null: all of its architecture. */
  readonly boards: readonly string[] | null
  /** Of what a new box fetches. */
  readonly byteCount: number
  /** Null where nobody wrote it down. */
  readonly published: string | null
  /** Names of the tours that have ordered it. */
  readonly tours: readonly string[]
}

export interface OfferedRelease extends Offered {
  readonly architecture: Architecture
  readonly digest: string
}

/** One board of one operating system. */
export interface OfferedSystem extends Offered {
  readonly board: string
}

export interface TourOverview {
  readonly tour: string
  /** By architecture; empty where nothing is ordered yet. */
  readonly releases: TourOrder['releases']
  /** Null before the first order. */
  readonly activation: TourOrder['activation'] | null
  readonly notes: string
  /** By board. */
  readonly systems: Readonly<Record<string, string>>
  /** Until when boxes take it. */
  readonly expires: string
  readonly daysLeft: number
}

export interface RepositoryOverview {
  /** The newest first. */
  readonly releases: readonly OfferedRelease[]
  readonly systems: readonly OfferedSystem[]
  readonly tours: readonly TourOverview[]
}

/** @throws BoxError `release.invalid`, ConfigError for what is not of its form */
export async function overviewOf(
  folder: PublicFolder,
  state: RepositoryState,
  wallMs: number,
): Promise<RepositoryOverview> {
  const tours = await toursIn(folder, state, wallMs)
  const releases: OfferedRelease[] = []
  const systems: OfferedSystem[] = []
  for (const [path, file] of listedBy(state, RELEASES)) {
    const { described } = await toldBy(folder, path, file)
    if (described.kind !== 'release') continue
    const { version, architecture, boards, byteCount, digest } = described
    const ordering = tours.filter(({ releases: wanted }) => wanted[architecture] === version)
    const own = { published: publishedIn(file), tours: ordering.map(({ tour }) => tour) }
    releases.push({ version, architecture, boards, byteCount, digest, ...own })
  }
  for (const [path, file] of listedBy(state, SYSTEMS)) {
    const { described } = await toldBy(folder, path, file)
    if (described.kind !== 'system') continue
    const { version, boards, byteCount } = described
    const board = path.split('/')[1] ?? ''
    const ordering = tours.filter(({ systems: wanted }) => wanted[board] === version)
    const own = { published: publishedIn(file), tours: ordering.map(({ tour }) => tour) }
    systems.push({ version, board, boards, byteCount, ...own })
  }
  return { releases: releases.sort(newestFirst), systems: systems.sort(newestFirst), tours }
}

const listedBy = ({ delegated }: RepositoryState, role: string): [string, TargetFile][] =>
  Object.entries(delegated.get(role)?.signed.targets ?? {})

const publishedIn = (file: TargetFile): string | null => describedIn(file)?.published ?? null

const newestFirst = (one: Offered, other: Offered): number =>
  compareVersions(other.version, one.version)

/** By the target itself, not by what stands beside it. */
async function toldBy(folder: PublicFolder, path: string, file: TargetFile) {
  const telling = tellingOf(path, await readTarget(folder, path, file))
  if (telling === null) throw invalid(`${path} is no description`)
  return telling
}

async function toursIn(
  folder: PublicFolder,
  state: RepositoryState,
  wallMs: number,
): Promise<TourOverview[]> {
  const [orders, systems] = [await ordersOf(folder, state), await osOrdersOf(folder, state)]
  return [...state.delegated.keys()]
    .filter(role => role.startsWith(TOUR_PREFIX))
    .map(role => {
      const tour = role.slice(TOUR_PREFIX.length)
      const order = orders.find(one => one.tour === tour)
      const expires = state.delegated.get(tourRole(tour))?.signed.expires ?? ''
      return {
        ...{ tour, releases: { ...order?.releases }, activation: order?.activation ?? null },
        ...{ notes: order?.notes ?? '', expires },
        systems: systems.find(one => one.tour === tour)?.systems ?? {},
        daysLeft: Math.floor((momentMs(expires) - wallMs) / DAY_MS),
      }
    })
}
