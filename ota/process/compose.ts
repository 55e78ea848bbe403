/** The parts of the updater, put together: from the general to the particular, as `runtime/box.ts` does for the box. */
import { join } from 'node:path'
import type { LinuxClock } from '../../drivers/linux/clock.js'
import { LinuxFiles } from '../../drivers/linux/files.js'
import { HttpSource } from '../../drivers/linux/http-source.js'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { LinuxPieceStore } from '../../drivers/linux/piece-store.js'
import { WebPieceSource } from '../../drivers/linux/piece-web.js'
import { LinuxPrograms } from '../../drivers/linux/programs.js'
import { openLibcOrNot } from '../../drivers/linux/real-time.js'
import { LinuxSlotDisk } from '../../drivers/linux/slot-disk.js'
import { linuxSpace } from '../../drivers/linux/space.js'
import { LinuxVerifier } from '../../drivers/linux/verifier.js'
import { BoxError } from '../../runtime/core/errors.js'
import type { Service } from '../../runtime/core/lifecycle.js'
import type { Log } from '../../runtime/ports/log.js'
import type { PieceSource } from '../../runtime/ports/piece-source.js'
import { floorWallMs } from '../../runtime/version.js'
import { Fetcher } from '../fetch/fetcher.js'
import { Shelf } from '../fetch/shelf.js'
import { type Architecture, architectures } from '../release/description.js'
import { PREVIOUS_LAUNCHER_FILE } from '../slots/launcher-update.js'
import { SlotAgent } from '../slots/slot-agent.js'
import type { SlotName } from '../slots/slot-state.js'
import { TrustClient } from '../tuf/trust-client.js'
import { Asked } from '../updater/asked.js'
import type { ControlledSystems, ControlledUpdater } from '../updater/control.js'
import { Holds } from '../updater/holds.js'
import type { Orders } from '../updater/parts.js'
import { type NamedSource, SwitchedSource, TourOrders } from '../updater/tour-orders.js'
import { Updater } from '../updater/updater.js'
import { Audit } from './audit.js'
import { BoxDoor } from './box-door.js'
import { BoxLink } from './box-link.js'
import { launcherLink } from './launcher-link.js'
import { LauncherRenewal } from './launcher-renewal.js'
import { readOwnRelease, type Settings } from './settings.js'
import { ProcessSlots } from './slots.js'
import { Sticks } from './sticks.js'
import { surroundingsOf } from './surroundings.js'
import { type ComposedSystems, composeSystems } from './systems.js'
import { openVenue } from './venue.js'

export interface Composition {
  readonly home: string
  readonly slot: SlotName | null
  readonly stateFolder: string
  readonly releaseFolder: string
  readonly version: string
  readonly applyScript: string
  readonly settings: Settings
  readonly clock: LinuxClock
  readonly log: Log
  /** To the launcher. */
  readonly send: (message: object) => void
}

export interface ComposedUpdater {
  readonly control: ControlledUpdater
  /** Null where no operating system is updated. */
  readonly systems: ControlledSystems | null
  start(): Promise<void>
  stop(): Promise<void>
}

/** A server that drips holds nobody for longer. */
const HTTP_LIMITS = { silenceMsMax: 20_000, wholeMsMax: 120_000 }
const GIVE_UP_MS = 10 * 60_000

