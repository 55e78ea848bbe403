/**
 * What a release has that its base has not, without the hashes: the box reckons them from what it writes, and then the
 * whole manifest has to be the signed one. Numbers of one sort stand together, which compresses better.
 */
import { BoxError } from '../../runtime/core/errors.js'
import {
  compareUtf8,
  MANIFEST_BYTES_MAX,
  MANIFEST_FILES_MAX,
  type ManifestEntry,
} from '../release/manifest.js'
import { VarintReader, VarintWriter } from './varints.js'

/** A file of the release: copied from a file of the base, or, `source` null, sent. */
export interface Planned {
  readonly path: string
  readonly mode: '644' | '755'
  readonly byteCount: number
  readonly source: ManifestEntry | null
}

/** What becomes of a run of files, in the order of paths. */
const Step = { keep: 0, drop: 1, change: 2, add: 3 } as const
const STEPS = 4
const utf8 = {
  encode: new TextEncoder(),
  decode: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
}

interface Stepped {
  readonly step: number
  readonly base: ManifestEntry | null
  readonly next: ManifestEntry | null
}

/** The files that are sent are those whose content is nowhere in the base. */
export function planOf(
  next: readonly ManifestEntry[],
  base: readonly ManifestEntry[],
): { planned: Planned[]; bytes: Uint8Array } {
  const places = new Map(base.map(({ sha256 }, index) => [sha256, index]))
  const steps = stepsBetween(next, base)
  const made = steps.filter(({ step }) => step === Step.change || step === Step.add)
  const writer = new VarintWriter()
  putRuns(
    writer,
    steps.map(({ step }) => step),
  )
  for (const { next: entry } of made)
    if (entry !== null)
      writer.put(((places.get(entry.sha256) ?? -1) + 1) * 2 + (entry.mode === '755' ? 1 : 0))
  for (const { next: entry, base: before } of made)
    if (entry !== null && !places.has(entry.sha256))
      writer.putSigned(entry.byteCount - (before?.byteCount ?? 0))
  putPaths(
    writer,
    made.flatMap(({ step, next: entry }) => (step === Step.add && entry ? [entry.path] : [])),
  )
  const planned = steps.flatMap(({ step, base: before, next: entry }) => {
    if (entry === null) return []
    const { path, mode, byteCount, sha256 } = entry
    // What stays is its own source, though the base may have it twice: the other side reckons so, too.
    const source = step === Step.keep ? before : (base[places.get(sha256) ?? -1] ?? null)
    return [{ path, mode, byteCount, source }]
  })
  return { planned, bytes: writer.bytes() }
}

function stepsBetween(next: readonly ManifestEntry[], base: readonly ManifestEntry[]): Stepped[] {
  const steps: Stepped[] = []
  let [at, baseAt] = [0, 0]
  while (at < next.length || baseAt < base.length) {
    const step = stepOf(next[at] ?? null, base[baseAt] ?? null)
    steps.push(step)
    if (step.next !== null) at++
    if (step.base !== null) baseAt++
  }
  return steps
}

/** Of the next file of each, both in the order of their paths. */
function stepOf(next: ManifestEntry | null, base: ManifestEntry | null): Stepped {
  const order = next === null ? 1 : base === null ? -1 : compareUtf8(next.path, base.path)
  if (order > 0) return { step: Step.drop, base, next: null }
  if (order < 0) return { step: Step.add, base: null, next }
  const isKept = next?.sha256 === base?.sha256 && next?.mode === base?.mode
  return { step: isKept ? Step.keep : Step.change, base, next }
}

function putRuns(writer: VarintWriter, steps: readonly number[]): void {
  const runs: { step: number; count: number }[] = []
  for (const step of steps) {
    const last = runs.at(-1)
    if (last?.step === step) last.count++
    else runs.push({ step, count: 1 })
  }
  writer.put(runs.length)
  for (const { step, count } of runs) writer.put(count * STEPS + step)
}

/** Of each path only what differs from the one before. */
function putPaths(writer: VarintWriter, paths: readonly string[]): void {
  const names: Uint8Array[] = []
  let before: Uint8Array = new Uint8Array()
  for (const path of paths) {
    const bytes = utf8.encode.encode(path)
    let shared = 0
    while (shared < before.length && before[shared] === bytes[shared]) shared++
    writer.put(shared)
    writer.put(bytes.length - shared)
    names.push(bytes.subarray(shared))
    before = bytes
  }
  for (const name of names) writer.putBytes(name)
}

