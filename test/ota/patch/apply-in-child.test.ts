/**
 * Goal: an object is applied by a process beside the updater, and whatever becomes of that process, the updater knows.
 * Method: the real child, as it is built and as it is bundled; what a card, a kill or a stop does to it by a child that is
 * a function.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { LinuxPrograms } from '../../../drivers/linux/programs.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { type SimulatedProgram, SimulatedPrograms } from '../../../drivers/simulated/programs.js'
import { applyInChild } from '../../../ota/patch/apply-in-child.js'
import type { ApplyOrder } from '../../../ota/patch/apply-words.js'
import { buildObjects } from '../../../ota/patch/build.js'
import { expectedOf, FOREVER, pairOf, ports, releaseOf, sha256 } from './trees.js'

const BUILT = fileURLToPath(new URL('../../../ota/apply.js', import.meta.url))
const BUNDLED = fileURLToPath(new URL('../../../program/apply.js', import.meta.url))
const idle = { progress: (): void => {}, isCancelled: (): boolean => false }

async function onDisk(folder: string): Promise<ApplyOrder> {
  const { old: before, next: after } = pairOf(3)
  const [old, next] = [releaseOf(before), releaseOf(after)]
  const [object] = await buildObjects(ports, {
    next: next.disk.boot(FOREVER),
    bases: [old.disk.boot(FOREVER)],
    kinds: ['patch'],
    quality: 5,
  })
  if (object === undefined) throw new Error('no patch')
  for (const [path, { bytes }] of old.disk.files) put(join(folder, 'old', path), bytes)
  put(join(folder, 'object'), object.bytes)
  return {
    object: join(folder, 'object'),
    expected: expectedOf(object, next),
    base: join(folder, 'old'),
    target: join(folder, 'new'),
  }
}

function put(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}

t.test('the real child, built and bundled', async t => {
  const folder = t.testdir()
  const order = await onDisk(folder)
  const clock = new LinuxClock(ownAnchor())
  const programs = new LinuxPrograms(clock, { home: folder, environment: process.env })
  const manifest = join(order.target, 'manifest')
  for (const script of [BUILT, BUNDLED]) {
    const child = { programs, clock, script, folder }
    const told: number[] = []
    const progress = (done: number, all: number): void => {
      told.push(done)
      t.equal(all, order.expected.treeByteCount)
    }
    await applyInChild(child, order, { ...idle, progress })
    t.equal(sha256(readFileSync(manifest)), order.expected.digest)
    t.ok(told.length > 10, `${told.length} reports`)
    t.equal(told.at(-1), order.expected.treeByteCount)

    // It hears both words at once, before its first write.
    const cancelled = applyInChild(child, order, { ...idle, isCancelled: () => true })
    await t.rejects(cancelled, { code: 'fetch.cancelled' })
    t.notOk(existsSync(manifest), 'nothing that looks like a release is left')

    const wrong = { ...order, expected: { ...order.expected, digest: '0'.repeat(64) } }
    await t.rejects(applyInChild(child, wrong, idle), { code: 'release.invalid' })
    t.notOk(existsSync(manifest))
    await t.rejects(applyInChild(child, { ...order, object: join(folder, 'none') }, idle), {
      code: 'storage.io',
      message: /none/,
    })
  }
})

t.test('a child whose parent is gone ends, and so does one that is told nonsense', async t => {
  const alone = fork(BUILT)
  const gone = once(alone, 'exit')
  alone.disconnect()
  t.equal((await gone)[0], 0)
  const confused = fork(BUILT, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const ended = once(confused, 'exit')
  confused.send({ object: 'x', target: 'y', base: null, expected: { kind: 'full' } })
  t.equal((await ended)[0], 1)
})

function simulated(behave: SimulatedProgram): {
  clock: SimulatedClock
  programs: SimulatedPrograms
  run: (isCancelled?: () => boolean) => Promise<void>
} {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const programs = new SimulatedPrograms(behave)
  const order = { object: 'o', base: null, target: 't', expected: expectedOfNothing }
  const run = (isCancelled = (): boolean => false): Promise<void> =>
    applyInChild({ programs, clock, script: 's', folder: '/' }, order, { ...idle, isCancelled })
  return { clock, programs, run }
}

const expectedOfNothing: ApplyOrder['expected'] = {
  kind: 'full',
  from: null,
  digest: '0'.repeat(64),
  manifestByteCount: 1,
  treeByteCount: 1,
  treeFileCount: 1,
}

t.test('a child that is killed, or says what nobody understands', async t => {
  const { run } = simulated((_, { heard, ended }) => {
    for (const word of [null, 'x', { kind: 'failed', code: 'no.such', message: '' }]) heard(word)
    ended('signal SIGKILL')
    return { hear: () => {} }
  })
  await t.rejects(run(), { code: 'release.unapplied', message: /SIGKILL/ })
})

t.test('the last word counts, not how the child ends', async t => {
  for (const [word, outcome] of [
    [{ kind: 'applied' }, 'applied'],
    [{ kind: 'failed', code: 'storage.full', message: 'x' }, 'storage.full'],
  ] as const) {
    const { run, programs } = simulated((_, { heard }) => {
      heard(word)
      return { hear: () => {} }
    })
    const said = await run().then(
      () => 'applied',
      ({ code }: { code: string }) => code,
    )
    t.equal(said, outcome)
    t.equal(programs.runningCount, 0, 'it is gone')
  }
})

t.test('a child is told to stop at the next progress, and again at no other', async t => {
  const words: unknown[] = []
  const { run } = simulated((_, { heard, ended }) => ({
    hear: word => {
      words.push(word)
      if (words.length === 1) for (const done of [0, 1]) heard({ kind: 'progress', done, all: 1 })
      else ended('exit code 0')
    },
  }))
  let asked = 0
  await t.rejects(
    run(() => asked++ > 0),
    { code: 'fetch.cancelled' },
  )
  t.same(words.slice(1), [{ kind: 'cancel' }])
})

t.test('a child that hangs is killed: at a stop soon, otherwise after ten minutes', async t => {
  for (const [isCancelled, ms, code] of [
    [true, 6_000, 'fetch.cancelled'],
    [false, 601_000, 'release.unapplied'],
  ] as const) {
    const { run, clock, programs } = simulated(() => ({ hear: () => {} }))
    let outcome = ''
    let asked = 0
    const ended = run(() => {
      asked++
      return isCancelled
    }).catch((error: { code: string }) => {
      outcome = error.code
    })
    await clock.advance(ms - 2_000)
    t.equal(outcome, '', 'it is given its time')
    t.equal(programs.runningCount, 1)
    await clock.advance(2_000)
    await ended
    t.equal(outcome, code)
    t.equal(programs.runningCount, 0)
    const before = asked
    await clock.advance(10_000)
    t.equal(asked, before, 'no timer is left')
  }
})

t.test('a child that the kernel does not let go of is not waited for', async t => {
  const { run, clock, programs } = simulated(() => ({ hear: () => {} }))
  programs.isStuck = true
  let outcome = ''
  const ended = run(() => true).catch((error: { code: string }) => {
    outcome = error.code
  })
  await clock.advance(14_000)
  t.equal(outcome, '', 'it has its time')
  await clock.advance(3_000)
  await ended
  t.equal(outcome, 'fetch.cancelled')
})
