/** What is signed of a release and of a tour: small JSON documents that a box checks before it believes a word. */
import {
  check,
  integer,
  list,
  literal,
  name,
  nullable,
  type Of,
  object,
  oneOf,
  optional,
  pattern,
  string,
} from '../../runtime/core/schema.js'
import { compareVersions } from './version-order.js'

export const PIECE_BYTES = 256 * 1024
/** More than any card of a box has room for twice. */
const BYTES_MAX = 8 * 1024 ** 3
const PIECES_MAX = BYTES_MAX / PIECE_BYTES
const OBJECTS_MAX = 64

export const architectures = ['arm64', 'x64'] as const
export type Architecture = (typeof architectures)[number]

export const sha256 = pattern(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
export const byteCount = integer({ min: 1, max: BYTES_MAX })

/** Numbers of a release: MAJOR.MINOR.PATCH, and maybe -PRE.RELEASE (semver.org 2.0.0, no build metadata). */
export const releaseVersion = pattern(
  /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9a-z]{1,16}(\.[0-9a-z]{1,16}){0,3})?$/,
  'a version such as 1.4.2 or 1.5.0-rc.1',
  64,
)

export const transferObject = object({
  kind: oneOf('patch', 'pack', 'full'),
  /** Digest of the release that it is applied to; null for `full`. */
  from: nullable(sha256),
  target: pattern(
    /^objects\/[0-9a-f]{64}\.(patch|pack|full)$/,
    'objects/ and a digest with its kind',
  ),
  byteCount,
  sha256,
  pieceByteCount: literal(PIECE_BYTES),
  /** Base64 of the SHA-256 of each piece, 32 bytes each, in order. */
  pieces: string({ min: 44, max: Math.ceil((PIECES_MAX * 32) / 3) * 4 }),
})

interface Bounds {
  readonly version: string
  readonly floor: string | null
}

/** Boxes that found such a one good would take nothing any more, and not start even this one again. */
export const isFloorBelow = ({ version, floor }: Bounds): boolean =>
  floor === null || compareVersions(floor, version) <= 0
export const aboveItself = {
  path: ['floor'],
  message: 'is above the version that it comes with',
}

const description = object({
  format: literal(1),
  product: literal('roadcase'),
  version: releaseVersion,
  architecture: oneOf(...architectures),
  /** Names of the boards that it is for; null: all of this architecture. */
  boards: nullable(list(name, { min: 1, max: 32 })),
  /** The manifest's SHA-256 is the release's identity. */
  manifest: object({ sha256, byteCount: integer({ min: 1, max: 8 * 1024 * 1024 }) }),
  treeByteCount: byteCount,
  treeFileCount: integer({ min: 1, max: 50_000 }),
  /** Once a box has found this release good, it takes none below this version; null: no new floor. */
  floor: nullable(releaseVersion),
  /** The oldest version whose updater can install it; null: any. */
  minimumUpdater: nullable(releaseVersion),
  notes: string({ max: 8192 }),
  objects: list(transferObject, { min: 1, max: OBJECTS_MAX }),
}).refine(isFloorBelow, aboveItself)

const order = object({
  format: literal(1),
  tour: name,
  releases: object({ arm64: optional(releaseVersion), x64: optional(releaseVersion) }),
  /** `venue`: all boxes of a venue switch at one moment, and go back together. */
  activation: oneOf('box', 'venue'),
  notes: string({ max: 8192 }),
})

export type ReleaseDescription = Readonly<Of<typeof description>>
export type TourOrder = Readonly<Of<typeof order>>

/** @throws ConfigError naming the field */
export const checkDescription = (value: unknown): ReleaseDescription =>
  check(description, value, 'release')

/** @throws ConfigError naming the field */
export const checkOrder = (value: unknown): TourOrder => check(order, value, 'order')

export const descriptionTarget = (architecture: Architecture, version: string): string =>
  `releases/${architecture}/${version}.json`
