/**
 * TUF metadata (specification 1.0, section 4) from bytes into types. The library checks the shape of each object; here
 * stands what it lets pass: numbers that are not whole, dates that are none, parts that are missing and that it would make
 * up, and the order of delegations, which it loses for names that look like numbers. Fields nobody here knows are left
 * alone, as section 4 asks, and are part of what is signed.
 */
import { Metadata, MetadataKind, MetaFile, TargetFile, type Targets } from '@tufjs/models'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { PublicKey } from '../../runtime/ports/verifier.js'
import { canonicalJson, type Json } from './canonical.js'
import { dateMs } from './dates.js'
import { Refusal } from './outcome.js'

type Table = Parameters<typeof Metadata.fromJSON>[1]
type Keys = ReadonlyMap<string, PublicKey | null>
type Shape = NonNullable<Targets['delegations']>
type SuccinctShape = NonNullable<Shape['succinctRoles']>
type DelegationShape = NonNullable<Shape['roles']>[string]
type Role = Pick<DelegationShape, 'keyIDs' | 'threshold'>

/** Whose signatures count, and how many of them are enough. */
export interface Authority {
  readonly keys: ReadonlyMap<string, PublicKey>
  readonly threshold: number
}

/** What one document says of another. */
export interface Described {
  readonly version: number
  readonly length: number | null
  readonly hashes: ReadonlyMap<string, string> | null
}

/** Metadata that can be read, and that nobody has yet reason to believe. */
export interface Document<Body> {
  readonly bytes: Uint8Array
  /** What the signatures are over. */
  readonly signed: Uint8Array
  /** By key: hexadecimal, perhaps. */
  readonly signatures: ReadonlyMap<string, string>
  readonly version: number
  readonly expiresMs: number
  readonly body: Body
}

export type TopRole = 'root' | 'timestamp' | 'snapshot' | 'targets'
export type RootBody = {
  readonly authorities: Readonly<Record<TopRole, Authority>>
  readonly isConsistent: boolean
}
export type TimestampBody = {
  readonly snapshot: Described
  /** When it was signed, for publishers that say so; not part of the specification. */
  readonly issuedMs: number | null
}
/** By name of the file without a version: `targets.json`. */
export type SnapshotBody = { readonly files: ReadonlyMap<string, Described> }
export interface Entry {
  readonly length: number
  readonly hashes: ReadonlyMap<string, string>
  readonly custom: Readonly<Record<string, unknown>>
}
export interface Delegation extends Authority {
  readonly name: string
  readonly isTerminating: boolean
  readonly patterns: readonly string[]
  readonly hashPrefixes: readonly string[]
}
/** Succinct hash bins (TAP 15): as many roles as there are numbers of so many bits. */
export interface Bins extends Authority {
  readonly bitCount: number
  readonly prefix: string
}
export type TargetsBody = {
  readonly entries: ReadonlyMap<string, Entry>
  readonly delegations: readonly Delegation[]
  readonly bins: Bins | null
}

const TOP_ROLES: ReadonlySet<string> = new Set(['root', 'timestamp', 'snapshot', 'targets'])
/** The library adds to a table by copying it: more at once would take time by the square. */
const DELEGATIONS_AT_ONCE = 64
const SPEC_VERSION = /^1\.\d{1,9}(\.\d{1,9})?$/

/** @throws Refusal `unreadable`, as all of them here */
export const readRoot = (bytes: Uint8Array): Document<RootBody> =>
  read('root', bytes, (signed, table) => {
    const keys = keysOf(signed['keys'])
    const told = Object.entries(tableOf(signed['roles'], 'roles'))
    const root = Metadata.fromJSON(MetadataKind.Root, {
      ...table,
      signed: {
        // The specification lets a repository leave it out.
        consistent_snapshot: false,
        ...signed,
        keys: {},
        roles: Object.fromEntries(told.filter(([role]) => TOP_ROLES.has(role))),
      },
    }).signed
    const { roles } = root
    const authorities = {
      root: authorityOf(roles['root'], keys),
      timestamp: authorityOf(roles['timestamp'], keys),
      snapshot: authorityOf(roles['snapshot'], keys),
      targets: authorityOf(roles['targets'], keys),
    }
    return { authorities, isConsistent: root.consistentSnapshot }
  })

