/**
 * What a box believes now, and the rules by which something new replaces it (TUF 1.0, sections 5.2 to 5.6, without the
 * fetching). Every step that is passed is on the disk before the next begins.
 */
import type { Log } from '../../runtime/ports/log.js'
import type { Verifier } from '../../runtime/ports/verifier.js'
import type { Moment } from './dates.js'
import {
  type Floors,
  isRotated,
  NO_FLOORS,
  requireNewer,
  requireNoneOlder,
  requireRememberable,
  requireRootNotOlder,
  withIssued,
  withKeys,
  withoutRotated,
  withRoot,
  withSnapshot,
  withTimestamp,
} from './floors.js'
import {
  type Authority,
  type Described,
  type Document,
  type RootBody,
  readRoot,
  readSnapshot,
  readTargets,
  readTimestamp,
  type SnapshotBody,
  type TargetsBody,
  type TimestampBody,
} from './metadata.js'
import { Refusal, type Versions } from './outcome.js'
import { newestRoot } from './roots.js'
import { type Asked, requireTimely, requireVersion, tried } from './rules.js'
import { requireContent, requireSignatures } from './signatures.js'
import type { TrustStore } from './store.js'

interface Ports {
  readonly store: TrustStore
  readonly verifier: Verifier
  readonly log: Log
}

/** Timestamp, snapshot and targets that belong together. */
export interface Complete {
  readonly root: Document<RootBody>
  readonly snapshot: Document<SnapshotBody>
  readonly targets: Document<TargetsBody>
  readonly versions: Versions
}

export class Believed {
  readonly #ports: Ports
  #root: Document<RootBody>
  #timestamp: Document<TimestampBody> | null = null
  #snapshot: Document<SnapshotBody> | null = null
  #targets: Document<TargetsBody> | null = null
  #floors: Floors
  #savedFloors: string
  /** The root under which the rest was taken up. */
  #settledRoot: Document<RootBody> | null = null

  private constructor(ports: Ports, root: Document<RootBody>, floors: Floors | null) {
    this.#ports = ports
    this.#root = root
    this.#floors = floors ?? NO_FLOORS
    this.#savedFloors = JSON.stringify(floors)
  }

