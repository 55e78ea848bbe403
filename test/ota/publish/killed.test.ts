/**
 * Goal: a publisher that is killed at any call to the disk leaves a repository that clients take, the old one or the new
 * one, and its command can be given again. Method: strace lists the calls of one deed that reach the folder, and kills one
 * deed after each of them. Bytes that were not synced survive this; the power cut is in power-cut.test.ts.
 */
import { execFile, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { FolderSource } from '../../../drivers/linux/folder-source.js'
import { LinuxPublicFolder } from '../../../drivers/linux/public-folder.js'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { verifyRepository } from '../../../ota/publish/verify.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { type Point, pointsOf } from '../killed-calls.js'
import { TrustBench } from '../tuf/trust-bench.js'
import { DEEDS, deedOf, madeDesk, RELEASE } from './deeds.js'
import { NOW_MS } from './publish-world.js'

const CHILD = fileURLToPath(new URL('../../fixtures/publish-deed.js', import.meta.url))
const CALLS = ['openat', 'write', 'pwrite64', 'fsync', 'rename', 'unlink', 'mkdir', 'chmod']
const RUN_MS_MAX = 20_000
/** The gate takes a few points of one deed, by the seed. `ALL=1` takes all points of all. */
const isAll = process.env['ALL'] === '1'
const SEED = Number(process.env['SEED'] ?? 1)
const POINTS_AT_GATE = 2
const run = promisify(execFile)

const hasStrace = spawnSync('strace', ['-V']).status === 0
const deeds = isAll ? DEEDS : DEEDS.filter((_, index) => index === (SEED + 3) % DEEDS.length)

t.setTimeout(isAll ? 900_000 : 60_000)
for (const deed of deeds)
  t.test(
    `${deed}, killed after any call to the disk`,
    { skip: hasStrace ? false : 'no strace' },
    async t => {
      const folder = t.testdir()
      const desk = join(folder, 'desk')
      mkdirSync(desk)
      await madeDesk(desk)
      const points = await tracedPoints(folder, desk, deed)
      t.ok(points.length >= 12, `${points.length} calls are killed at`)
      const random = randomFrom(SEED)
      const chosen = isAll
        ? points
        : Array.from({ length: POINTS_AT_GATE }, () => oneOf(points, random))
      let killed = 0
      for (const [index, point] of chosen.entries()) {
        const copy = join(folder, `desk-${index}`)
        cpSync(desk, copy, { recursive: true })
        if ((await killedAt(point, copy, deed)) === '') killed++
        t.same(await problemsOf(t, desk, copy, deed), [], `${point.call} ${point.count}`)
      }
      t.ok(killed > chosen.length / 2, `${killed} of ${chosen.length} were killed before the end`)
    },
  )

const oneOf = (points: readonly Point[], random: () => number): Point =>
  points[Math.floor(random() * points.length)] ?? { call: 'rename', count: 1 }

async function tracedPoints(folder: string, desk: string, deed: string): Promise<Point[]> {
  const copy = join(folder, 'traced')
  const trace = join(folder, 'trace')
  cpSync(desk, copy, { recursive: true })
  await child(['-y', '-o', trace, '-e', `trace=${CALLS.join()}`], copy, deed)
  return pointsOf(readFileSync(trace, 'utf8'), join(copy, 'repository'))
}

const killedAt = ({ call, count }: Point, copy: string, deed: string): Promise<string> =>
  child(['-o', '/dev/null', '-e', `inject=${call}:signal=SIGKILL:when=${count}`], copy, deed).catch(
    // Killed, as it should be.
    () => '',
  )

async function child(options: readonly string[], desk: string, deed: string): Promise<string> {
  const words = ['-f', '--seccomp-bpf', '-qq', ...options, process.execPath, CHILD, desk, deed]
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }
  return (await run('strace', words, { env, timeout: RUN_MS_MAX })).stdout
}

/** Of what the kill has left, and of what the same command makes of that. */
async function problemsOf(t: Test, desk: string, copy: string, deed: string): Promise<string[]> {
  const problems: string[] = []
  const say = (when: string, words: readonly string[]): void => {
    problems.push(...words.map(word => `${when}: ${word}`))
  }
  // Between the new root and what its keys sign, clients are turned away, and come back later.
  if (deed !== 'replace') say('killed', await clientsOf(desk, copy))
  await deedOf(copy, deed).catch((error: unknown) => say('given again', [String(error)]))
  say('given again', await clientsOf(desk, copy))
  const { problems: found } = await verifyRepository(
    new LinuxPublicFolder(join(copy, 'repository')),
    NOW_MS,
  )
  say('verified', found)
  t.comment(`${deed}: ${problems.length} problems`)
  return problems
}

/** One that was just set up, and one that knows the repository as it was before. */
async function clientsOf(desk: string, copy: string): Promise<string[]> {
  const words: string[] = []
  for (const knows of [null, desk]) {
    const bench = new TrustBench()
    bench.nowMs = Date.now()
    bench.provisionedRoot = readFileSync(join(desk, 'repository/metadata/1.root.json'))
    bench.files = new SimulatedFiles()
    for (const place of [knows, copy]) {
      if (place === null) continue
      bench.source = new FolderSource(join(place, 'repository'))
      const client = await bench.start()
      const outcome = await client.refresh()
      const { kind } = outcome.kind === 'believed' ? await client.find(RELEASE) : outcome
      if (kind !== 'found') words.push(JSON.stringify(outcome))
    }
  }
  return words
}
