/** What a repository has, and what is ordered of it: for people who ask, and for programs. */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { PublicFolder } from '../../runtime/ports/public-folder.js'
import type { Architecture, TourOrder } from '../release/description.js'
import { momentMs } from '../release/moments.js'
import { compareVersions } from '../release/version-order.js'
import { DAY_MS } from './commit.js'
import { describedIn, tellingOf } from './described.js'
import type { TargetFile } from './documents.js'
import { invalid, ordersOf, readTarget } from './releases.js'
import { RELEASES, SYSTEMS, TOUR_PREFIX } from './roles.js'
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
  /** Whether its orders are what was signed; where not, nothing of them is told. */
  readonly isReadable: boolean
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
  /** What cannot be read, or is not what was signed, in words; the rest is told all the same. */
  readonly problems: readonly string[]
}

export async function overviewOf(
  folder: PublicFolder,
  state: RepositoryState,
  wallMs: number,
): Promise<RepositoryOverview> {
  const problems: string[] = []
  const tours = await toursIn(folder, state, wallMs, problems)
  const releases: OfferedRelease[] = []
  const systems: OfferedSystem[] = []
  for (const [path, file] of listedBy(state, RELEASES)) {
    const described = await readable(problems, async () => toldBy(folder, path, file))
    if (described?.kind !== 'release') continue
    const { version, architecture, boards, byteCount, digest } = described
    const ordering = tours.filter(({ releases: wanted }) => wanted[architecture] === version)
    const own = { published: publishedIn(file), tours: ordering.map(({ tour }) => tour) }
    releases.push({ version, architecture, boards, byteCount, digest, ...own })
  }
  for (const [path, file] of listedBy(state, SYSTEMS)) {
    const described = await readable(problems, async () => toldBy(folder, path, file))
    if (described?.kind !== 'system') continue
    const { version, boards, byteCount } = described
    const board = path.split('/')[1] ?? ''
    const ordering = tours.filter(({ systems: wanted }) => wanted[board] === version)
    const own = { published: publishedIn(file), tours: ordering.map(({ tour }) => tour) }
    systems.push({ version, board, boards, byteCount, ...own })
  }
  releases.sort(newestFirst)
  systems.sort(newestFirst)
  return { releases, systems, tours, problems }
}

/** Null for what cannot be read, which goes to the problems. */
async function readable<T>(problems: string[], work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    problems.push(messageOf(error))
    return null
  }
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
  return telling.described
}

async function toursIn(
  folder: PublicFolder,
  state: RepositoryState,
  wallMs: number,
  problems: string[],
): Promise<TourOverview[]> {
  const tours: TourOverview[] = []
  for (const [role, document] of state.delegated) {
    if (!role.startsWith(TOUR_PREFIX)) continue
    const tour = role.slice(TOUR_PREFIX.length)
    // Of this tour alone: what of another one has rotten does not hide it.
    const alone = { ...state, delegated: new Map([[role, document]]) }
    const releases = await readable(problems, () => ordersOf(folder, alone))
    const systems = await readable(problems, () => osOrdersOf(folder, alone))
    const [order, { expires }] = [releases?.[0], document.signed]
    tours.push({
      ...{ tour, releases: { ...order?.releases }, activation: order?.activation ?? null },
      ...{ notes: order?.notes ?? '', expires, systems: systems?.[0]?.systems ?? {} },
      isReadable: releases !== null && systems !== null,
      daysLeft: Math.floor((momentMs(expires) - wallMs) / DAY_MS),
    })
  }
  return tours
}
