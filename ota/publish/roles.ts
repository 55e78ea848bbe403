/** The next versions of root and targets: pure. */
import { BoxError } from '../../runtime/core/errors.js'
import { check, string } from '../../runtime/core/schema.js'
import type { RingKey } from '../keys/ring.js'
import type { TopRole } from './authority.js'
import type { Delegation, KeyJson, RoleKeys, Root, Targets } from './documents.js'
import { SPEC_VERSION } from './metadata.js'

/** Who shall sign for a role. */
export interface Holders {
  readonly keys: readonly RingKey[]
  readonly threshold: number
}

/** Releases are described in a document that every box fetches; what they are made of in one that no box needs. */
export const RELEASES = 'releases'
export const OBJECTS = 'objects'
/** Operating systems: only where they are published, and by whomever targets lets. */
export const SYSTEMS = 'os'
export const TOUR_PREFIX = 'tour-'
export const tourRole = (tour: string): string => `${TOUR_PREFIX}${tour}`

const pathsOf: Readonly<Record<string, string>> = {
  [RELEASES]: 'releases/*/*',
  [OBJECTS]: 'objects/*',
  [SYSTEMS]: 'os/*/*',
}

/** @throws BoxError `key.invalid` for a threshold that cannot be reached */
export function firstRoot(holders: Readonly<Record<TopRole, Holders>>, expires: string): Root {
  const { root, targets, snapshot, timestamp } = holders
  const all = [root, targets, snapshot, timestamp].flatMap(({ keys }) => keys)
  return {
    _type: 'root',
    spec_version: SPEC_VERSION,
    version: 1,
    expires,
    consistent_snapshot: true,
    keys: keyTable(all),
    roles: {
      root: roleOf('root', root),
      targets: roleOf('targets', targets),
      snapshot: roleOf('snapshot', snapshot),
      timestamp: roleOf('timestamp', timestamp),
    },
  }
}

export const emptyTargets = (version: number, expires: string): Targets => ({
  _type: 'targets',
  spec_version: SPEC_VERSION,
  version,
  expires,
  targets: {},
})

/** @param holders by role of root, who shall have it from now on */
export function nextRoot(
  before: Root,
  holders: ReadonlyMap<string, Holders>,
  expires: string,
): Root {
  const changed = [...holders].map(([role, next]) => [role, roleOf(role, next)] as const)
  const roles: Root['roles'] = { ...before.roles, ...Object.fromEntries(changed) }
  const used = new Set(Object.values(roles).flatMap(({ keyids }) => keyids))
  const keys = { ...before.keys, ...keyTable([...holders.values()].flatMap(next => next.keys)) }
  return { ...before, version: before.version + 1, expires, roles, keys: only(keys, used) }
}

/** Delegates to a role, or to other keys of it. @param names `releases`, `os` or `tour-…` */
export function withDelegation(
  before: Targets,
  names: readonly string[],
  holders: Holders,
  expires: string,
): Targets {
  const others = (before.delegations?.roles ?? []).filter(({ name }) => !names.includes(name))
  const roles = [
    ...others,
    ...names.map(name => ({
      name,
      ...roleOf(name, holders),
      terminating: true as const,
      paths: [pathsOf[name] ?? `tours/${name.replace(/^tour-/, '')}/*`],
    })),
  ]
  return withRoles(before, roles, keyTable(holders.keys), expires)
}

export function withoutDelegation(before: Targets, name: string, expires: string): Targets {
  const roles = (before.delegations?.roles ?? []).filter(role => role.name !== name)
  return withRoles(before, roles, {}, expires)
}

function withRoles(
  before: Targets,
  roles: Delegation[],
  added: Readonly<Record<string, KeyJson>>,
  expires: string,
): Targets {
  const used = new Set(roles.flatMap(({ keyids }) => keyids))
  const keys = only({ ...before.delegations?.keys, ...added }, used)
  return { ...before, version: before.version + 1, expires, delegations: { keys, roles } }
}

/** In words, for those who sign. */
export const weakerWhy = string({ min: 1, max: 400 })

/** With fewer, one stolen key, or two, could be all that a thief needs. */
export const isMajority = ({ threshold }: { threshold: number }, keyCount: number): boolean =>
  threshold * 2 > keyCount

/**
 * Root is what everything hangs on, and targets what lets releases in; other roles have machines, and one of them is enough.
 * Who has begun with fewer for targets may stay there.
 * @param before null for a new repository
 * @throws BoxError `key.invalid` where fewer must sign than more than half, and nobody says why
 */
export function requireMajority(
  role: TopRole,
  before: RoleKeys | null,
  after: Holders | undefined,
  whyWeaker: string | null,
): void {
  if (whyWeaker !== null) check(weakerWhy, whyWeaker, 'weaker')
  if (after === undefined || whyWeaker !== null) return
  const { keys, threshold } = after
  const wasMajority = before === null || isMajority(before, before.keyids.length)
  const isWanted = role === 'root' || (role === 'targets' && wasMajority)
  if (!isWanted || isMajority(after, keys.length)) return
  const enough = Math.floor(keys.length / 2) + 1
  throw new BoxError(
    'key.invalid',
    `${role}: ${threshold} of ${keys.length} is not more than half: a thief needs no more than ${threshold}, and two parties can sign against each other. Let ${enough} sign, or say why not with --weaker`,
  )
}

function roleOf(role: string, { keys, threshold }: Holders): RoleKeys {
  const keyids = [...new Set(keys.map(({ keyid }) => keyid))]
  if (keyids.length < keys.length)
    throw new BoxError('key.invalid', `${role}: the same key is named twice`)
  if (threshold < 1 || threshold > keyids.length)
    throw new BoxError(
      'key.invalid',
      `${role}: ${threshold} signatures cannot be had of ${keyids.length} keys`,
    )
  return { keyids, threshold }
}

const keyTable = (keys: readonly RingKey[]): Record<string, KeyJson> =>
  Object.fromEntries(keys.map(({ keyid, key }) => [keyid, key]))

const only = (
  keys: Readonly<Record<string, KeyJson>>,
  used: ReadonlySet<string>,
): Record<string, KeyJson> =>
  Object.fromEntries(Object.entries(keys).filter(([keyid]) => used.has(keyid)))
