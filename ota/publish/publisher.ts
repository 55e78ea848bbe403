/**
 * Everything that can be done to a repository. Each deed makes a change, signs it with the keys that are at hand, and writes
 * it; where signatures are missing it writes nothing and gives the draft, to be signed elsewhere and accepted later.
 */
import { assert, BoxError } from '../../runtime/core/errors.js'
import { check, name } from '../../runtime/core/schema.js'
import type { Keys } from '../../runtime/ports/keys.js'
import type { PublicFolder } from '../../runtime/ports/public-folder.js'
import { spokenKeyid } from '../keys/keyid.js'
import type { KeyRing } from '../keys/ring.js'
import { momentMs, momentText } from '../release/moments.js'
import { isTopRole, type TopRole } from './authority.js'
import { type Change, completed, draftBytes, readDraft, signChange } from './change.js'
import { commitChange, DAY_MS, type Days, nextVersion } from './commit.js'
import type { Document, Root, Targets } from './documents.js'
import { enclosedIn } from './enclosed.js'
import { requireOrdered } from './ordered.js'
import { requireRole, toursOf } from './role-names.js'
import {
  emptyTargets,
  firstRoot,
  type Holders,
  nextRoot,
  OBJECTS,
  RELEASES,
  requireMajority,
  SYSTEMS,
  tourRole,
  withDelegation,
  withoutDelegation,
} from './roles.js'
import { missingText } from './signing.js'
import { loadRepository, type RepositoryState } from './state.js'

/** How long what is signed at a ceremony stands. */
const CEREMONY_DAYS = 365
const ROLE_DAYS = 365

export interface PublisherParts {
  readonly folder: PublicFolder
  readonly ring: KeyRing
  readonly keys: Pick<Keys, 'sha256Hex'>
  /** Milliseconds since the Unix epoch. */
  readonly wallMs: () => number
  readonly days: Days
}

export interface Outcome {
  /** False where nothing had to be done, or signatures are missing. */
  readonly isPublished: boolean
  /** To be signed elsewhere, where signatures are missing. */
  readonly draft: Uint8Array | null
  /** What is missing, and which keys could not sign, in words. */
  readonly words: readonly string[]
}

export interface FirstHolders extends Readonly<Record<TopRole, Holders>> {
  readonly releases: Holders
  /** Null where more than half of root must sign. */
  readonly whyWeaker: string | null
}

/** By role: those of root, any of them at once; or one of `releases`, `os` and `tour-…`. */
export interface Rotation {
  readonly holders: ReadonlyMap<string, Holders>
  readonly isOldKeyLost: boolean
  /** Why fewer must sign for root or targets than more than half of them; null where that is not so. */
  readonly whyWeaker: string | null
}

export const NOTHING_TO_DO: Outcome = { isPublished: false, draft: null, words: [] }

export class Publisher {
  readonly #parts: PublisherParts

  constructor(parts: PublisherParts) {
    this.#parts = parts
  }

  get folder(): PublicFolder {
    return this.#parts.folder
  }

  get wallMs(): number {
    return this.#parts.wallMs()
  }

  /** @throws BoxError `release.invalid` when there is none */
  async state(): Promise<RepositoryState> {
    const state = await loadRepository(this.folder)
    if (state === null)
      throw new BoxError(
        'release.invalid',
        'there is no repository here, metadata/1.root.json is missing: name its folder with --repository, or make one with "roadcase release init"',
      )
    return state
  }

