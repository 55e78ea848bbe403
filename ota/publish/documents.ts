/**
 * The documents of a TUF repository (specification 1.0.33, 4) as this publisher writes them: no field besides, but for what
 * is said of a target.
 */
import { ConfigError, messageOf } from '../../runtime/core/errors.js'
import {
  check,
  choice,
  integer,
  list,
  literal,
  type Of,
  object,
  optional,
  pattern,
  string,
  table,
  unknown,
} from '../../runtime/core/schema.js'

export const METADATA_BYTES_MAX = 4 * 1024 * 1024
const VERSION_MAX = 2 ** 31 - 1
const KEYS_MAX = 1024
export const TOURS_MAX = 512
const TARGETS_MAX = 20_000

const keyid = pattern(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
const hexDigits = pattern(/^([0-9a-f]{2})*$/, 'hexadecimal digits', 2048)
const version = integer({ min: 1, max: VERSION_MAX })

export const publicKey = choice(
  'keytype',
  object({
    keytype: literal('ed25519'),
    scheme: literal('ed25519'),
    keyval: object({ public: keyid }),
  }),
  object({
    keytype: literal('ecdsa'),
    scheme: literal('ecdsa-sha2-nistp256'),
    keyval: object({ public: string({ min: 100, max: 400 }) }),
  }),
)

const keyTable = table(keyid, publicKey, { max: KEYS_MAX })
export const roleKeys = object({
  keyids: list(keyid, { max: 32 }),
  threshold: integer({ min: 1, max: 32 }),
})

const common = {
  spec_version: pattern(/^1\.\d{1,3}(\.\d{1,3})?$/, 'a version of TUF such as 1.0.33'),
  version,
  expires: pattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'a moment such as 2027-01-31T12:00:00Z'),
}

const root = object({
  ...common,
  _type: literal('root'),
  consistent_snapshot: literal(true),
  keys: keyTable,
  roles: object({ root: roleKeys, targets: roleKeys, snapshot: roleKeys, timestamp: roleKeys }),
})

const delegation = object({
  name: string({ min: 1, max: 80 }),
  keyids: list(keyid, { min: 1, max: 32 }),
  threshold: integer({ min: 1, max: 32 }),
  terminating: literal(true),
  paths: list(string({ min: 1, max: 256 }), { min: 1, max: 8 }),
})

const targetFile = object({
  length: integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  hashes: object({ sha256: keyid }),
  /** For those who read this document and not the target: see described.ts. Nobody may act by it. */
  custom: optional(table(string({ min: 1, max: 64 }), unknown, { max: 16 })),
})

const targets = object({
  ...common,
  _type: literal('targets'),
  targets: table(string({ min: 1, max: 512 }), targetFile, { max: TARGETS_MAX }),
  delegations: optional(
    object({ keys: keyTable, roles: list(delegation, { max: TOURS_MAX + 3 }) }),
  ),
})

/** Optional in TUF, and asked for by some clients; others bound by it what they read before anybody vouches for it. */
const metaFile = object({
  version,
  length: optional(integer({ min: 1, max: METADATA_BYTES_MAX })),
  hashes: optional(object({ sha256: keyid })),
})

const snapshot = object({
  ...common,
  _type: literal('snapshot'),
  meta: table(string({ min: 1, max: 90 }), metaFile, { max: 4 * TOURS_MAX }),
})

const timestamp = object({
  ...common,
  _type: literal('timestamp'),
  meta: object({ 'snapshot.json': metaFile }),
})

const signatures = list(object({ keyid, sig: hexDigits }), { max: 64 })
const shapes = {
  root: object({ signatures, signed: root }),
  targets: object({ signatures, signed: targets }),
  snapshot: object({ signatures, signed: snapshot }),
  timestamp: object({ signatures, signed: timestamp }),
}

export const signedPart = object({ signatures, signed: choice('_type', root, targets) })

export type KeyJson = Readonly<Of<typeof publicKey>>
export type RoleKeys = Readonly<Of<typeof roleKeys>>
export type Delegation = Readonly<Of<typeof delegation>>
export type TargetFile = Readonly<Of<typeof targetFile>>
export type MetaFile = Readonly<Of<typeof metaFile>>
export type Root = Readonly<Of<typeof root>>
export type Targets = Readonly<Of<typeof targets>>
export type Snapshot = Readonly<Of<typeof snapshot>>
export type Timestamp = Readonly<Of<typeof timestamp>>
export type SignatureJson = Readonly<Of<typeof signatures>[number]>

export interface Document<S> {
  readonly signed: S
  readonly signatures: readonly SignatureJson[]
}

/** @throws ConfigError naming the field */
export const readRoot = (bytes: Uint8Array, name: string): Document<Root> =>
  check(shapes.root, jsonOf(bytes, name), name)
/** @throws ConfigError naming the field */
export const readTargets = (bytes: Uint8Array, name: string): Document<Targets> =>
  check(shapes.targets, jsonOf(bytes, name), name)
/** @throws ConfigError naming the field */
export const readSnapshot = (bytes: Uint8Array, name: string): Document<Snapshot> =>
  check(shapes.snapshot, jsonOf(bytes, name), name)
/** @throws ConfigError naming the field */
export const readTimestamp = (bytes: Uint8Array, name: string): Document<Timestamp> =>
  check(shapes.timestamp, jsonOf(bytes, name), name)

/** @throws ConfigError for what is no JSON */
export function jsonOf(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new ConfigError([{ path: name, message: `is no JSON: ${messageOf(cause)}`, place: null }])
  }
}

export const fileBytes = (document: unknown): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(document)}\n`)
