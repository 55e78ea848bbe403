/**
 * What a box has seen and never goes below: the versions of every role, and the date. Pure; kept by the store beside the
 * metadata itself, twice, so that no lost or rotten file makes the box believe the past again.
 */
import {
  check,
  integer,
  list,
  nullable,
  type Of,
  object,
  string,
  table,
} from '../../runtime/core/schema.js'
import type { Authority, Document, RootBody, SnapshotBody, TimestampBody } from './metadata.js'
import { Refusal } from './outcome.js'

const VERSION_MAX = Number.MAX_SAFE_INTEGER
/** More and longer ones than a root of the largest size holds: a record that was written must be read again. */
const KEYS_MAX = 16_384
const KEY_LETTERS_MAX = 1024 * 1024
const ROLES_MAX = 100_000
const ROLE_LETTERS_MAX = 8 * 1024 * 1024

const version = integer({ min: 0, max: VERSION_MAX })
/** Between 1970 and the end of the year 9999. */
const moment = integer({ min: 0, max: 253_402_300_800_000 })
const keyNames = list(string({ max: KEY_LETTERS_MAX }), { max: KEYS_MAX })

const floors = object({
  root: version,
  timestamp: version,
  /** Also what a timestamp has said of a snapshot that never came. */
  snapshot: version,
  /** By name of the file in the snapshot. */
  files: table(string({ max: ROLE_LETTERS_MAX }), version, { max: ROLES_MAX }),
  /** The keys under which these versions were seen; null before the first. */
  keys: nullable(object({ timestamp: keyNames, snapshot: keyNames })),
  /** The last date that was known when everything believed was valid. */
  clockMs: moment,
  /** The newest date that a believed timestamp says it was signed at. */
  issuedMs: moment,
})

export type Floors = Readonly<Of<typeof floors>>

export const NO_FLOORS: Floors = {
  root: 0,
  timestamp: 0,
  snapshot: 0,
  files: {},
  keys: null,
  clockMs: 0,
  issuedMs: 0,
}

/** @throws ConfigError for what is no record of floors */
export const checkFloors = (value: unknown): Floors => check(floors, value, 'floors')

/**
 * Once a key of timestamp or snapshot no longer counts, what it signed says nothing about what is newest: whoever stole it
 * may have signed the highest of all versions (section 5.3.11). A key that joins takes nothing away.
 */
export function isRotated(seen: Floors, root: RootBody): boolean {
  const { keys } = seen
  if (keys === null) return false
  const { timestamp, snapshot } = root.authorities
  return hasLost(keys.timestamp, timestamp) || hasLost(keys.snapshot, snapshot)
}

const hasLost = (seen: readonly string[], authority: Authority): boolean => {
  const there = new Set(keyNamesOf(authority))
  return seen.some(key => !there.has(key))
}

/** By what the keys are, not by what they are called. */
const keyNamesOf = ({ keys }: Authority): string[] =>
  [...keys].map(([id, { keyType, scheme, text }]) => JSON.stringify([id, keyType, scheme, text]))

export const withoutRotated = (seen: Floors): Floors => ({
  ...NO_FLOORS,
  root: seen.root,
  clockMs: seen.clockMs,
})

export const withRoot = (seen: Floors, root: Document<RootBody>): Floors => ({
  ...seen,
  root: Math.max(seen.root, root.version),
})

export function withKeys(seen: Floors, root: RootBody): Floors {
  const { timestamp, snapshot } = root.authorities
  return {
    ...seen,
    keys: { timestamp: keyNamesOf(timestamp), snapshot: keyNamesOf(snapshot) },
  }
}

export const withTimestamp = (seen: Floors, timestamp: Document<TimestampBody>): Floors => ({
  ...seen,
  timestamp: Math.max(seen.timestamp, timestamp.version),
  snapshot: Math.max(seen.snapshot, timestamp.body.snapshot.version),
})

/** @param nowMs null where the time is not known. Who knows it does not learn from a publisher whose clock is ahead. */
export function withIssued(
  seen: Floors,
  timestamp: Document<TimestampBody>,
  nowMs: number | null,
): Floors {
  // What expires before it was signed says nothing of the time.
  const issuedMs = Math.min(timestamp.body.issuedMs ?? 0, timestamp.expiresMs - 1)
  const isNews = issuedMs > seen.issuedMs && issuedMs <= (nowMs ?? issuedMs)
  return isNews ? { ...seen, issuedMs } : seen
}

export function withSnapshot(seen: Floors, snapshot: Document<SnapshotBody>): Floors {
  const files = new Map(Object.entries(seen.files))
  for (const [name, file] of snapshot.body.files)
    files.set(name, Math.max(files.get(name) ?? 0, file.version))
  return {
    ...seen,
    snapshot: Math.max(seen.snapshot, snapshot.version),
    files: Object.fromEntries(files),
  }
}

/** Section 5.4.3. @throws Refusal `older than seen` */
export function requireNewer(seen: Floors, timestamp: Document<TimestampBody>): void {
  if (timestamp.version < seen.timestamp)
    throw older('timestamp', timestamp.version, seen.timestamp)
  const { version } = timestamp.body.snapshot
  if (version < seen.snapshot) throw older('snapshot', version, seen.snapshot)
}

/** Section 5.5.5: none older, and none gone. @throws Refusal `older than seen` */
export function requireNoneOlder(seen: Floors, snapshot: Document<SnapshotBody>): void {
  for (const [name, floor] of Object.entries(seen.files)) {
    const version = snapshot.body.files.get(name)?.version
    if (version === undefined)
      throw new Refusal('older than seen', 'snapshot', `snapshot no longer names ${shown(name)}`)
    if (version < floor) throw older(shown(name), version, floor)
  }
}

/** @throws Refusal `too big` for more roles than are remembered */
export function requireRememberable({ body }: Document<SnapshotBody>): void {
  if (body.files.size > ROLES_MAX)
    throw new Refusal('too big', 'snapshot', `snapshot names more than ${ROLES_MAX} roles`)
}

/** @throws Refusal `older than seen` */
export function requireRootNotOlder(seen: Floors, root: Document<RootBody>): void {
  if (root.version < seen.root) throw older('root', root.version, seen.root)
}

const shown = (name: string): string => name.slice(0, 60)

const older = (role: string, version: number, floor: number): Refusal =>
  new Refusal('older than seen', role, `${role} is version ${version}; ${floor} was seen before`)