  /**
   * Section 5.2, and what was believed when the box was last on, as far as it can still be read and still holds.
   * @param provisionedRoot came with the box; what heals a store that has lost its own
   * @throws BoxError `trust.root` when there is no root to begin with, `storage.io`, `storage.full`
   */
  static async load(ports: Ports, provisionedRoot: Uint8Array): Promise<Believed> {
    const kept = await ports.store.roots()
    const root = newestRoot([...kept, provisionedRoot], ports)
    const believed = new Believed(ports, root, await ports.store.floors())
    if (root.bytes !== kept[0]) await ports.store.replaceRoot(root.bytes, null)
    await believed.settleKeys()
    // Lost floors: the date that was signed stands for the one that was known.
    if (believed.#savedFloors === 'null' && believed.#timestamp !== null)
      believed.#floors = withIssued(believed.#floors, believed.#timestamp, null)
    await believed.saveFloors()
    return believed
  }

  get floors(): Floors {
    return this.#floors
  }

  get root(): Document<RootBody> {
    return this.#root
  }

  /** What the timestamp says of the snapshot. */
  get snapshotDescribed(): Described | null {
    return this.#timestamp?.body.snapshot ?? null
  }

  /** Steps 4 to 8 of section 5.3. @throws Refusal, BoxError `storage.io`, `storage.full` */
  async acceptRoot(bytes: Uint8Array): Promise<void> {
    const next = readRoot(bytes)
    this.#requireSignatures(next, this.#root.body.authorities.root, 'root')
    this.#requireSignatures(next, next.body.authorities.root, 'root')
    if (next.version !== this.#root.version + 1)
      throw new Refusal(
        'wrong version',
        'root',
        `root is version ${next.version} where ${this.#root.version + 1} belongs`,
      )
    await this.#ports.store.replaceRoot(bytes, this.#root.bytes)
    this.#root = next
    this.#floors = withRoot(this.#floors, next)
  }

  /**
   * Step 11 of section 5.3: forgets what keys have vouched for that no longer count, and takes up what the others have.
   * Before step 10: a date that a stolen key has made up must not judge the root that takes the key away.
   * @throws BoxError `storage.io`, `storage.full`
   */
  async settleKeys(): Promise<void> {
    if (this.#settledRoot === this.#root || this.#root.version < this.#floors.root) return
    const { store, log } = this.#ports
    if (isRotated(this.#floors, this.#root.body)) {
      await store.remove('snapshot')
      await store.remove('timestamp')
      this.#floors = withoutRotated(this.#floors)
      log.warn('trust.rotated', { root: this.#root.version })
    }
    this.#floors = withKeys(withRoot(this.#floors, this.#root), this.#root.body)
    await this.#takeUp()
    this.#settledRoot = this.#root
  }

  /** Step 10 of section 5.3, when there is no newer root. @throws Refusal */
  requireRoot(moment: Moment): void {
    requireRootNotOlder(this.#floors, this.#root)
    requireTimely(this.#root, moment, 'root')
  }

  /** Section 5.4. @throws Refusal, BoxError `storage.io`, `storage.full` */
  async acceptTimestamp(bytes: Uint8Array, moment: Moment): Promise<void> {
    const next = readTimestamp(bytes)
    this.#requireSignatures(next, this.#root.body.authorities.timestamp, 'timestamp')
    // One number is one content (section 5.4.3.1): the one that came first stays.
    if (next.version !== this.#timestamp?.version) {
      requireNewer(this.#floors, next)
      requireTimely(next, moment, 'timestamp')
      await this.#ports.store.replace('timestamp', bytes)
      this.#timestamp = next
      this.#floors = withIssued(withTimestamp(this.#floors, next), next, moment.nowMs)
    }
    if (this.#timestamp !== null) requireTimely(this.#timestamp, moment, 'timestamp')
  }

  /** Whether the snapshot that is believed is the one the timestamp wants. @throws Refusal when it must not be used */
  hasSnapshot(moment: Moment): boolean {
    const snapshot = this.#snapshot
    if (snapshot === null || !this.#isDescribed(snapshot, this.snapshotDescribed)) return false
    requireNoneOlder(this.#floors, snapshot)
    requireTimely(snapshot, moment, 'snapshot')
    return true
  }

  /** Section 5.5. @throws Refusal, BoxError `storage.io`, `storage.full` */
  async acceptSnapshot(bytes: Uint8Array, moment: Moment): Promise<void> {
    const described = this.#described(this.snapshotDescribed, 'snapshot')
    this.#requireContent(bytes, described, 'snapshot')
    const next = readSnapshot(bytes)
    this.#requireSignatures(next, this.#root.body.authorities.snapshot, 'snapshot')
    requireVersion(next, described, 'snapshot')
    requireNoneOlder(this.#floors, next)
    requireRememberable(next)
    requireTimely(next, moment, 'snapshot')
    await this.#ports.store.replace('snapshot', bytes)
    this.#snapshot = next
    this.#floors = withSnapshot(this.#floors, next)
  }

  /** @throws Refusal `missing` when the snapshot does not name it */
  describedRole(role: string): Described {
    return this.#described(this.#snapshot?.body.files.get(`${role}.json`) ?? null, role)
  }

  hasTargets(moment: Moment): boolean {
    const targets = this.#targets
    if (targets === null || !this.#isDescribed(targets, this.describedRole('targets'))) return false
    requireTimely(targets, moment, 'targets')
    return true
  }

  /** Section 5.6. @throws Refusal, BoxError `storage.io`, `storage.full` */
  async acceptTargets(bytes: Uint8Array, moment: Moment): Promise<void> {
    const { targets } = this.#root.body.authorities
    this.#targets = await this.acceptRole(bytes, { role: 'targets', authority: targets, moment })
  }

  /** A role below targets, as its delegator wants it. @throws Refusal, BoxError `storage.io`, `storage.full` */
  async acceptRole(bytes: Uint8Array, asked: Asked): Promise<Document<TargetsBody>> {
    const next = this.#checkedRole(bytes, asked)
    await this.#ports.store.replace(asked.role, bytes)
    return next
  }

  /**
   * The copy of an earlier time, held against the delegator that asks now: what one delegator has found good says nothing
   * about the next. Null when there is none that will do.
   */
  async keptRole(asked: Asked): Promise<Document<TargetsBody> | null> {
    const bytes = await this.#ports.store.read(asked.role)
    if (bytes === null) return null
    return tried(() => this.#checkedRole(bytes, asked))
  }

  /** @throws Refusal when what is believed does not make a whole, or its time is over */
  complete(moment: Moment): Complete {
    requireTimely(this.#root, moment, 'root')
    const timestamp = this.#timestamp
    if (timestamp === null)
      throw new Refusal('missing', 'timestamp', 'no timestamp is believed yet')
    requireTimely(timestamp, moment, 'timestamp')
    if (!this.hasSnapshot(moment) || this.#snapshot === null)
      throw new Refusal('missing', 'snapshot', 'the snapshot of the timestamp has not come yet')
    if (!this.hasTargets(moment) || this.#targets === null)
      throw new Refusal('missing', 'targets', 'the targets of the snapshot have not come yet')
    const [root, snapshot, targets] = [this.#root, this.#snapshot, this.#targets]
    const versions = {
      root: root.version,
      timestamp: timestamp.version,
      snapshot: snapshot.version,
      targets: targets.version,
    }
    return { root, snapshot, targets, versions }
  }

  /** The date was known, and all that is believed was valid at it. */
  noteClock(nowMs: number): void {
    this.#floors = { ...this.#floors, clockMs: Math.max(this.#floors.clockMs, Math.floor(nowMs)) }
  }

  /** @throws BoxError `storage.io`, `storage.full` */
  async saveFloors(): Promise<void> {
    const text = JSON.stringify(this.#floors)
    if (text === this.#savedFloors && this.#ports.store.isWhole) return
    await this.#ports.store.replaceFloors(this.#floors)
    this.#savedFloors = text
  }

  /** Sections 5.2 to 5.6 for what is on the disk: signed by keys that count now, and not older than seen. */
  async #takeUp(): Promise<void> {
    const { store } = this.#ports
    const { authorities } = this.#root.body
    const timestamp = this.#signed(await store.read('timestamp'), 'timestamp', readTimestamp)
    this.#timestamp =
      timestamp !== null && timestamp.version >= this.#floors.timestamp ? timestamp : null
    if (this.#timestamp !== null) this.#floors = withTimestamp(this.#floors, this.#timestamp)
    this.#snapshot = this.#signed(await store.read('snapshot'), 'snapshot', readSnapshot)
    if (this.#snapshot !== null) this.#floors = withSnapshot(this.#floors, this.#snapshot)
    const targets = await store.read('targets')
    this.#targets = tried(() => {
      if (targets === null) return null
      const document = readTargets(targets, 'targets')
      this.#requireSignatures(document, authorities.targets, 'targets')
      return document
    })
  }

  #signed<Body>(
    bytes: Uint8Array | null,
    role: 'timestamp' | 'snapshot',
    read: (bytes: Uint8Array) => Document<Body>,
  ): Document<Body> | null {
    if (bytes === null) return null
    return tried(() => {
      const document = read(bytes)
      this.#requireSignatures(document, this.#root.body.authorities[role], role)
      return document
    })
  }

  #checkedRole(bytes: Uint8Array, { role, authority, moment }: Asked): Document<TargetsBody> {
    const described = this.describedRole(role)
    this.#requireContent(bytes, described, role)
    const document = readTargets(bytes, role)
    this.#requireSignatures(document, authority, role)
    requireVersion(document, described, role)
    requireTimely(document, moment, role)
    return document
  }

  #described(described: Described | null, role: string): Described {
    if (described !== null) return described
    throw new Refusal('missing', role, `the snapshot does not name ${role}`)
  }

  #isDescribed(document: Document<unknown>, described: Described | null): boolean {
    if (described === null || document.version !== described.version) return false
    return tried(() => this.#requireContent(document.bytes, described, 'kept')) !== null
  }

  #requireContent(bytes: Uint8Array, described: Described, role: string): true {
    requireContent(bytes, described, { role, verifier: this.#ports.verifier })
    return true
  }

  #requireSignatures(document: Document<unknown>, authority: Authority, role: string): void {
    requireSignatures(document, authority, { role, verifier: this.#ports.verifier })
  }
}
