/**
 * What a box believes of a repository of releases: the client of The Update Framework, specification 1.0, section 5. It
 * asks any source, and believes what is signed, newer than everything seen, and of the present.
 */
import { assert, BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Files } from '../../runtime/ports/files.js'
import type { Log } from '../../runtime/ports/log.js'
import type { ReleaseSource } from '../../runtime/ports/release-source.js'
import type { Verifier } from '../../runtime/ports/verifier.js'
import { Believed, type Complete } from './believed.js'
import type { Moment } from './dates.js'
import type { Authority, Document, Entry, TargetsBody } from './metadata.js'
import {
  type NotReached,
  type Outcome,
  Refusal,
  type Refused,
  refused,
  type Versions,
} from './outcome.js'
import { metadataPath, targetLocation } from './paths.js'
import { search } from './search.js'
import { requireContent } from './signatures.js'
import { TrustStore } from './store.js'

/** How much is read of what nobody has described: as much as the other clients of TUF take. */
const BYTES_MAX = { root: 512_000, timestamp: 16_384, snapshot: 2_000_000, targets: 5_000_000 }
/** Of what has been described, and its length signed for: what fits into the memory of the smallest box. */
const DESCRIBED_BYTES_MAX = 8 * 1024 * 1024
const ROOTS_MAX = 256
/** The clock is written down no more often, for the sake of the card. */
const CLOCK_KEPT_EACH_MS = 3_600_000

export interface TrustPorts {
  readonly source: ReleaseSource
  /** The folder of this store alone. */
  readonly files: Files
  readonly clock: Clock
  readonly verifier: Verifier
  readonly log: Log
}

export interface TrustOptions {
  /** When this program was made: it is not earlier. */
  readonly buildMs: number
  readonly provisionedRoot: Uint8Array
  /** Whether the wall clock is the time, and not only what was left of it at the start. */
  readonly keepsTime: () => boolean
  /** Where the wall clock is to be believed though it was later once: a test suite sets it as it likes. */
  readonly isClockFree?: boolean
}

export interface FoundTarget {
  readonly path: string
  readonly length: number
  /** By algorithm, `sha256` and perhaps others: lower-case hexadecimal. */
  readonly hashes: ReadonlyMap<string, string>
  readonly custom: Readonly<Record<string, unknown>>
  /** Roles that were asked, in order; the last one signed for it. */
  readonly roles: readonly string[]
  /** Where a source has its bytes; null when no source may be asked for such a path. */
  readonly location: string | null
}

export type Finding =
  | { readonly kind: 'found'; readonly target: FoundTarget }
  /** Signed, but the box does not know the time: good enough to fetch, not to install. */
  | { readonly kind: 'cannot judge yet'; readonly target: FoundTarget }
  /** Nobody who may has signed for such a target. */
  | {
      readonly kind: 'not there'
      readonly roles: readonly string[]
      /** Paths for which `targets` lets others speak, as it writes them. */
      readonly patterns: readonly string[]
    }
  | NotReached
  | Refused

export type TargetBytes =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  | NotReached
  | Refused

export class TrustClient {
  readonly #ports: TrustPorts
  readonly #options: TrustOptions
  #believed: Believed | null = null
  #moment: Moment = { nowMs: null, floorMs: 0 }
  #last: Promise<unknown> = Promise.resolve()

  constructor(ports: TrustPorts, options: TrustOptions) {
    this.#ports = ports
    this.#options = options
  }

