/**
 * Goal: a refresh that is killed at any call to the disk leaves a store that starts, has forgotten nothing, and is
 * refreshed the next time. Method: strace lists the calls of one refresh that reach the store, and kills one refresh
 * after each of them. Bytes that were not synced survive this; the power cut is in power-cut.test.ts.
 */
import { execFile, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { LinuxFiles } from '../../../drivers/linux/files.js'
import { pointsOf } from '../killed-calls.js'
import { release, scenarios } from './scenarios.js'
import { day, pastOf, TrustBench, wordOf } from './trust-bench.js'

const CHILD = fileURLToPath(new URL('../../fixtures/trust-refresh.js', import.meta.url))
const CALLS = ['openat', 'write', 'pwrite64', 'fsync', 'rename', 'unlink', 'rmdir']
const AT_ONCE = 2
/** The gate takes a part of them, by the seed: with no factor of the calls of one replacement. `ALL=1` takes all. */
const EACH = process.env['ALL'] === '1' ? 1 : 5
const SEED = Number(process.env['SEED'] ?? 1)
const RUN_MS_MAX = 20_000
const run = promisify(execFile)

const hasStrace = spawnSync('strace', ['-V']).status === 0

t.setTimeout(120_000)
t.test(
  'a refresh killed after any call to the disk',
  { skip: hasStrace ? false : 'no strace' },
  async t => {
    const bench = new TrustBench()
    const { repository } = bench
    const first = pastOf(repository.files)
    release(repository)
    const folder = t.testdir()
    const [store, served] = [join(folder, 'store'), join(folder, 'repository')]
    bench.files = new LinuxFiles(store)
    t.equal(await bench.outcome(), 'believed')
    scenarios[1]?.change(repository)
    for (const [name, bytes] of repository.files) put(join(served, name), bytes)

    const trace = join(folder, 'trace')
    cpSync(store, join(folder, 'traced'), { recursive: true })
    const options = ['-y', '-o', trace, '-e', `trace=${CALLS.join()}`]
    const { stdout } = await child(options, [join(folder, 'traced'), served])
    t.equal(stdout, 'believed')
    const points = pointsOf(readFileSync(trace, 'utf8'), join(folder, 'traced'))
    t.ok(points.length > 20, `${points.length} calls are killed at`)

    const bad: string[] = []
    let killed = 0
    const queue = [...points.entries()].filter(([index]) => (index + SEED) % EACH === 0)
    const pointCount = queue.length
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [index, { call, count }] = next
        const copy = join(folder, `store-${index}`)
        cpSync(store, copy, { recursive: true })
        const inject = `inject=${call}:signal=SIGKILL:when=${count}`
        const { stdout } = await child(['-o', '/dev/null', '-e', inject], [copy, served])
        if (stdout === '') killed++
        const box = new TrustBench()
        box.provisionedRoot = bench.provisionedRoot
        box.files = new LinuxFiles(copy)
        box.source = first
        const past = await box
          .outcome()
          .catch((error: unknown) => `does not start: ${String(error)}`)
        if (!/older than seen|not signed as required/.test(past))
          bad.push(`${call} ${count}: the past is ${past}`)
        box.source = repository
        const after = wordOf(await (await box.start()).refresh())
        if (after !== 'believed') bad.push(`${call} ${count}: then ${after}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    t.same(bad, [])
    t.ok(killed > pointCount / 2, `${killed} of ${pointCount} were killed before they were done`)
  },
)

function put(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}

async function child(
  options: readonly string[],
  folders: readonly string[],
): Promise<{ stdout: string }> {
  const words = [
    '-f',
    '--seccomp-bpf',
    '-qq',
    ...options,
    process.execPath,
    CHILD,
    ...folders,
    `${day('2027-01-01')}`,
  ]
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }
  try {
    return await run('strace', words, { env, timeout: RUN_MS_MAX })
  } catch {
    // Killed, as it should be.
    return { stdout: '' }
  }
}
