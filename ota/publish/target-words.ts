/** What a role lists anew, otherwise, and no more; as people call it. */
import {
  type Described,
  describedIn,
  isDocument,
  isSameTarget,
  type Telling,
  targetIn,
  tellingOf,
} from './described.js'
import type { TargetFile, Targets } from './documents.js'
import { activationText, pairsText, releasesText, sizeText } from './words.js'

type Table = Targets['targets']

/**
 * One line each.
 * @param before null for a role that there was not
 * @param documents by path, what is listed anew itself: what stands beside it in the table is not asked
 */
export function targetWords(
  next: Table,
  before: Table | null,
  documents: ReadonlyMap<string, Uint8Array>,
): string[] {
  const old = before ?? {}
  const paths = (table: Table, isWanted: (path: string) => boolean): string[] =>
    Object.keys(table).filter(isWanted)
  const isThere = (table: Table, path: string): boolean => targetIn(table, path) !== undefined
  const isSame = (path: string): boolean => isSameTarget(targetIn(next, path), targetIn(old, path))
  const added = paths(next, path => !isThere(old, path))
  const changed = paths(next, path => isThere(old, path) && !isSame(path))
  const gone = paths(old, path => !isThere(next, path))
  const textOf = (path: string): string => newText(path, targetIn(next, path), documents.get(path))
  const lines = [
    ...linesOf('new', added, next, textOf),
    ...linesOf(
      'changed',
      changed,
      next,
      path => `${textOf(path)}; was: ${oldText(path, targetIn(old, path))}`,
    ),
    ...linesOf('gone', gone, old, path => oldText(path, targetIn(old, path))),
  ]
  const kept = Object.keys(next).length - added.length - changed.length
  if (kept > 0 && lines.length > 0) lines.push(`  as before: ${countText(kept)}`)
  if (kept > 0 && lines.length === 0) lines.push(`  lists the same as before: ${countText(kept)}`)
  return lines
}

/** All that boxes act by: what is left out of many could be what it is about. */
function linesOf(
  word: string,
  paths: readonly string[],
  table: Table,
  textOf: (path: string) => string,
): string[] {
  const [documents, pieces] = [paths.filter(isDocument), paths.filter(path => !isDocument(path))]
  const lines = documents.map(path => `  ${word}: ${textOf(path)}`)
  if (pieces.length === 0) return lines
  const byteCount = pieces.reduce((sum, path) => sum + (targetIn(table, path)?.length ?? 0), 0)
  return [...lines, `  ${word}: ${countText(pieces.length)}, ${sizeText(byteCount)}`]
}

/** By the document itself, whose hash is what is signed. */
function newText(
  path: string,
  file: TargetFile | undefined,
  bytes: Uint8Array | undefined,
): string {
  const telling = bytes === undefined ? null : tellingOf(path, bytes)
  if (telling !== null) return `${path}: ${tellingText(telling)}`
  const hash = file === undefined ? '' : `, SHA-256 ${file.hashes.sha256}`
  return `${path}: what it says is not in this draft${hash}`
}

function oldText(path: string, file: TargetFile | undefined): string {
  const described = file === undefined ? null : describedIn(file)
  if (described === null) return path
  return `${describedText(described)}${sinceText(described)}`
}

const sinceText = ({ published }: Described): string =>
  published === undefined ? '' : ` of ${published.slice(0, 10)}`

function tellingText({ described, notes, floor, minimum }: Telling): string {
  const bounds = [
    ...(floor === null ? [] : [`, then never below ${floor}`]),
    ...(minimum === null ? [] : [`, installed by ${minimum} and newer`]),
  ]
  const words = notes === '' ? '' : `, ${JSON.stringify(notes)}`
  return `${describedText(described)}${bounds.join('')}${words}`
}

function describedText(described: Described): string {
  switch (described.kind) {
    case 'release': {
      const { version, architecture, boards, byteCount, digest } = described
      const whom = boards === null ? '' : `, only on ${boards.join(', ')}`
      return `release ${version} for ${architecture}${whom}, ${sizeText(byteCount)}, digest ${digest}`
    }
    case 'system': {
      const { version, boards, byteCount, images } = described
      const digests = Object.entries(images).map(([part, digest]) => `${part} ${digest}`)
      return `operating system ${version} for ${boards.join(', ')}, ${sizeText(byteCount)}, ${digests.join(', ')}`
    }
    case 'order':
      return `${releasesText(described.releases)}, ${activationText(described.activation)}`
    case 'systems':
      return `operating system ${pairsText(described.systems)}`
  }
}

const countText = (count: number): string => (count === 1 ? '1 file' : `${count} files`)
