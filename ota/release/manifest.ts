/**
 * The list of everything in a release tree, as canonical bytes: their SHA-256 is what a release is. One line a file, so
 * that a small change of a release is a small change of its manifest, too.
 */
import { BoxError } from '../../runtime/core/errors.js'

export interface ManifestEntry {
  /** Below the release's folder, with slashes. */
  readonly path: string
  readonly mode: '644' | '755'
  readonly byteCount: number
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string
}

export const MANIFEST_FILE = 'manifest'
export const MANIFEST_BYTES_MAX = 8 * 1024 * 1024
export const MANIFEST_FILES_MAX = 50_000

const FIRST_LINE = 'roadcase-manifest 1'
const LINE = /^(644|755) (0|[1-9]\d{0,11}) ([0-9a-f]{64}) (.+)$/
const PATH_BYTES_MAX = 1024
const SEGMENT_BYTES_MAX = 255
const utf8 = new TextEncoder()

/**
 * Reads what `formatManifest` writes, and nothing else: two manifests that say the same are the same bytes.
 * @throws BoxError `release.invalid` with the line and what is wrong with it
 */
export function parseManifest(bytes: Uint8Array): ManifestEntry[] {
  if (bytes.length > MANIFEST_BYTES_MAX)
    throw invalid(`has ${bytes.length} bytes, at most ${MANIFEST_BYTES_MAX} are allowed`)
  const lines = textOf(bytes).split('\n')
  if (lines.shift() !== FIRST_LINE) throw invalid(`does not begin with "${FIRST_LINE}"`)
  if (lines.pop() !== '') throw invalid('does not end with a line feed')
  const entries = lines.map((line, index) => parseLine(line, index + 2))
  checkEntries(entries)
  return entries
}

/**
 * @param entries in any order
 * @throws BoxError `release.invalid` for a path that no box may write, twice the same, or too many
 */
export function formatManifest(entries: readonly ManifestEntry[]): Uint8Array {
  const sorted = [...entries].sort((one, other) => compareUtf8(one.path, other.path))
  checkEntries(sorted)
  const lines = sorted.map(
    ({ mode, byteCount, sha256, path }) => `${mode} ${byteCount} ${sha256} ${path}\n`,
  )
  const bytes = utf8.encode(`${FIRST_LINE}\n${lines.join('')}`)
  // What cannot be read back is not written.
  parseManifest(bytes)
  return bytes
}

/** The order of the paths' UTF-8 bytes, which is that of their code points. */
export function compareUtf8(one: string, other: string): number {
  const [a, b] = [utf8.encode(one), utf8.encode(other)]
  for (let at = 0; at < a.length && at < b.length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new BoxError('release.invalid', 'the manifest is not UTF-8', { cause })
  }
}

function parseLine(line: string, number: number): ManifestEntry {
  const [, mode, size, sha256, path] = LINE.exec(line) ?? []
  if (sha256 === undefined || path === undefined)
    throw invalid(`line ${number} is not "MODE SIZE SHA256 PATH"`)
  return { mode: mode === '755' ? '755' : '644', byteCount: Number(size), sha256, path }
}

function checkEntries(entries: readonly ManifestEntry[]): void {
  if (entries.length === 0) throw invalid('lists no file')
  if (entries.length > MANIFEST_FILES_MAX)
    throw invalid(`lists ${entries.length} files, at most ${MANIFEST_FILES_MAX} are allowed`)
  let last: string | null = null
  for (const { path } of entries) {
    const problem = problemOfPath(path)
    if (problem !== null) throw invalid(`has the path ${JSON.stringify(path)}, which ${problem}`)
    if (last !== null && compareUtf8(last, path) >= 0)
      throw invalid(`has ${JSON.stringify(path)} twice, or not in its place`)
    last = path
  }
  checkFolded(entries.map(({ path }) => path))
}

/** Some disks take letters for the same that are not. */
function checkFolded(paths: readonly string[]): void {
  const files = new Set<string>()
  const folders = new Set<string>()
  for (const path of paths) {
    const folded = foldedPath(path)
    if (files.has(folded)) throw invalid(`has ${JSON.stringify(path)} twice but for its letters`)
    files.add(folded)
    for (let at = folded.indexOf('/'); at >= 0; at = folded.indexOf('/', at + 1))
      folders.add(folded.slice(0, at))
  }
  const both = paths.find(path => folders.has(foldedPath(path)))
  if (both !== undefined) throw invalid(`has ${JSON.stringify(both)} as a file and as a folder`)
}

const foldedPath = (path: string): string => path.normalize('NFC').toLowerCase()

/** What is wrong with a path, to be said after "which"; null when a box may write it. */
function problemOfPath(path: string): string | null {
  if (path === MANIFEST_FILE) return 'is that of the manifest itself'
  if (utf8.encode(path).length > PATH_BYTES_MAX) return `has more than ${PATH_BYTES_MAX} bytes`
  if (path !== new TextDecoder().decode(utf8.encode(path))) return 'is not Unicode'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f\\]/.test(path)) return 'has a control character or a backslash'
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.' || segment === '..')
      return 'has an empty, "." or ".." segment'
    if (utf8.encode(segment).length > SEGMENT_BYTES_MAX)
      return `has a segment of more than ${SEGMENT_BYTES_MAX} bytes`
  }
  return null
}

const invalid = (problem: string): BoxError =>
  new BoxError('release.invalid', `the manifest ${problem}`)