  async init({ releases, whyWeaker, ...tops }: FirstHolders): Promise<Outcome> {
    requireMajority('root', null, tops.root, whyWeaker)
    if ((await loadRepository(this.folder)) !== null)
      throw new BoxError('release.conflict', 'there is a repository here already')
    const expires = this.#after(CEREMONY_DAYS)
    const delegating = withDelegation(
      emptyTargets(0, expires),
      [RELEASES, OBJECTS],
      releases,
      expires,
    )
    const roles = new Map([
      ['targets', unsigned(delegating)],
      ...[RELEASES, OBJECTS].map(
        role => [role, unsigned(emptyTargets(1, this.#after(ROLE_DAYS)))] as const,
      ),
    ])
    const root = unsigned(firstRoot(tops, expires))
    return this.#apply(null, {
      ...{ base: null, root, roles, isOldKeyLost: false, whyWeaker, documents: new Map() },
    })
  }

  /** Gives roles other keys, or other thresholds. */
  async rotate({ holders, isOldKeyLost, whyWeaker }: Rotation): Promise<Outcome> {
    const state = await this.state()
    const expires = this.#after(CEREMONY_DAYS)
    const roles = [...holders.keys()]
    for (const role of roles) requireRole(state, role)
    if (roles.every(isTopRole)) {
      for (const role of roles)
        requireMajority(role, state.root.signed.roles[role], holders.get(role), whyWeaker)
      const root = unsigned(nextRoot(state.root.signed, holders, expires))
      return this.#apply(state, { ...changeOf(state), root, isOldKeyLost, whyWeaker })
    }
    let targets = state.targets.signed
    for (const [role, next] of holders) {
      if (isTopRole(role))
        throw new BoxError(
          'release.invalid',
          `${role} is named in root, the others are not: two commands`,
        )
      const names = role === RELEASES || role === OBJECTS ? [RELEASES, OBJECTS] : [role]
      targets = withDelegation(targets, names, next, expires)
    }
    const version = state.targets.signed.version + 1
    return this.#apply(state, changeOf(state, [['targets', { ...targets, version }]]))
  }

  /** Lets a tour say what its boxes shall run; or other keys do so, where it can already. */
  async addTour(tour: string, holders: Holders): Promise<Outcome> {
    check(name, tour, 'tour')
    return this.#addRole(tourRole(tour), holders)
  }

  /** Lets keys sign operating systems; or others do so, where some can already. */
  addSystems(holders: Holders): Promise<Outcome> {
    return this.#addRole(SYSTEMS, holders)
  }

  async #addRole(role: string, holders: Holders): Promise<Outcome> {
    const state = await this.state()
    const targets = withDelegation(
      state.targets.signed,
      [role],
      holders,
      this.#after(CEREMONY_DAYS),
    )
    const first = emptyTargets(nextVersion(state, role), this.#after(ROLE_DAYS))
    const isNew = !state.delegated.has(role)
    return this.#apply(
      state,
      changeOf(state, [['targets', targets], ...(isNew ? [[role, first] as const] : [])]),
    )
  }

