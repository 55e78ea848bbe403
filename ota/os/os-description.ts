/** What is signed of an operating system: two images, for the partition the firmware reads and for the one Linux runs from. */

import { BoxError, ConfigError } from '../../runtime/core/errors.js'
import {
  check,
  list,
  literal,
  name,
  nullable,
  type Of,
  object,
  oneOf,
  string,
  table,
} from '../../runtime/core/schema.js'
import type { Keys } from '../../runtime/ports/keys.js'
import {
  architectures,
  byteCount,
  releaseVersion,
  sha256,
  transferObject,
} from '../release/description.js'
import { compareVersions } from '../release/version-order.js'
import { type OsImage, osParts } from './os-state.js'

const image = object({
  /** Of the image as it lies on the partition, from its first byte. */
  byteCount,
  sha256,
  /** Brotli of the image, of kind `full`. */
  object: transferObject,
})

const description = object({
  format: literal(1),
  product: literal('roadcase-os'),
  version: releaseVersion,
  architecture: oneOf(...architectures),
  /** Names of the boards that it starts on. */
  boards: list(name, { min: 1, max: 32 }),
  images: object({ boot: image, root: image }),
  /** Once a box has found this system good, it takes none below this version; null: no new floor. */
  floor: nullable(releaseVersion),
  /** The oldest version of Roadcase that can install it, and run on it; null: any. */
  minimumRelease: nullable(releaseVersion),
  notes: string({ max: 8192 }),
})

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

type TransferObject = OsDescription['images']['boot']['object']

/** In the order in which they are written. */
export const objectsOf = ({ images }: OsDescription): readonly TransferObject[] =>
  osParts.map(part => images[part].object)

/** @throws ConfigError naming the field */
export function checkOsDescription(value: unknown): OsDescription {
  const checked = check(description, value, 'os')
  for (const part of osParts) {
    const { kind, from } = checked.images[part].object
    if (kind === 'full' && from === null) continue
    const path = `os.images.${part}.object.kind`
    throw new ConfigError([{ path, message: 'must be full, and from nothing', place: null }])
  }
  return checked
}

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
export function describeOs(words: OsWords, images: OsDescription['images']): OsDescription {
  const { version, architecture, boards, floor, minimumRelease, notes } = words
  const described = checkOsDescription({
    ...{ format: 1, product: 'roadcase-os', version, architecture, boards },
    ...{ images, floor, minimumRelease, notes },
  })
  if (floor !== null && compareVersions(floor, version) > 0)
    throw new BoxError(
      'release.invalid',
      `the floor ${floor} is above the system itself, which is ${version}`,
    )
  return described
}

export const osDescriptionTarget = (board: string, version: string): string =>
  `os/${board}/${version}.json`

/** Who it is: by the bytes of its images alone, so that another name does not make it another system. */
export function osImage(keys: Keys, { version, floor, images }: OsDescription): OsImage {
  const words = `roadcase-os ${images.boot.sha256} ${images.root.sha256}`
  return {
    digest: keys.sha256Hex(new TextEncoder().encode(words)),
    version,
    floor,
    boot: partOf(images.boot),
    root: partOf(images.root),
  }
}

const partOf = ({ byteCount, sha256 }: { byteCount: number; sha256: string }) => ({
  byteCount,
  sha256,
})