/** @throws BoxError `release.invalid` */
export function readPlan(bytes: Uint8Array, base: readonly ManifestEntry[]): Planned[] {
  const reader = new VarintReader(bytes)
  const steps = takeSteps(reader, base)
  const made = steps.filter(({ step }) => step !== Step.keep)
  const heads = made.map(() => reader.take())
  const sizes = made.map(({ base: before }, index) =>
    (heads[index] ?? 0) < 2 ? (before?.byteCount ?? 0) + reader.takeSigned() : 0,
  )
  const paths = takePaths(reader, made.filter(({ step }) => step === Step.add).length)
  if (!reader.isAtEnd) throw invalid('goes on behind its end')
  let [at, pathAt] = [0, 0]
  return steps.map(({ step, base: before }) => {
    if (step === Step.keep && before !== null) return copied(before.path, before.mode, before)
    const [head, byteCount] = [heads[at] ?? 0, sizes[at] ?? 0]
    at++
    const path = step === Step.add ? paths[pathAt++] : before?.path
    if (path === undefined) throw invalid('has too few paths')
    return madeOf({ path, head, byteCount }, base)
  })
}

function madeOf(
  made: { path: string; head: number; byteCount: number },
  base: readonly ManifestEntry[],
): Planned {
  const mode = made.head % 2 === 1 ? '755' : '644'
  if (made.head >= 2) return copied(made.path, mode, base[Math.floor(made.head / 2) - 1])
  if (made.byteCount < 0) throw invalid('has a file of less than nothing')
  return { path: made.path, mode, byteCount: made.byteCount, source: null }
}

function copied(path: string, mode: '644' | '755', source: ManifestEntry | undefined): Planned {
  if (source === undefined) throw invalid('copies a file that the base has not')
  return { path, mode, byteCount: source.byteCount, source }
}

/** Those of files that the release has: dropped ones are only counted. */
function takeSteps(
  reader: VarintReader,
  base: readonly ManifestEntry[],
): { step: number; base: ManifestEntry | null }[] {
  const steps: { step: number; base: ManifestEntry | null }[] = []
  let baseAt = 0
  for (let runs = reader.take(); runs > 0; runs--) {
    const head = reader.take()
    const [step, count] = [head % STEPS, Math.floor(head / STEPS)]
    if (count === 0 || steps.length + count > MANIFEST_FILES_MAX + base.length)
      throw invalid('has too many files')
    if (step === Step.add) {
      pushAll(steps, step, new Array<null>(count).fill(null))
      continue
    }
    if (count > base.length - baseAt) throw invalid('has more files of the base than there are')
    const before = base.slice(baseAt, baseAt + count)
    if (step !== Step.drop) pushAll(steps, step, before)
    baseAt += count
  }
  if (baseAt !== base.length) throw invalid('forgets files of the base')
  return steps
}

/** There may be more than a call takes arguments. */
function pushAll(
  steps: { step: number; base: ManifestEntry | null }[],
  step: number,
  files: readonly (ManifestEntry | null)[],
): void {
  for (const base of files) steps.push({ step, base })
}

function takePaths(reader: VarintReader, count: number): string[] {
  const lengths = Array.from({ length: count }, () => [reader.take(), reader.take()])
  let before: Uint8Array = new Uint8Array()
  let byteCount = 0
  return lengths.map(([shared = 0, own = 0]) => {
    byteCount += shared + own
    // A few bytes of a plan can say "as the path before" for as many files as there may be.
    if (byteCount > MANIFEST_BYTES_MAX) throw invalid('has more paths than any manifest')
    if (shared > before.length) throw invalid('has a path that shares more than there is')
    if (shared + own > 4096) throw invalid('has a path that is too long')
    const path = new Uint8Array(shared + own)
    path.set(before.subarray(0, shared))
    path.set(reader.takeBytes(own), shared)
    before = path
    try {
      return utf8.decode.decode(path)
    } catch (cause) {
      throw new BoxError('release.invalid', 'the plan has a path that is not UTF-8', { cause })
    }
  })
}

/** Files of the base that the release has not at their place: what changed files are made of. */
export function gone(
  base: readonly ManifestEntry[],
  planned: readonly { path: string; source: ManifestEntry | null }[],
): ManifestEntry[] {
  const kept = new Set(planned.flatMap(({ path, source }) => (source?.path === path ? [path] : [])))
  return base.filter(({ path }) => !kept.has(path))
}

const invalid = (problem: string): BoxError =>
  new BoxError('release.invalid', `the plan ${problem}`)
