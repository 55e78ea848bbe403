import type { Digests } from '../../runtime/ports/digests.js'
import type { OsDescription } from '../os/os-description.js'
import { checkDescription, PIECE_BYTES, type ReleaseDescription } from './description.js'

export type TransferObject = ReleaseDescription['objects'][number]

/** What a person says of a release beyond what is in it. */
export interface ReleaseWords {
  readonly floor: string | null
  readonly minimumUpdater: string | null
  /** Names of boards; null: all of the architecture. */
  readonly boards: readonly string[] | null
  readonly notes: string
}

export interface DescribedTree {
  readonly version: string
  readonly architecture: ReleaseDescription['architecture']
  readonly manifest: { readonly sha256: string; readonly byteCount: number }
  /** Of the files that the manifest lists. */
  readonly byteCount: number
  readonly fileCount: number
}

/** How an object is named and proven, piece by piece. */
export function describeObject(
  digests: Digests,
  object: Pick<TransferObject, 'kind' | 'from'> & { readonly bytes: Uint8Array },
): TransferObject {
  const { kind, from, bytes } = object
  const hashes: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    hashes.push(bytesOf(sha256(digests, bytes.subarray(at, at + PIECE_BYTES))))
  const digest = sha256(digests, bytes)
  return {
    kind,
    from,
    target: `objects/${digest}.${kind}`,
    byteCount: bytes.length,
    sha256: digest,
    pieceByteCount: PIECE_BYTES,
    pieces: Buffer.concat(hashes).toString('base64'),
  }
}

/** @throws ConfigError for words that no box would believe; BoxError `release.invalid` for a floor above the release */
export function describeRelease(
  tree: DescribedTree,
  words: ReleaseWords,
  objects: readonly TransferObject[],
): ReleaseDescription {
  const { version, architecture, manifest, byteCount, fileCount } = tree
  return checkDescription({
    format: 1,
    product: 'roadcase',
    version,
    architecture,
    boards: words.boards,
    manifest: { sha256: manifest.sha256, byteCount: manifest.byteCount },
    treeByteCount: byteCount,
    treeFileCount: fileCount,
    floor: words.floor,
    minimumUpdater: words.minimumUpdater,
    notes: words.notes,
    objects,
  })
}

/**
 * The same for the same release, with names in order and no white space; line ends in the notes are escaped, so that
 * every JSON parser reads it.
 */
export const descriptionBytes = (description: ReleaseDescription | OsDescription): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(inOrder(description)))

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const sorted = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(sorted.map(([name, inner]) => [name, inOrder(inner)]))
}

/** What is worth sending: all of it, and from each base what is smaller than that. The largest first. */
export function worthSending(objects: readonly TransferObject[]): TransferObject[] {
  const full = objects.find(({ kind }) => kind === 'full')
  const byteCountMax = full?.byteCount ?? Number.POSITIVE_INFINITY
  return objects
    .filter(({ kind, byteCount }) => kind === 'full' || byteCount < byteCountMax)
    .sort((one, other) => other.byteCount - one.byteCount || (one.target < other.target ? -1 : 1))
}

function sha256(digests: Digests, bytes: Uint8Array): string {
  const digest = digests.sha256()
  digest.update(bytes)
  return digest.hex()
}

const bytesOf = (hex: string): Uint8Array => Buffer.from(hex, 'hex')
