/**
 * Goal: an output is safe after its process has ended, however it ended, and an orderly stop leaves nothing behind.
 * Method: a real child with a real guard, a file for a lamp, and a signal that no process can catch.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { Guard } from '../../../drivers/linux/guard.js'
import { lockPlace } from '../../../drivers/linux/last-act.js'
import { openLibc } from '../../../drivers/linux/libc.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { after } from '../../../runtime/core/time.js'
import { compileInto } from '../../fixtures/compiled.js'

/** Nothing waits so long when all is well; the machine may have other things to do. */
const LIMIT_MS = 30_000

t.setTimeout(180_000)
const clock = new LinuxClock(ownAnchor())
const libc = await openLibc()
const compiled = t.testdir()
compileInto(compiled, ['test/fixtures/guarded-lamp', 'drivers/linux/guard-process'])
const lamp = (name: string): string => {
  const file = join(compiled, name)
  writeFileSync(file, '0')
  return file
}
const stateOf = (file: string): string => readFileSync(file, 'latin1')

async function until(isTrue: () => boolean): Promise<boolean> {
  const limit = after(clock.monotonicMs(), LIMIT_MS)
  while (!isTrue() && clock.monotonicMs() < limit)
    await new Promise<void>(resolve => clock.runAt(after(clock.monotonicMs(), 1), resolve))
  return isTrue()
}

