/** What a role lists anew, otherwise, and no more; as people call it. */
import { type Described, describedIn, isDocument, type Telling, tellingOf } from './described.js'
import type { TargetFile, Targets } from './documents.js'
import { activationText, pairsText, releasesText, sizeText } from './words.js'

type Table = Targets['targets']
const SHOWN_MAX = 20

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
  const isSame = (path: string): boolean => next[path]?.hashes.sha256 === old[path]?.hashes.sha256
  const added = paths(next, path => old[path] === undefined)
  const changed = paths(next, path => old[path] !== undefined && !isSame(path))
  const gone = paths(old, path => next[path] === undefined)
  const textOf = (path: string): string => newText(path, next[path], documents.get(path))
  const lines = [
    ...linesOf('new', added, next, textOf),
    ...linesOf(
      'changed',
      changed,
      next,
      path => `${textOf(path)}; was: ${oldText(path, old[path])}`,
    ),
    ...linesOf('gone', gone, old, path => oldText(path, old[path])),
  ]
  const kept = Object.keys(next).length - added.length - changed.length
  if (kept > 0 && lines.length > 0) lines.push(`  as before: ${countText(kept)}`)
  if (kept > 0 && lines.length === 0) lines.push(`  lists the same as before: ${countText(kept)}`)
  return lines
}

function linesOf(
  word: string,
  paths: readonly string[],
  table: Table,
  textOf: (path: string) => string,
): string[] {
  const [documents, pieces] = [paths.filter(isDocument), paths.filter(path => !isDocument(path))]
  const lines = documents.slice(0, SHOWN_MAX).map(path => `  ${word}: ${textOf(path)}`)
  if (documents.length > SHOWN_MAX)
    lines.push(`  ${word}: ${countText(documents.length - SHOWN_MAX)} more`)
  if (pieces.length === 0) return lines
  const byteCount = pieces.reduce((sum, path) => sum + (table[path]?.length ?? 0), 0)
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

function tellingText({ described, notes }: Telling): string {
  const words = notes === '' ? '' : `, ${JSON.stringify(notes)}`
  return `${describedText(described)}${words}`
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