export async function composeUpdater(wanted: Composition): Promise<ComposedUpdater> {
  const { home, settings, clock, log } = wanted
  const { config } = settings
  const keys = new LinuxKeys()
  const own = await readOwnRelease(wanted.releaseFolder)
  const files = new LinuxFiles(join(home, 'ota'))
  let isAskedFor = (): boolean => false
  const sticks = new Sticks(config.sticks)
  const fetching = openFetching(wanted, {
    ...{ keys, files, sticks, isAskedFor: () => isAskedFor() },
    isSystemAskedFor: () => systems.isAskedFor(),
  })
  const { door, shelf, venue, fetcher, objectsFolder } = fetching
  const calls = await openLibcOrNot()
  const disk = new LinuxSlotDisk(home, calls)
  const kept = shelfOf(() => systems)
  const { agent, slots } = openSlots(wanted, { keys, disk, fetcher, shelf: kept, objectsFolder })
  const box = new BoxLink(clock, door, { gate: config.gate, files })
  const holds = new Holds(clock, files)
  const fleet = (digest: string | null) => venue?.fleet(digest) ?? null
  const options = { config, ...selfOf(own, wanted.version) }
  const systems: ComposedSystems = composeSystems(
    {
      ...{ clock, log, keys, disk, calls, box, holds, slots, fetcher, shelf },
      asked: new Asked(files, log, 'asked-os.json'),
      voice: venue?.systems ?? null,
      lookAgain: () => updater.lookBeside(),
      freeBytes: () => linuxSpace.free(home),
      ...{ home, environment: process.env },
    },
    options,
  )
  const together = venue?.together(slots) ?? null
  const updater = new Updater(
    {
      ...{ clock, log, slots, box, holds, fleet, together, os: systems.turns },
      asked: new Asked(files, log),
      launcher: launcherLink(wanted.send),
      orders: systems.hear(
        await ordersOf(wanted, {
          ...{ keys, sticks, buildMs: buildMsOf(own), isUtcKnown: () => box.isUtcKnown() },
          board: () => door.answer(Number.MAX_SAFE_INTEGER)?.board ?? null,
        }),
      ),
    },
    // Where nothing can be asked, the first look says why.
    { ...options, chance: settings.lacking === null ? (keys.randomBytes(1)[0] ?? 0) / 256 : 0 },
  )
  isAskedFor = () => updater.isAskedFor()
  const parts: readonly Service[] = [
    ...(venue?.services ?? []),
    updater,
    new Audit(clock, log, {
      care: agent.care,
      around: surroundingsOf(wanted, { updater, box, together }),
    }),
    new LauncherRenewal(clock, log, agent),
  ]
  return {
    control: updater,
    systems: systems.control,
    start: async () => {
      for (const part of parts) await startOrTell(part, log)
    },
    stop: async () => {
      for (const part of parts.toReversed()) await part.stop()
      await systems.stop()
      await shelf.closeAll()
    },
  }
}

/** The slots are made before the systems, which ask them. */
const shelfOf = (systems: () => ComposedSystems): ComposedSystems['shelf'] => ({
  keepOnly: wanted => systems().shelf.keepOnly(wanted),
  heldByteCounts: wanted => systems().shelf.heldByteCounts(wanted),
})

function openSlots(
  { home, slot, clock, log, applyScript }: Composition,
  parts: {
    readonly keys: LinuxKeys
    readonly fetcher: Fetcher
    readonly shelf: ComposedSystems['shelf']
    readonly disk: LinuxSlotDisk
    readonly objectsFolder: string
  },
): { readonly agent: SlotAgent; readonly slots: ProcessSlots } {
  const { keys, disk, fetcher, shelf, objectsFolder } = parts
  const programs = new LinuxPrograms(clock, { home, environment: process.env })
  const started = {
    slot,
    isPassedOver: process.env['ROADCASE_PASSED_OVER'] === '1',
    isPreviousLauncher: process.env['ROADCASE_LAUNCHER_FILE'] === PREVIOUS_LAUNCHER_FILE,
  }
  const agent = new SlotAgent({ disk, keys, log, programs, clock }, started)
  const apply = { programs, clock, script: applyScript, folder: home }
  const slots = new ProcessSlots(
    { agent, fetcher, shelf, log, space: linuxSpace, apply },
    { home, objectsFolder },
  )
  return { agent, slots }
}