export const readTimestamp = (bytes: Uint8Array): Document<TimestampBody> =>
  read('timestamp', bytes, (signed, table) => {
    const file = Metadata.fromJSON(MetadataKind.Timestamp, table).signed.snapshotMeta
    need(signed['meta'] !== undefined, 'describes no snapshot')
    const issued = signed['issued']
    return {
      snapshot: describedBy(file),
      issuedMs: typeof issued === 'string' ? dateMs(issued) : null,
    }
  })

export const readSnapshot = (bytes: Uint8Array): Document<SnapshotBody> =>
  read('snapshot', bytes, (signed, table) => {
    Metadata.fromJSON(MetadataKind.Snapshot, { ...table, signed: { ...signed, meta: {} } })
    const files = Object.entries(tableOf(signed['meta'], 'meta')).map(
      ([name, file]) => [name, describedBy(MetaFile.fromJSON(tableOf(file, name)))] as const,
    )
    return { files: new Map(files) }
  })

/** @param role its name, for messages */
export const readTargets = (bytes: Uint8Array, role: string): Document<TargetsBody> =>
  read(
    'targets',
    bytes,
    (signed, table) => {
      const bare = { ...table, signed: { ...signed, targets: {}, delegations: {} } }
      const entries = Object.entries(tableOf(signed['targets'], 'targets')).map(
        ([path, entry]) => [path, entryOf(path, tableOf(entry, path))] as const,
      )
      const given = signed['delegations']
      const told = given === undefined ? null : tableOf(given, 'delegations')
      return { entries: new Map(entries), ...delegationsOf(told, bare) }
    },
    role,
  )

function read<Body>(
  kind: TopRole,
  bytes: Uint8Array,
  bodyOf: (signed: Table, table: Table) => Body,
  role: string = kind,
): Document<Body> {
  try {
    const table = tableOf(parse(bytes), 'the document')
    const signed = tableOf(table['signed'], 'signed')
    const canonical = canonicalJson(signed)
    need(signed['_type'] === kind, `is of the type ${JSON.stringify(signed['_type'])}`)
    const body = bodyOf(signed, table)
    return { bytes, signed: canonical, ...frameOf(signed, table), body }
  } catch (cause) {
    if (cause instanceof BoxError) throw cause
    throw new Refusal('unreadable', role, `${role} ${messageOf(cause).slice(0, 200)}`)
  }
}

function parse(bytes: Uint8Array): Json {
  const value: Json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  return value
}

function frameOf(
  signed: Table,
  table: Table,
): Pick<Document<null>, 'signatures' | 'version' | 'expiresMs'> {
  const { version, expires, spec_version: specVersion } = signed
  need(typeof specVersion === 'string' && SPEC_VERSION.test(specVersion), 'is not of TUF 1')
  const expiresMs = typeof expires === 'string' ? dateMs(expires) : null
  if (expiresMs === null) throw new RangeError('has no date until when it is valid')
  return { signatures: signaturesOf(table), version: whole(version, 1), expiresMs }
}

/** Once more than the library, which looks after it too: what it makes of them has lost who came first. */
function signaturesOf(table: Table): ReadonlyMap<string, string> {
  const signatures = new Map<string, string>()
  const { signatures: list } = table
  if (!Array.isArray(list)) throw new RangeError('has no list of signatures')
  for (const item of list) {
    const { keyid, sig } = tableOf(item, 'a signature')
    if (typeof keyid !== 'string' || typeof sig !== 'string')
      throw new RangeError('has a signature without keyid or sig')
    need(!signatures.has(keyid), `has two signatures of the key ${keyid.slice(0, 16)}`)
    signatures.set(keyid, sig)
  }
  return signatures
}

