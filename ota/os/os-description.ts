/**
 * What is signed of an operating system: two images, for the partition the firmware reads and for the one Linux runs from;
 * or a bundle of RAUC, where the image has it.
 */

import { assert, ConfigError } from '../../runtime/core/errors.js'
import {
  check,
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
import {
  aboveItself,
  architectures,
  byteCount,
  isFloorBelow,
  releaseVersion,
  sha256,
  transferObject,
} from '../release/description.js'
import type { BundleImage, OsImage, OsPart, PartitionImage } from './os-state.js'

const image = object({
  /** Of the image as it lies on the partition, from its first byte; or of the bundle, as it is a file. */
  byteCount,
  sha256,
  /** Brotli of it, of kind `full`. */
  object: transferObject,
})

const description = object({
  format: literal(1),
  product: literal('roadcase-os'),
  version: releaseVersion,
  architecture: oneOf(...architectures),
  /** Names of the boards that it starts on. */
  boards: list(name, { min: 1, max: 32 }),
  /** Either these or `bundle`. */
  images: optional(object({ boot: image, root: image })),
  bundle: optional(image),
  /** Once a box has found this system good, it takes none below this version; null: no new floor. */
  floor: nullable(releaseVersion),
  /** The oldest version of Roadcase that can install it, and run on it; null: any. */
  minimumRelease: nullable(releaseVersion),
  notes: string({ max: 8192 }),
}).refine(isFloorBelow, aboveItself)

export type OsDescription = Readonly<Of<typeof description>>

/** Which operating system the boxes of a tour shall run: beside their order, so that a box that knows only releases reads on. */
const order = object({
  format: literal(1),
  tour: name,
  /** By the name of the board. */
  systems: table(name, releaseVersion, { max: 32 }),
})
export type OsOrder = Readonly<Of<typeof order>>

/** @throws ConfigError naming the field */
export const checkOsOrder = (value: unknown): OsOrder => check(order, value, 'os order')
export const osOrderTarget = (tour: string): string => `tours/${tour}/os.json`

export type OsFileDescription = Readonly<Of<typeof image>>

export interface OsFile extends OsFileDescription {
  readonly part: OsPart | 'bundle'
  /** Of it in the description. */
  readonly path: string
}

/** What is to be fetched, in the order in which it is written. */
export function osFiles({ images, bundle }: OsDescription): readonly OsFile[] {
  if (bundle !== undefined) return [{ ...bundle, part: 'bundle', path: 'bundle' }]
  const { boot, root } = images ?? {}
  return [
    ...(root ? [{ ...root, part: 'root', path: 'images.root' } as const] : []),
    ...(boot ? [{ ...boot, part: 'boot', path: 'images.boot' } as const] : []),
  ]
}

export const objectsOf = (described: OsDescription): readonly OsFile['object'][] =>
  osFiles(described).map(({ object }) => object)

/** @throws ConfigError naming the field */
export function checkOsDescription(value: unknown): OsDescription {
  const checked = check(description, value, 'os')
  if ((checked.images === undefined) === (checked.bundle === undefined))
    throw wrong('os.images', 'must be there, or os.bundle, and not both')
  for (const { path, object } of osFiles(checked))
    if (object.kind !== 'full' || object.from !== null)
      throw wrong(`os.${path}.object.kind`, 'must be full, and from nothing')
  return checked
}

/** By what is in them: two images, or a bundle. */
export type OsFileDescriptions =
  | { readonly images: Readonly<Record<OsPart, OsFileDescription>> }
  | { readonly bundle: OsFileDescription }

/** What a person says of a system, beyond its images. */
export interface OsWords {
  readonly version: string
  readonly architecture: OsDescription['architecture']
  readonly boards: readonly string[]
  readonly floor: string | null
  readonly minimumRelease: string | null
  readonly notes: string
}

/** @throws ConfigError for words that no box would believe; BoxError `release.invalid` for a floor above the system */
export function describeOs(words: OsWords, files: OsFileDescriptions): OsDescription {
  const { version, architecture, boards, floor, minimumRelease, notes } = words
  return checkOsDescription({
    ...{ format: 1, product: 'roadcase-os', version, architecture, boards },
    ...{ ...files, floor, minimumRelease, notes },
  })
}

const wrong = (path: string, message: string): ConfigError =>
  new ConfigError([{ path, message, place: null }])

export const osDescriptionTarget = (board: string, version: string): string =>
  `os/${board}/${version}.json`

/** Who it is: by the bytes of its images alone, so that another name does not make it another system. */
export function osImage(keys: Keys, { version, floor, images, bundle }: OsDescription): OsImage {
  const digestOf = (words: string): string => keys.sha256Hex(new TextEncoder().encode(words))
  if (bundle !== undefined) {
    const digest = digestOf(`roadcase-os-bundle ${bundle.sha256}`)
    return { digest, version, floor, bundle: partOf(bundle), slots: [] } satisfies BundleImage
  }
  assert(images !== undefined, 'one without images has a bundle')
  return {
    digest: digestOf(`roadcase-os ${images.boot.sha256} ${images.root.sha256}`),
    version,
    floor,
    boot: partOf(images.boot),
    root: partOf(images.root),
  } satisfies PartitionImage
}

const partOf = ({ byteCount, sha256 }: { byteCount: number; sha256: string }) => ({
  byteCount,
  sha256,
})
