/**
 * Goal: an apply that is killed at any call to the disk leaves a tree that is whole, or one without a manifest, and the
 * next apply makes the release of it. Method: strace lists the calls of one apply that reach the slot, and kills one
 * apply after each of them. Bytes that were not synced survive this; power cuts are in apply.test.ts and the lab.
 */
import { execFile, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { LinuxReleaseTree, LinuxReleaseTreeWriter } from '../../../drivers/linux/release-tree.js'
import { applyObject } from '../../../ota/patch/apply.js'
import { buildObjects } from '../../../ota/patch/build.js'
import { parseManifest } from '../../../ota/release/manifest.js'
import { type Point, pointsOf } from '../killed-calls.js'
import { expectedOf, FOREVER, pairOf, ports, releaseOf, sha256, sourceOf } from './trees.js'

const CHILD = fileURLToPath(new URL('../../fixtures/apply-object.js', import.meta.url))
const CALLS = ['openat', 'write', 'fchmod', 'fsync', 'rename', 'unlink', 'rmdir', 'mkdir', 'close']
const AT_ONCE = 2
/** The gate takes a part of them, by the seed: with no factor of the calls of one file. `ALL=1` takes all. */
const EACH = process.env['ALL'] === '1' ? 1 : 17
const LAST = 12
const SEED = Number(process.env['SEED'] ?? 1)
const RUN_MS_MAX = 20_000
const run = promisify(execFile)

const hasStrace = spawnSync('strace', ['-V']).status === 0
const mayWrite = hasStrace ? false : 'no strace'

t.setTimeout(600_000)
t.test('an apply killed after any call to the disk', { skip: mayWrite }, async t => {
  const folder = t.testdir()
  const pair = pairOf(5)
  const [old, next] = [releaseOf(pair.old), releaseOf(pair.next)]
  const [object] = await buildObjects(ports, {
    next: next.disk.boot(FOREVER),
    bases: [old.disk.boot(FOREVER)],
    kinds: ['patch'],
    quality: 5,
  })
  if (object === undefined) throw new Error('no patch')
  const base = join(folder, 'base')
  for (const [path, { bytes }] of old.disk.files) put(join(base, path), bytes)
  put(join(folder, 'object'), object.bytes)
  const expected = expectedOf(object, next)
  const orderFor = (target: string): string =>
    JSON.stringify({ object: join(folder, 'object'), base, target, expected })

  const traced = join(folder, 'slot-traced')
  cpSync(base, traced, { recursive: true })
  const trace = join(folder, 'trace')
  t.equal(await child(['-y', '-o', trace, '-e', `trace=${CALLS.join()}`], orderFor(traced)), true)
  t.equal(problemIn(traced, next.digest), null)
  const points = pointsOf(readFileSync(trace, 'utf8'), traced)
  // Half of some 150 where the other thread was ahead.
  t.ok(points.length > 40, `${points.length} calls are killed at`)

  const bad: string[] = []
  let killed = 0
  // Always the last ones, where the manifest is put into its place.
  const queue = [...points.entries()].filter(
    ([index]) => (index + SEED) % EACH === 0 || index >= points.length - LAST,
  )
  const pointCount = queue.length
  const applyAgain = (slot: string): Promise<unknown> =>
    applyObject(ports, {
      expected,
      object: sourceOf(object.bytes),
      base: new LinuxReleaseTree(base),
      target: new LinuxReleaseTreeWriter(slot),
      onProgress: () => {},
      isCancelled: () => false,
    })
  const killAt = async (index: number, { call, count }: Point): Promise<void> => {
    const slot = join(folder, `slot-${index}`)
    // What an older release has left there.
    cpSync(base, slot, { recursive: true })
    const inject = `inject=${call}:signal=SIGKILL:when=${count}`
    if (!(await child(['-o', '/dev/null', '-e', inject], orderFor(slot)))) killed++
    const found = existsSync(join(slot, 'manifest')) ? problemIn(slot, null) : null
    if (found !== null) bad.push(`${call} ${count}: ${found}`)
    await applyAgain(slot)
    const after = problemIn(slot, next.digest)
    if (after !== null) bad.push(`${call} ${count}: then ${after}`)
  }
  const worker = async (): Promise<void> => {
    for (let point = queue.shift(); point !== undefined; point = queue.shift())
      await killAt(...point)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  t.same(bad, [])
  t.ok(killed > pointCount * 0.8, `${killed} of ${pointCount} were killed before they were done`)
})

function put(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}

/** What is wrong with a tree that has a manifest. @param digest of the only release that it may be; null: any */
function problemIn(tree: string, digest: string | null): string | null {
  const manifest = readFileSync(join(tree, 'manifest'))
  if (digest !== null && sha256(manifest) !== digest) return 'another release'
  const entries = entriesIn(manifest)
  if (entries === null) return 'no list of files'
  const wrong = entries.find(({ path, sha256: hash }) => {
    const file = join(tree, path)
    return !existsSync(file) || sha256(readFileSync(file)) !== hash
  })
  if (wrong !== undefined) return `${wrong.path} is wrong`
  const files = readdirSync(tree, { recursive: true, withFileTypes: true })
  const count = files.filter(file => file.isFile()).length
  return count === entries.length + 1 ? null : `${count} files, ${entries.length + 1} listed`
}

function entriesIn(manifest: Uint8Array): ReturnType<typeof parseManifest> | null {
  try {
    return parseManifest(manifest)
  } catch {
    return null
  }
}

/** @returns whether it came to its end */
async function child(options: readonly string[], order: string): Promise<boolean> {
  const words = ['-f', '--seccomp-bpf', '-qq', ...options, process.execPath, CHILD, order]
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }
  try {
    await run('strace', words, { env, timeout: RUN_MS_MAX })
    return true
  } catch {
    // Killed, as it should be.
    return false
  }
}