  async endTour(tour: string): Promise<Outcome> {
    const state = await this.state()
    const role = tourRole(tour)
    if (!state.delegated.has(role)) {
      // Its place in the snapshot stays: the command that was cut off is given again.
      if (state.snapshot.signed.meta[`${role}.json`] !== undefined) return NOTHING_TO_DO
      throw new BoxError(
        'release.invalid',
        `there is no tour ${tour}, and there was none; there are: ${toursOf(state)}`,
      )
    }
    const targets = withoutDelegation(state.targets.signed, role, this.#after(CEREMONY_DAYS))
    return this.#apply(state, changeOf(state, [['targets', targets]]))
  }

  /**
   * Replaces what delegated roles list. Those that come out as they were are left alone.
   * @param next by role
   */
  async setTargets(
    state: RepositoryState,
    next: ReadonlyMap<string, Targets['targets']>,
  ): Promise<Outcome> {
    const changed: [string, Targets][] = []
    for (const [role, targets] of next) {
      requireRole(state, role)
      const current = state.delegated.get(role)?.signed
      assert(current !== undefined, 'a role that lists releases is delegated to')
      if (JSON.stringify(current.targets) === JSON.stringify(targets)) continue
      const version = current.version + 1
      changed.push([role, { ...current, version, expires: this.#after(ROLE_DAYS), targets }])
    }
    if (changed.length === 0) return NOTHING_TO_DO
    return this.#apply(state, changeOf(state, changed))
  }

  /** Publishes a draft that was signed, with what signatures can be added here. */
  async accept(draft: Uint8Array): Promise<Outcome> {
    const state = await loadRepository(this.folder)
    const change = readDraft(draft, this.#parts.ring)
    await requireOrdered(this.folder, state, change)
    return this.#apply(state, change)
  }

  /**
   * Signs timestamp and snapshot again when half their time is over, or at once.
   * @throws BoxError `release.unsigned` where their keys are not at hand
   */
  async refresh(isForced: boolean): Promise<Outcome> {
    const state = await this.state()
    const { days, wallMs } = this.#parts
    const isLow = (document: Document<{ expires: string }>, lifeDays: number): boolean =>
      momentMs(document.signed.expires) - wallMs() < (lifeDays / 2) * DAY_MS
    const isDue = isLow(state.timestamp, days.timestamp) || isLow(state.snapshot, days.snapshot)
    if (!isDue && !isForced) return NOTHING_TO_DO
    return this.#apply(state, changeOf(state))
  }

  /**
   * Signs roles for another year as they are: without it a tour whose order is good would end with its document.
   * @param roles root, targets and those below it; the others are `refresh`'s
   * @throws BoxError `release.invalid` for another name
   */
  async renew(roles: readonly string[]): Promise<Outcome> {
    const state = await this.state()
    const expires = this.#after(ROLE_DAYS)
    const renewed: [string, Targets][] = []
    for (const role of new Set(roles)) {
      if (role === 'root') continue
      const current = role === 'targets' ? state.targets : state.delegated.get(role)
      if (current === undefined)
        throw new BoxError(
          'release.invalid',
          `${role} is not renewed so; there are: root, targets, ${[...state.delegated.keys()].join(', ')}`,
        )
      const { signed } = current
      renewed.push([role, { ...signed, version: signed.version + 1, expires }])
    }
    const root = roles.includes('root')
      ? unsigned(nextRoot(state.root.signed, new Map(), this.#after(CEREMONY_DAYS)))
      : null
    return this.#apply(state, { ...changeOf(state, renewed), root })
  }

  async #apply(state: RepositoryState | null, change: Change): Promise<Outcome> {
    const { ring, keys, folder, days, wallMs } = this.#parts
    const whole = completed(change, state?.delegated ?? new Map(), this.#after(ROLE_DAYS))
    const signed = await signChange(ring, whole, null)
    if (signed.missing.size > 0) {
      const names = new Map((await ring.list()).map(({ keyid, name }) => [keyid, name]))
      const nameOf = (keyid: string): string => names.get(keyid) ?? spokenKeyid(keyid)
      const lacks = [...signed.missing].flatMap(([role, missing]) =>
        missing.map(lack => missingText(role, lack, nameOf)),
      )
      const draft = draftBytes(await toBeRead(folder, state, signed.change))
      return { isPublished: false, draft, words: [...lacks, ...signed.troubles] }
    }
    await commitChange({ folder, ring, keys, wallMs: wallMs(), days }, state, signed.change)
    return { isPublished: true, draft: null, words: signed.troubles }
  }

  #after(days: number): string {
    return momentText(this.#parts.wallMs() + days * DAY_MS)
  }
}

const unsigned = <S extends Root | Targets>(signed: S): Document<S> => ({ signed, signatures: [] })

/** With all that people read before they sign. */
async function toBeRead(
  folder: PublicFolder,
  state: RepositoryState | null,
  change: Change,
): Promise<Change> {
  const { base, roles } = change
  const enclosed = await enclosedIn(folder, state, change)
  const before = [...(state?.delegated ?? [])].filter(([role]) => roles.has(role))
  return {
    ...change,
    base: base === null ? null : { ...base, roles: new Map([...before, ...base.roles]) },
    documents: enclosed,
  }
}

const changeOf = (
  state: RepositoryState,
  roles: readonly (readonly [string, Targets])[] = [],
): Change => ({
  base: { root: state.root, targets: state.targets, roles: new Map() },
  root: null,
  roles: new Map(roles.map(([role, signed]) => [role, unsigned(signed)])),
  isOldKeyLost: false,
  whyWeaker: null,
  documents: new Map(),
})