  /**
   * Takes up what the store holds; asks nobody. Mends what has rotted in it as far as that goes without a source.
   * @throws BoxError `trust.root` when not even the provisioned root is one, `storage.io`, `storage.full`
   */
  begin(): Promise<void> {
    return this.#inTurn(async () => {
      const { files, verifier, log } = this.#ports
      const store = new TrustStore(files, verifier, log)
      this.#believed = await Believed.load({ store, verifier, log }, this.#options.provisionedRoot)
      this.#fixMoment()
    })
  }

  /**
   * Asks the source what is newest. Whatever it answers, this can be called again.
   * @throws BoxError `storage.io`, `storage.full` when the box's own disk fails
   */
  refresh(): Promise<Outcome> {
    return this.#inTurn(async () => {
      const believed = this.#begun()
      this.#fixMoment()
      const outcome = await this.#answered(async () => {
        await this.#update(believed)
        return this.#judged(believed.complete(this.#moment).versions)
      })
      if (outcome.kind === 'believed') this.#noteClock(believed)
      // Whatever came of it, what was seen is never forgotten.
      await believed.saveFloors()
      return outcome
    })
  }

  /**
   * Looks for a target among what is believed; asks the source for the roles it comes by and does not have.
   * @throws BoxError `storage.io`, `storage.full` when the box's own disk fails
   */
  find(path: string): Promise<Finding> {
    return this.#inTurn(() =>
      this.#answered(async () => {
        const believed = this.#begun()
        const complete = believed.complete(this.#moment)
        const { verifier } = this.#ports
        const load = (role: string, authority: Authority) => this.#role(role, authority, complete)
        const { entry, roles } = await search(path, complete.targets, { verifier, load })
        if (entry === null) return { kind: 'not there', roles, patterns: patternsOf(complete) }
        const target = { path, ...entry, roles, location: locationOf(path, entry, complete) }
        return { kind: this.#moment.nowMs === null ? 'cannot judge yet' : 'found', target }
      }),
    )
  }

  /** The bytes of a small target, once they are what was signed for. What is big is fetched in pieces, elsewhere. */
  read(target: FoundTarget, byteCountMax: number): Promise<TargetBytes> {
    return this.#answered(async () => {
      const { path, location, length } = target
      if (location === null) throw new Refusal('missing', path, `${path} is no path in a source`)
      if (length > byteCountMax)
        throw new Refusal('too big', path, `${path} has ${length} bytes, not ${byteCountMax}`)
      const bytes = await this.#required(location, path, length)
      requireContent(bytes, target, { role: path, verifier: this.#ports.verifier })
      return { kind: 'read', bytes }
    })
  }

  async #update(believed: Believed): Promise<void> {
    await this.#updateRoot(believed)
    const timestamp = metadataPath('timestamp', null)
    const bytes = await this.#required(timestamp, 'timestamp', BYTES_MAX.timestamp)
    await believed.acceptTimestamp(bytes, this.#moment)
    if (!believed.hasSnapshot(this.#moment)) {
      const { version = 0, length = null } = believed.snapshotDescribed ?? {}
      const path = metadataPath('snapshot', believed.root.body.isConsistent ? version : null)
      const most = byteCountMax(length, BYTES_MAX.snapshot)
      await believed.acceptSnapshot(await this.#required(path, 'snapshot', most), this.#moment)
    }
    if (!believed.hasTargets(this.#moment)) {
      const fetched = await this.#fetchRole('targets', believed)
      await believed.acceptTargets(fetched, this.#moment)
    }
  }

  /** Section 5.3: from root to root, each vouching for the next. */
  async #updateRoot(believed: Believed): Promise<void> {
    for (let count = 0; count < ROOTS_MAX; count++) {
      const path = metadataPath('root', believed.root.version + 1)
      const bytes = await this.#fetched(path, 'root', BYTES_MAX.root)
      if (bytes === null) break
      await believed.acceptRoot(bytes)
    }
    const { floors } = believed
    await believed.settleKeys()
    if (believed.floors !== floors) this.#fixMoment()
    believed.requireRoot(this.#moment)
  }

  async #role(
    role: string,
    authority: Authority,
    { root }: Complete,
  ): Promise<Document<TargetsBody>> {
    const believed = this.#begun()
    assert(believed.root === root, 'one root for the whole walk')
    const asked = { role, authority, moment: this.#moment }
    const kept = await believed.keptRole(asked)
    return kept ?? believed.acceptRole(await this.#fetchRole(role, believed), asked)
  }

  #fetchRole(role: string, believed: Believed): Promise<Uint8Array> {
    const { version, length } = believed.describedRole(role)
    const path = metadataPath(role, believed.root.body.isConsistent ? version : null)
    return this.#required(path, role, byteCountMax(length, BYTES_MAX.targets))
  }

  async #required(path: string, role: string, byteCountMax: number): Promise<Uint8Array> {
    const bytes = await this.#fetched(path, role, byteCountMax)
    if (bytes === null) throw new Refusal('missing', role, `the source has no ${path}`)
    return bytes
  }

  async #fetched(path: string, role: string, byteCountMax: number): Promise<Uint8Array | null> {
    try {
      const bytes = await this.#ports.source.fetch(path, byteCountMax)
      if (bytes === null || bytes.length <= byteCountMax) return bytes
      throw new BoxError('trust.limit', `${path} has more than ${byteCountMax} bytes`)
    } catch (error) {
      if (!(error instanceof BoxError) || error.code !== 'trust.limit') throw error
      throw new Refusal('too big', role, error.message)
    }
  }

  /** Makes an outcome of what the far side did wrong; what this side did wrong goes on up. */
  async #answered<T>(work: () => Promise<T>): Promise<T | NotReached | Refused> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof Refusal) {
        const { reason, role } = error
        this.#ports.log.warn('trust.refused', { role, reason, error: error.message })
        return refused(error)
      }
      if (!isOfLink(error)) throw error
      return { kind: 'not reached', message: messageOf(error) }
    }
  }

  #judged(versions: Versions): Outcome {
    return { kind: this.#moment.nowMs === null ? 'cannot judge yet' : 'believed', versions }
  }

  /** Section 5.1: one time for the whole update. */
  #fixMoment(): void {
    const { clockMs, issuedMs } = this.#begun().floors
    const { buildMs, keepsTime, isClockFree = false } = this.#options
    const floorMs = isClockFree ? 0 : Math.max(buildMs, clockMs, issuedMs)
    const wallMs = this.#ports.clock.wallTimeMs()
    const isKnown = keepsTime()
    if (isKnown && wallMs < floorMs) this.#ports.log.warn('trust.clock', { wallMs, floorMs })
    this.#moment = { nowMs: isKnown && wallMs >= floorMs ? wallMs : null, floorMs }
  }

  #noteClock(believed: Believed): void {
    const { nowMs } = this.#moment
    if (nowMs !== null && nowMs - believed.floors.clockMs >= CLOCK_KEPT_EACH_MS)
      believed.noteClock(nowMs)
  }

  #begun(): Believed {
    assert(this.#believed !== null, 'begin() comes first')
    return this.#believed
  }

  /** One at a time: two updates would overtake each other on the disk. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }
}

const byteCountMax = (described: number | null, otherwise: number): number =>
  described === null ? otherwise : Math.min(described, DESCRIBED_BYTES_MAX)

function locationOf(path: string, { hashes }: Entry, { root }: Complete): string | null {
  if (!root.body.isConsistent) return targetLocation(path, null)
  const digest = hashes.get('sha256') ?? [...hashes.values()][0] ?? null
  return digest !== null && /^[0-9a-fA-F]{1,128}$/.test(digest)
    ? targetLocation(path, digest)
    : null
}

const patternsOf = ({ targets }: Complete): readonly string[] =>
  targets.body.delegations.flatMap(({ patterns }) => patterns)

const isOfLink = (error: unknown): boolean =>
  error instanceof BoxError && (error.code === 'link.down' || error.code === 'link.timeout')
