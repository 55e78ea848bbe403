/** Small releases for the tests of transfer objects: text that changed a little, code, copies, moves and empty files. */
import { createHash } from 'node:crypto'
import { LinuxBrotli } from '../../../drivers/linux/brotli.js'
import { LinuxDigests } from '../../../drivers/linux/digests.js'
import { SimulatedReleaseTree } from '../../../drivers/simulated/release-tree.js'
import type { ExpectedRelease } from '../../../ota/patch/apply.js'
import type { BuiltObject } from '../../../ota/patch/build.js'
import { formatManifest } from '../../../ota/release/manifest.js'
import { randomFrom } from '../../../runtime/core/random.js'
import type { ByteSource } from '../../../runtime/ports/release-tree.js'

export const ports = { brotli: new LinuxBrotli(), digests: new LinuxDigests() }
export const FOREVER = { callsUntilPowerCut: Number.POSITIVE_INFINITY }

export const sha256 = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex')

export type Content = ReadonlyMap<
  string,
  { readonly bytes: Uint8Array; readonly mode: '644' | '755' }
>

export interface TestRelease {
  readonly disk: SimulatedReleaseTree
  readonly digest: string
  readonly manifestByteCount: number
  readonly treeByteCount: number
  readonly treeFileCount: number
}

export function releaseOf(content: Content): TestRelease {
  const entries = [...content].map(([path, { bytes, mode }]) => ({
    path,
    mode,
    byteCount: bytes.length,
    sha256: sha256(bytes),
  }))
  const manifest = formatManifest(entries)
  const disk = new SimulatedReleaseTree(randomFrom(1))
  for (const [path, { bytes, mode }] of content) disk.put(path, bytes, mode)
  disk.put('manifest', manifest)
  return {
    disk,
    digest: sha256(manifest),
    manifestByteCount: manifest.length,
    treeByteCount: entries.reduce((sum, { byteCount }) => sum + byteCount, 0),
    treeFileCount: entries.length,
  }
}

export const expectedOf = (
  { kind, from }: Pick<BuiltObject, 'kind' | 'from'>,
  { digest, manifestByteCount, treeByteCount, treeFileCount }: TestRelease,
): ExpectedRelease => ({
  kind,
  from,
  digest,
  manifestByteCount,
  treeByteCount,
  treeFileCount,
})

export const sourceOf = (bytes: Uint8Array): ByteSource => ({
  byteCount: bytes.length,
  read: async (at, into) => {
    const part = bytes.subarray(at, at + into.length)
    into.set(part)
    return part.length
  },
})

/** A release and the one after it. */
export function pairOf(seed: number): { old: Content; next: Content } {
  const random = randomFrom(seed)
  const old = new Map<string, { bytes: Uint8Array; mode: '644' | '755' }>()
  const next = new Map<string, { bytes: Uint8Array; mode: '644' | '755' }>()
  const put = (path: string, before: Uint8Array | null, after: Uint8Array | null): void => {
    if (before !== null) old.set(path, { bytes: before, mode: '644' })
    if (after !== null) next.set(path, { bytes: after, mode: random() < 0.2 ? '755' : '644' })
  }
  for (let index = 0; index < 12; index++) {
    const before = someBytes(random, index % 2 === 0)
    put(
      `lib/${index % 3}/part-${index}.js`,
      before,
      random() < 0.4 ? before : changed(before, random),
    )
  }
  const twice = someBytes(random, true)
  put('twice/a.txt', twice, twice)
  put('twice/b.txt', twice, twice)
  put('moved/from.js', someBytes(random, true), null)
  put('moved/to.js', null, old.get('moved/from.js')?.bytes ?? null)
  put('new/\u00e9clair.json', null, someBytes(random, true))
  put('new/again.json', null, next.get('new/\u00e9clair.json')?.bytes ?? null)
  put('empty', null, new Uint8Array())
  put('bin/code', someBytes(random, false), changed(someBytes(random, false), random))
  put('gone.md', someBytes(random, true), null)
  return { old, next }
}

function someBytes(random: () => number, isText: boolean): Uint8Array {
  const words = ['lamp', 'shutter', 'ticket', 'return', 'const ', ' = ', '\n', '(', ')', '42']
  const byteCount = Math.floor(random() ** 3 * 60_000)
  if (!isText) return Uint8Array.from({ length: byteCount }, () => random() ** 4 * 256)
  let text = ''
  while (text.length < byteCount) text += words[Math.floor(random() * words.length)]
  return new TextEncoder().encode(text)
}

/** A few bytes changed, some put in, some left out. */
function changed(bytes: Uint8Array, random: () => number): Uint8Array {
  const at = Math.floor(random() * bytes.length)
  const until = Math.min(bytes.length, at + Math.floor(random() * 500))
  const result = Uint8Array.from([
    ...bytes.subarray(0, at),
    ...new TextEncoder().encode(`new ${random()}`),
    ...bytes.subarray(until),
  ])
  for (let count = 0; count < 10; count++)
    result[Math.floor(random() * result.length)] = random() * 256
  return result
}