function delegationsOf(
  told: Table | null,
  bare: Table & { readonly signed: Table },
): Pick<TargetsBody, 'delegations' | 'bins'> {
  const shapeOf = (delegations: Table) =>
    Metadata.fromJSON(MetadataKind.Targets, { ...bare, signed: { ...bare.signed, delegations } })
      .signed.delegations
  if (told === null) {
    shapeOf({ keys: {} })
    return { delegations: [], bins: null }
  }
  const { roles, ...rest } = told
  const keys = keysOf(told['keys'])
  const frame = shapeOf({ ...rest, keys: {} })
  const succinct = frame?.succinctRoles
  need(roles === undefined || succinct === undefined, 'delegates in two ways at once')
  const list = roles ?? []
  if (!Array.isArray(list)) throw new RangeError('has delegations that are no list')
  const delegations: Delegation[] = []
  for (let at = 0; at < list.length; at += DELEGATIONS_AT_ONCE) {
    const some = list.slice(at, at + DELEGATIONS_AT_ONCE)
    const shapes = shapeOf({ keys: {}, roles: some })?.roles ?? {}
    for (const item of some)
      delegations.push(delegationOf(shapes[`${tableOf(item, 'a delegation')['name']}`], keys))
  }
  const names = new Set(delegations.map(({ name }) => name))
  need(names.size === delegations.length, 'delegates to one role twice')
  return { delegations, bins: succinct === undefined ? null : binsOf(succinct, keys) }
}

function delegationOf(shape: DelegationShape | undefined, keys: Keys): Delegation {
  if (shape === undefined) throw new RangeError('has a delegation without a name')
  need(shape.name !== '' && isWellFormed(shape.name), 'delegates to a role without a fit name')
  return {
    ...authorityOf(shape, keys),
    name: shape.name,
    isTerminating: shape.terminating,
    patterns: shape.paths ?? [],
    hashPrefixes: shape.pathHashPrefixes ?? [],
  }
}

function binsOf(shape: SuccinctShape, keys: Keys): Bins {
  need(isWellFormed(shape.namePrefix), 'delegates to roles without a fit name')
  return {
    ...authorityOf(shape, keys),
    bitCount: whole(shape.bitLength, 1),
    prefix: shape.namePrefix,
  }
}

function authorityOf(role: Role | undefined, keys: Keys): Authority {
  if (role === undefined) throw new RangeError('has no such role')
  const known = role.keyIDs.flatMap((id): [string, PublicKey][] => {
    const key = keys.get(id) ?? null
    return key === null ? [] : [[id, key]]
  })
  return { keys: new Map(known), threshold: whole(role.threshold, 1) }
}

/**
 * Null for one whose public half is no text: section 4.2 lets anybody define a kind of key, and what is in it. The library
 * would not read the whole document then.
 */
function keysOf(given: unknown): Keys {
  const keys = Object.entries(tableOf(given, 'keys')).map(([id, item]) => {
    const { keytype, scheme, keyval } = tableOf(item, 'a key')
    if (typeof keytype !== 'string' || typeof scheme !== 'string')
      throw new RangeError('has a key without keytype or scheme')
    const { public: text } = tableOf(keyval, 'keyval')
    return [id, typeof text === 'string' ? { keyType: keytype, scheme, text } : null] as const
  })
  return new Map(keys)
}

const describedBy = ({ version, length, hashes }: MetaFile): Described => ({
  version: whole(version, 1),
  length: length === undefined ? null : whole(length, 0),
  hashes: hashes === undefined ? null : hashesOf(hashes),
})

function entryOf(path: string, table: Table): Entry {
  const { length, hashes, custom } = TargetFile.fromJSON(path, table)
  return { length: whole(length, 0), hashes: hashesOf(hashes), custom }
}

function hashesOf(hashes: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const map = new Map(Object.entries(hashes))
  need(map.size > 0, 'has an empty list of hashes')
  return map
}

function whole(value: unknown, min: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return value
  throw new RangeError(`has ${JSON.stringify(value)} where a whole number from ${min} belongs`)
}

function tableOf(value: unknown, what: string): Table {
  if (isTable(value)) return value
  throw new RangeError(`has no table where ${what.slice(0, 60)} belongs`)
}

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Half a surrogate pair cannot stand in an address. */
const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text)

function need(holds: boolean, problem: string): void {
  if (!holds) throw new RangeError(problem)
}