function isAlive(pid: number): boolean {
  try {
    // Also a child that nobody has waited for yet answers; the state says whether it runs.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

type Said = Readonly<Record<string, unknown>> & { readonly facts?: { readonly pid?: number } }

interface Doomed {
  readonly child: ChildProcess
  readonly ended: Promise<unknown>
  /** What it said itself, an object a line. */
  readonly said: readonly Said[]
  /** The process ids of its guards. */
  guards(): readonly number[]
  /** What its guards said in its log. */
  heard(): string
}

/** @param isGroup whether the child leads a process group, as it does in a terminal */
async function startDoomed(file: string, ending: string, isGroup = false): Promise<Doomed> {
  const script = join(compiled, 'test/fixtures/guarded-lamp.js')
  // What the test runner puts into the environment would reach the guard, too, and catch its signals.
  const child = spawn('env', ['-i', process.execPath, script, file, ending], {
    detached: isGroup,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const deadline = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
  const said: Said[] = []
  let [rest, heard] = ['', '']
  child.stdout.on('data', part => {
    const lines = `${rest}${part}`.split('\n')
    rest = lines.pop() ?? ''
    said.push(...lines.map(line => JSON.parse(line)))
  })
  child.stderr.on('data', part => {
    heard += String(part)
  })
  const ended = once(child, 'exit').finally(() => clearTimeout(deadline))
  await until(() => said.some(({ event }) => event === 'lit'))
  const guards = (): number[] =>
    said.filter(({ event }) => event === 'guard.ready').map(({ facts }) => facts?.pid ?? 0)
  return { child, ended, said, guards, heard: () => heard }
}

/** The lamp goes dark, the guard says so and is gone. */
async function becomesSafe(t: Test, file: string, { guards, heard }: Doomed): Promise<void> {
  t.ok(await until(() => stateOf(file) === '0'), 'the lamp goes dark')
  t.ok(guards().length > 0 && (await until(() => !guards().some(isAlive))), 'the guard is gone')
  t.ok(await until(() => heard().includes('"guard.spoke"')), 'the log says who did it')
}

t.test('a lamp is dark after its process was killed', async t => {
  const file = lamp('killed')
  const doomed = await startDoomed(file, 'wait')
  t.equal(stateOf(file), '1')
  doomed.child.kill('SIGKILL')
  await doomed.ended
  await becomesSafe(t, file, doomed)
})

t.test('a lamp is dark after its process was killed before the guard had started', async t => {
  const file = lamp('early')
  const doomed = await startDoomed(file, 'early')
  doomed.child.kill('SIGKILL')
  await doomed.ended
  t.ok(await until(() => stateOf(file) === '0'))
})

for (const ending of ['abort', 'exit', 'throw'])
  t.test(`a lamp is dark after its process ended by ${ending}`, async t => {
    const file = lamp(ending)
    const doomed = await startDoomed(file, ending)
    await doomed.ended
    await becomesSafe(t, file, doomed)
  })

t.test('a signal that ends a whole group does not end the guard before its time', async t => {
  const file = lamp('group')
  const doomed = await startDoomed(file, 'wait', true)
  const [pid = 0] = doomed.guards()
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.kill(pid, signal)
  process.kill(-(doomed.child.pid ?? 0), 'SIGKILL')
  await doomed.ended
  await becomesSafe(t, file, doomed)
})

t.test('an orderly stop leaves the guard nothing to do, and nothing behind', async t => {
  const file = lamp('stop')
  const doomed = await startDoomed(file, 'stop')
  const [status] = (await doomed.ended) as [number]
  t.equal(status, 0)
  t.notOk(doomed.guards().some(isAlive), 'the guard is gone before its box is')
  t.equal(stateOf(file), 'left as it is')
  t.equal(doomed.heard(), '')
})

t.test('what a stop forgot is made safe, and the stop is not held up', async t => {
  const file = lamp('forgotten')
  const doomed = await startDoomed(file, 'forgotten')
  const [status] = (await doomed.ended) as [number]
  t.equal(status, 0)
  t.equal(stateOf(file)[0], '0')
  t.notOk(doomed.guards().some(isAlive))
})

t.test('a lamp that a living process has taken is left alone', async t => {
  const file = lamp('taken')
  const doomed = await startDoomed(file, 'wait')
  const [pid = 0] = doomed.guards()
  process.kill(pid, 'SIGSTOP')
  doomed.child.kill('SIGKILL')
  await doomed.ended
  const fd = lockPlace(libc, { kind: 'file', path: file, text: '0' })
  t.ok(fd !== null, 'it is free as soon as its process is dead')
  process.kill(pid, 'SIGCONT')
  t.ok(await until(() => !isAlive(pid)), 'the guard ends')
  t.equal(stateOf(file), '1')
  t.ok(await until(() => doomed.heard().includes('"done":0,"left":1')), 'and says so')
})

t.test('a lamp is dark while the main thread is blocked, and is left alone afterwards', async t => {
  const file = lamp('block')
  const { ended, said } = await startDoomed(file, 'block')
  await ended
  const silent = said.find(({ event }) => event === 'silent')
  t.match(silent, { state: '0', heard: [Number], afterwards: '1' })
  t.same(Object(silent)['heard'].length, 1)
})

t.test('a guard that is killed is replaced by one that knows everything', async t => {
  const file = lamp('replaced')
  const doomed = await startDoomed(file, 'wait')
  const [first = 0] = doomed.guards()
  process.kill(first, 'SIGKILL')
  t.ok(await until(() => doomed.guards().length === 2))
  t.match(
    doomed.said.find(({ event }) => event === 'guard.missing'),
    { level: 'warn', facts: { why: 'it ended with SIGKILL', retryMs: 1000 } },
  )
  t.equal(stateOf(file), '1')
  doomed.child.kill('SIGKILL')
  await doomed.ended
  await becomesSafe(t, file, doomed)
})

t.test('a guard that was well for a while is replaced at once again', async t => {
  const log = new SimulatedLog()
  const simulated = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const guard = new Guard(simulated, log, libc, { heartbeatMs: 60_000 })
  guard.start()
  t.teardown(() => guard.stop())
  const of = (event: string) => log.lines.filter(line => line.event === event)
  const deaths: unknown[] = []
  for (const wellMs of [0, 59_000, 60_000, 0]) {
    const count = deaths.length
    t.ok(await until(() => of('guard.ready').length > count), 'it is ready')
    await simulated.advance(wellMs)
    process.kill(Number(of('guard.ready')[count]?.facts?.['pid']), 'SIGKILL')
    t.ok(await until(() => of('guard.missing').length > count), 'it is missed')
    const retryMs = Number(of('guard.missing')[count]?.facts?.['retryMs'])
    deaths.push(retryMs)
    await simulated.advance(retryMs)
  }
  t.same(deaths, [1000, 2000, 1000, 2000])
})

t.test('a place that another process has is busy, until that one is dead', async t => {
  const file = lamp('busy')
  const doomed = await startDoomed(file, 'wait')
  const guard = new Guard(clock, new SimulatedLog(), libc, { heartbeatMs: 60_000 })
  const word = { kind: 'file', path: file, text: '0' } as const
  await t.rejects(guard.keep(word), { code: 'device.busy', message: /another process/ })
  const isKept = guard.keep(word)
  doomed.child.kill('SIGKILL')
  await doomed.ended
  const forget = await isKept
  forget()
  await becomesSafe(t, file, doomed)
})
