/**
 * What a target is, in few words, beside its hash in the metadata (specification, 4.5: `custom`): so that who signs it, and
 * who reads the repository with any client, sees which release it is. Boxes and this publisher act by the target alone.
 */
import { ConfigError } from '../../runtime/core/errors.js'
import {
  check,
  choice,
  list,
  literal,
  name,
  nullable,
  type Of,
  object,
  oneOf,
  optional,
  string,
  table,
} from '../../runtime/core/schema.js'
import type { Keys } from '../../runtime/ports/keys.js'
import { checkOsDescription, checkOsOrder } from '../os/os-description.js'
import {
  architectures,
  byteCount,
  checkDescription,
  checkOrder,
  releaseVersion,
  sha256,
} from '../release/description.js'
import { momentText } from '../release/moments.js'
import { jsonOf, type TargetFile, type Targets } from './documents.js'

const CUSTOM = 'roadcase'
const boards = list(name, { min: 1, max: 32 })
const published = optional(string({ min: 20, max: 20 }))

const described = choice(
  'kind',
  object({
    kind: literal('release'),
    version: releaseVersion,
    architecture: oneOf(...architectures),
    boards: nullable(boards),
    /** What `release build` calls it by. */
    digest: sha256,
    /** Of the full object. */
    byteCount,
    published,
  }),
  object({
    kind: literal('system'),
    version: releaseVersion,
    boards,
    /** The SHA-256 of each image, or of the bundle. */
    images: table(name, sha256, { max: 4 }),
    byteCount,
    published,
  }),
  object({
    kind: literal('order'),
    releases: object({ arm64: optional(releaseVersion), x64: optional(releaseVersion) }),
    activation: oneOf('box', 'venue'),
    published,
  }),
  object({
    kind: literal('systems'),
    systems: table(name, releaseVersion, { max: 32 }),
    published,
  }),
)
export type Described = Readonly<Of<typeof described>>

/** A target that says what it is. */
export interface Telling {
  readonly described: Described
  /** What only the target itself says. */
  readonly notes: string
  /** The version below which no box that has found it good comes again; null: no new one. */
  readonly floor: string | null
  /** The oldest version that can install it; null: any. */
  readonly minimum: string | null
}

const shape = object({ [CUSTOM]: described })

/** By where a target lies: a document that boxes act by and people can read, or something that is fetched in pieces. */
export const isDocument = (path: string): boolean =>
  /^(releases|os)\/[^/]+\/[^/]+$|^tours\/[^/]+\/(order|os)\.json$/.test(path)

/** @returns null for a target that is no document @throws ConfigError naming the field of one that is not of its form */
export function tellingOf(path: string, bytes: Uint8Array): Telling | null {
  const value = isDocument(path) ? jsonOf(bytes, path) : null
  if (/^releases\//.test(path)) return ofRelease(value)
  if (/^os\//.test(path)) return ofSystem(value)
  if (/^tours\/[^/]+\/order\.json$/.test(path)) {
    const { releases, activation, notes } = checkOrder(value)
    return { described: { kind: 'order', releases, activation }, notes, ...UNBOUND }
  }
  if (/^tours\/[^/]+\/os\.json$/.test(path))
    return {
      ...{ described: { kind: 'systems', systems: checkOsOrder(value).systems }, notes: '' },
      ...UNBOUND,
    }
  return null
}

const UNBOUND = { floor: null, minimum: null }

function ofRelease(value: unknown): Telling {
  const description = checkDescription(value)
  const { version, architecture, boards: for_, manifest, objects, notes, floor } = description
  const bytes = objects.find(({ kind }) => kind === 'full')?.byteCount ?? 1
  const own = { boards: for_, digest: manifest.sha256, byteCount: bytes }
  const minimum = description.minimumUpdater
  return { described: { kind: 'release', version, architecture, ...own }, notes, floor, minimum }
}

function ofSystem(value: unknown): Telling {
  const description = checkOsDescription(value)
  const { version, boards: for_, images, bundle, notes, floor } = description
  const files = Object.entries({ ...images, ...(bundle === undefined ? {} : { bundle }) })
  const bytes = files.reduce(
    (
      sum,
      [
        ,
        {
          object: { byteCount: count },
        },
      ],
    ) => sum + count,
    0,
  )
  const digests = Object.fromEntries(files.map(([part, file]) => [part, file.sha256]))
  const own = { boards: for_, images: digests, byteCount: bytes }
  const minimum = description.minimumRelease
  return { described: { kind: 'system', version, ...own }, notes, floor, minimum }
}

/**
 * A target as it is listed, with what it is and since when; what is listed already stays as it is.
 * @param wallMs now, since the Unix epoch
 */
export function listed(
  path: string,
  bytes: Uint8Array,
  { keys, table: known, wallMs }: Listing,
): TargetFile {
  const file = { length: bytes.length, hashes: { sha256: keys.sha256Hex(bytes) } }
  const before = known[path]
  if (before?.hashes.sha256 === file.hashes.sha256) return before
  const telling = tellingOf(path, bytes)
  if (telling === null) return file
  const custom = { [CUSTOM]: { ...telling.described, published: momentText(wallMs) } }
  return { ...file, custom }
}

interface Listing {
  readonly keys: Pick<Keys, 'sha256Hex'>
  /** What the role lists so far. */
  readonly table: Targets['targets']
  readonly wallMs: number
}

/** Whether two say the same of a target, to the last field: a length of its own makes it another, since boxes refuse it. */
export const isSameTarget = (one: TargetFile | undefined, other: TargetFile | undefined): boolean =>
  one === other || (one !== undefined && other !== undefined && textOf(one) === textOf(other))

/** What a table has under a path: not what every object has. */
export const targetIn = (table: Targets['targets'], path: string): TargetFile | undefined =>
  Object.hasOwn(table, path) ? table[path] : undefined

/** What is said beside a target; null where nothing is, or nothing that this program understands. */
export function describedIn({ custom }: TargetFile): Described | null {
  if (custom === undefined) return null
  try {
    return check(shape, custom, 'custom')[CUSTOM]
  } catch (error) {
    // Of another publisher, or of a later one: it is for reading only.
    if (error instanceof ConfigError) return null
    throw error
  }
}

/** Whether what is said beside a target is what the target says. Where nothing is said, nothing is wrong. */
export function isAsDescribed(path: string, bytes: Uint8Array, file: TargetFile): boolean {
  const beside = describedIn(file)
  if (beside === null) return true
  const { published: _, ...rest } = beside
  const telling = tellingOf(path, bytes)
  return telling !== null && textOf(rest) === textOf(telling.described)
}

/** The same for the same, in whatever order it stands. */
const textOf = (value: unknown): string => JSON.stringify(ordered(value))

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, ordered(item)]))
}
