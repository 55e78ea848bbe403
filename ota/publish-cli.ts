/** What `roadcase release publish` and its neighbours are made of: a repository on this machine, and the keys for it. */
import { existsSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { LinuxClock, ownAnchor } from '../drivers/linux/clock.js'
import { LinuxFiles } from '../drivers/linux/files.js'
import { LinuxKeys } from '../drivers/linux/keys.js'
import { onePublisher } from '../drivers/linux/one-publisher.js'
import { LinuxPublicFolder } from '../drivers/linux/public-folder.js'
import { assert, BoxError, messageOf } from '../runtime/core/errors.js'
import { spokenKeyid } from './keys/keyid.js'
import type { KeyRing } from './keys/ring.js'
import { type KeySource, namesOf, openRing, readBytes } from './keys-cli.js'
import type { OsDescription } from './os/os-description.js'
import { isTopRole } from './publish/authority.js'
import { readDraft } from './publish/change.js'
import type { Days } from './publish/commit.js'
import type { RoleKeys } from './publish/documents.js'
import { draftWords, missingWords } from './publish/draft-words.js'
import { type Expiring, expiringIn } from './publish/expiring.js'
import { overviewOf, type RepositoryOverview } from './publish/overview.js'
import { type Outcome, Publisher } from './publish/publisher.js'
import { publishRelease, removeRelease } from './publish/releases.js'
import { roleNamed } from './publish/role-names.js'
import type { Holders } from './publish/roles.js'
import { loadRepository, type RepositoryState } from './publish/state.js'
import { isSystem, type Orders, publishSystem, removeSystem, setOrders } from './publish/systems.js'
import { pruneRepository, type RepositoryReport, verifyRepository } from './publish/verify.js'
import type { Architecture, ReleaseDescription } from './release/description.js'

/** Names of keys, and how many must sign. */
export interface NamedHolders {
  readonly keys: readonly string[]
  readonly threshold: number
}

export interface InitOptions {
  readonly root: NamedHolders
  readonly targets: NamedHolders
  readonly snapshot: NamedHolders
  readonly timestamp: NamedHolders
  readonly releases: NamedHolders
  /** Why not more than half of root must sign; null where they must. */
  readonly whyWeaker: string | null
}

export interface RotateOptions {
  readonly roles: readonly string[]
  readonly add: readonly string[]
  /** Names, or ids of keys that are not in the ring. */
  readonly remove: readonly string[]
  /** Null: as it was. */
  readonly threshold: number | null
  readonly isOldKeyLost: boolean
  /** Why fewer shall sign than more than half; null where that is not so. */
  readonly whyWeaker: string | null
}

export interface PublishOptions {
  readonly repository: string
  readonly keys: KeySource
  readonly days: Days
  /** Where a draft goes when signatures are missing. */
  readonly draftFile: string
  /** Milliseconds since the Unix epoch; absent: of this machine. */
  readonly wallMs?: () => number
}

export interface Told {
  readonly isPublished: boolean
  readonly draftFile: string | null
  readonly words: readonly string[]
  /** What the draft is for that another command has left here; empty where there is none. */
  readonly waiting: readonly string[]
  /** What of the repository ends soon. */
  readonly expiring: readonly Expiring[]
}

export interface Accepted extends Told {
  /** What the draft changes. */
  readonly changes: readonly string[]
  /** Whether its file is gone: what it said is in the repository. */
  readonly isDraftRemoved: boolean
}

/** Which roles are to be signed, and what is new, changed or gone in them. */
const DRAFT_NEWS = /^(\S+ \d+\b| {2}(new|changed|gone):)/

export class PublishTool {
  readonly #options: PublishOptions
  readonly #ring: KeyRing
  readonly #folder: LinuxPublicFolder
  readonly #publisher: Publisher

  constructor(options: PublishOptions) {
    this.#options = options
    this.#ring = openRing(options.keys)
    this.#folder = new LinuxPublicFolder(options.repository)
    const clock = new LinuxClock(ownAnchor())
    this.#publisher = new Publisher({
      folder: this.#folder,
      ring: this.#ring,
      keys: new LinuxKeys(),
      wallMs: options.wallMs ?? (() => clock.wallTimeMs()),
      days: options.days,
    })
  }

  init(options: InitOptions): Promise<Told> {
    return this.#alone(async () =>
      this.#publisher.init({
        root: await this.#holders(options.root),
        targets: await this.#holders(options.targets),
        snapshot: await this.#holders(options.snapshot),
        timestamp: await this.#holders(options.timestamp),
        releases: await this.#holders(options.releases),
        whyWeaker: options.whyWeaker,
      }),
    )
  }

  rotate({ roles, isOldKeyLost, whyWeaker, ...change }: RotateOptions): Promise<Told> {
    return this.#alone(async () => {
      const holders = new Map<string, Holders>()
      const state = await this.#publisher.state()
      for (const role of roles.map(name => roleNamed(state, name)))
        holders.set(role, await this.#holdersAfter(state, role, change))
      return this.#publisher.rotate({ holders, isOldKeyLost, whyWeaker })
    })
  }

  /** What `release build` or `release build-os` has made. */
  publish(
    folder: string,
  ): Promise<Told & { readonly description: ReleaseDescription | OsDescription | null }> {
    const built = new LinuxPublicFolder(folder)
    let description: ReleaseDescription | OsDescription | null = null
    return this.#alone(async () => {
      const publish = (await isSystem(built)) ? publishSystem : publishRelease
      const done = await publish(this.#publisher, built, new LinuxKeys())
      description = done.description
      return done.outcome
    }).then(told => ({ ...told, description }))
  }

  order(orders: Orders): Promise<Told> {
    return this.#alone(() => setOrders(this.#publisher, new LinuxKeys(), orders))
  }

  systems(holders: NamedHolders): Promise<Told> {
    return this.#alone(async () => this.#publisher.addSystems(await this.#holders(holders)))
  }

  removeSystem(version: string, board: string): Promise<Told> {
    return this.#alone(() => removeSystem(this.#publisher, version, board))
  }

  tour(tour: string, holders: NamedHolders): Promise<Told> {
    return this.#alone(async () => this.#publisher.addTour(tour, await this.#holders(holders)))
  }

  endTour(tour: string): Promise<Told> {
    return this.#alone(() => this.#publisher.endTour(tour))
  }

  refresh(isForced: boolean): Promise<Told> {
    return this.#alone(() => this.#publisher.refresh(isForced))
  }

  renew(roles: readonly string[]): Promise<Told> {
    return this.#alone(async () => {
      const state = await this.#publisher.state()
      return this.#publisher.renew(roles.map(name => roleNamed(state, name)))
    })
  }

  /** The draft goes once it is published: the next one needs its place. */
  async accept(file: string): Promise<Accepted> {
    const bytes = await readBytes(file)
    const nameOf = await namesOf(this.#ring)
    const changes = draftWords(readDraft(bytes, this.#ring), nameOf)
    const told = await this.#alone(() => this.#publisher.accept(bytes), file)
    return { ...told, changes, isDraftRemoved: told.draftFile === null && (await isRemoved(file)) }
  }

  remove(version: string, only: Architecture | null): Promise<Told> {
    return this.#alone(() => removeRelease(this.#publisher, version, only))
  }

  async prune(): Promise<readonly string[]> {
    const release = await onePublisher(this.#options.repository)
    try {
      return await pruneRepository(this.#folder)
    } finally {
      release()
    }
  }

  async overview(): Promise<RepositoryOverview> {
    const { wallMs } = this.#publisher
    return overviewOf(this.#folder, await this.#publisher.state(), wallMs)
  }

  verify(): Promise<RepositoryReport> {
    return verifyRepository(this.#folder, this.#publisher.wallMs)
  }

  /** Of what is published now; none before the first ceremony is over. */
  async expiring(): Promise<readonly Expiring[]> {
    const state = await loadRepository(this.#folder)
    return state === null ? [] : expiringIn(state, this.#publisher.wallMs)
  }

  /**
   * Two at a time would write over each other.
   * @param accepted the draft that the work begins with: what comes out has its signatures, and may take its place
   */
  async #alone(work: () => Promise<Outcome>, accepted: string | null = null): Promise<Told> {
    const release = await onePublisher(this.#options.repository)
    try {
      const { isPublished, draft, words } = await work()
      const { draftFile } = this.#options
      const isTaken = existsSync(draftFile)
      const expiring = await this.expiring()
      if (draft === null) {
        const waiting = isTaken && accepted === null ? await this.#waiting('for signatures') : []
        return { isPublished, draftFile: null, words, waiting, expiring }
      }
      const file = isTaken && accepted !== null ? accepted : draftFile
      if (isTaken && accepted === null) {
        const how = 'already, have it signed and accepted, delete it, or name another with --draft'
        throw new BoxError('release.conflict', (await this.#waiting(how)).join('\n  '))
      }
      await new LinuxFiles(dirname(resolve(file))).replace(basename(file), draft)
      return { isPublished, draftFile: file, words, waiting: [], expiring }
    } finally {
      release()
    }
  }

  /** What the draft that lies there is for, and for whom. */
  async #waiting(how: string): Promise<readonly string[]> {
    const { draftFile } = this.#options
    const nameOf = await namesOf(this.#ring)
    try {
      const change = readDraft(await readBytes(draftFile), this.#ring)
      const titles = draftWords(change, nameOf).filter(line => DRAFT_NEWS.test(line))
      return [`${draftFile} waits ${how}`, ...titles, ...missingWords(change, nameOf)]
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      return [`${draftFile} is there, and is no draft: ${messageOf(error)}`]
    }
  }

  async #holders({ keys, threshold }: NamedHolders): Promise<Holders> {
    return { keys: await Promise.all(keys.map(name => this.#ring.named(name))), threshold }
  }

  async #holdersAfter(
    state: RepositoryState,
    role: string,
    { add, remove, threshold }: Pick<RotateOptions, 'add' | 'remove' | 'threshold'>,
  ): Promise<Holders> {
    const before = keysOf(state, role)
    const gone = await Promise.all(remove.map(name => this.#keyidOf(name)))
    const added = await Promise.all(add.map(name => this.#ring.named(name)))
    // The command that was cut off after its first file is given again: what is done already is no mistake.
    const isDone = added.length > 0 && added.every(({ keyid }) => before.keyids.includes(keyid))
    for (const keyid of gone)
      if (!isDone && !before.keyids.includes(keyid))
        throw new BoxError('key.absent', `${spokenKeyid(keyid)} is not a key of ${role}`)
    const kept = before.keys.filter(
      ({ keyid }) => !gone.includes(keyid) && !added.some(key => key.keyid === keyid),
    )
    return { keys: [...kept, ...added], threshold: threshold ?? before.threshold }
  }

  async #keyidOf(name: string): Promise<string> {
    return /^[0-9a-f]{64}$/.test(name) ? name : (await this.#ring.named(name)).keyid
  }
}

function keysOf({ root, targets }: RepositoryState, role: string): RoleKeys & Holders {
  const found = isTopRole(role)
    ? root.signed.roles[role]
    : targets.signed.delegations?.roles.find(({ name }) => name === role)
  assert(found !== undefined, 'who names a role has looked for it')
  const table = { ...targets.signed.delegations?.keys, ...root.signed.keys }
  const keys = found.keyids.flatMap(keyid => {
    const key = table[keyid]
    return key === undefined
      ? []
      : [{ name: keyid, keyid, key, place: { in: 'elsewhere' } as const }]
  })
  return { keyids: found.keyids, threshold: found.threshold, keys }
}

/** Should it stay, it only stands in the way of the next one. */
async function isRemoved(file: string): Promise<boolean> {
  try {
    await new LinuxFiles(dirname(resolve(file))).remove(basename(file))
    return true
  } catch (error) {
    if (error instanceof BoxError) return false
    throw error
  }
}