/** Where releases and operating systems come from, and lie until they are used. */
function openFetching(
  { home, settings, stateFolder, clock, log }: Composition,
  parts: {
    readonly keys: LinuxKeys
    readonly files: LinuxFiles
    readonly sticks: Sticks
    readonly isAskedFor: () => boolean
    readonly isSystemAskedFor: () => boolean
  },
) {
  const { config } = settings
  const { keys, files } = parts
  const door = new BoxDoor(clock, { stateFolder, tour: config.tour, box: config.box })
  const objectsFolder = join(home, 'ota/objects')
  const shelf = new Shelf(new LinuxPieceStore(objectsFolder), keys)
  const mayUseUplink = (): boolean =>
    !config.isMetered || config.policy.mayUseMetered || parts.isAskedFor()
  const mayFetchForAll = (): boolean => mayUseUplink() || parts.isSystemAskedFor()
  const about = {
    ...{ home, config, clock, log, keys, shelf, files, door },
    mayUseUplink: mayFetchForAll,
  }
  const venue = config.venue && openVenue({ ...about, venue: config.venue })
  const fetcher = new Fetcher(
    {
      clock,
      log,
      shelf,
      sources: pieceSources(settings, parts.sticks),
      neighbours: venue?.peers ?? null,
    },
    { seed: seedOf(keys), bytesPerSecond: () => null, mayUseUplink, giveUpMs: GIVE_UP_MS },
  )
  return { door, objectsFolder, shelf, venue, fetcher }
}

/** What does not start is missed; a release is not to be judged by it. */
async function startOrTell(part: Service, log: Log): Promise<void> {
  try {
    await part.start()
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    log.error('ota.part-failed', { part: part.name, error })
  }
}

/** @param version of a checkout, which says nothing of itself */
function selfOf(
  own: Awaited<ReturnType<typeof readOwnRelease>>,
  version: string,
): { readonly version: string; readonly architecture: Architecture } {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64'
  return {
    version: own?.version ?? version,
    architecture: architectures.find(one => one === own?.architecture) ?? architecture,
  }
}

const buildMsOf = (own: { readonly sourceEpoch: number } | null): number =>
  Math.max(floorWallMs, 1000 * (own?.sourceEpoch ?? 0))

const seedOf = (keys: LinuxKeys): number =>
  new DataView(keys.randomBytes(4).slice().buffer).getUint32(0)

async function ordersOf(
  { home, settings, clock, log }: Composition,
  parts: {
    readonly keys: LinuxKeys
    readonly sticks: Sticks
    readonly buildMs: number
    readonly isUtcKnown: () => boolean
    readonly board: () => string | null
  },
): Promise<Orders> {
  const { config, root, lacking } = settings
  if (root === null || lacking !== null) {
    const look = { isFresh: false, words: lacking ?? 'nobody is believed', order: null }
    return { look: async () => look, recall: async () => look }
  }
  const switched = new SwitchedSource()
  const trust = new TrustClient(
    {
      source: switched,
      files: new LinuxFiles(join(home, 'ota/trust')),
      clock,
      verifier: new LinuxVerifier(),
      log,
    },
    { buildMs: parts.buildMs, provisionedRoot: root, keepsTime: parts.isUtcKnown },
  )
  const orders = new TourOrders(
    { trust, switched, files: new LinuxFiles(join(home, 'ota')), keys: parts.keys },
    {
      tour: config.tour,
      architecture: process.arch === 'arm64' ? 'arm64' : 'x64',
      board: config.os === null ? null : parts.board,
      // A stick first: whoever brought it wants it used.
      sources: async () => [...(await parts.sticks.look()), ...config.repositories.map(webSource)],
    },
  )
  // A store that cannot be read is a reason to take no release, and none to have no updater.
  let beginning: Promise<void> | null = null
  const begun = async (): Promise<TourOrders> => {
    beginning ??= trust.begin()
    await beginning.catch((error: unknown) => {
      beginning = null
      throw error
    })
    return orders
  }
  return {
    look: async () => (await begun()).look(),
    recall: async () => (await begun()).recall(),
  }
}

const webSource = (url: string): NamedSource => ({
  name: url,
  source: new HttpSource(url, HTTP_LIMITS),
})

/** Made once, so that their connections are kept. */
function pieceSources({ config }: Settings, sticks: Sticks): () => readonly PieceSource[] {
  const web = config.repositories.map(url => new WebPieceSource(url))
  return () => [...sticks.pieces(), ...web]
}
