import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { askProgram, endChild, lastSaid } from '../../../drivers/linux/child.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'

const clockAtZero = (): SimulatedClock => new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
const limits = { environment: null, msMax: 60_000 }

/** Says that it is there, and stays. */
async function stays(t: Test, onTerm: string): Promise<ChildProcess> {
  const program = `${onTerm}; setInterval(() => {}, 1e6); console.log('there')`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

t.test('a program that heeds it ends by itself', async t => {
  const child = await stays(t, '')
  await endChild(clockAtZero(), child, 1_000)
  t.equal(child.signalCode, 'SIGTERM')
})

t.test('one that does not is ended when patience is', async t => {
  const clock = clockAtZero()
  const child = await stays(t, "process.on('SIGTERM', () => console.log('no'))")
  const refusal = child.stdout ? once(child.stdout, 'data') : null
  const end = endChild(clock, child, 1_000)
  await refusal
  await clock.advance(999)
  t.equal(child.killed && child.signalCode, null)
  await clock.advance(1)
  await end
  t.equal(child.signalCode, 'SIGKILL')
})

t.test('one that never began, or is gone, is not waited for', async t => {
  const clock = clockAtZero()
  const never = spawn('roadcase-no-such-program')
  await once(never, 'error')
  await endChild(clock, never, 1_000)
  const gone = spawn(process.execPath, ['-e', ''])
  await once(gone, 'exit')
  await endChild(clock, gone, 1_000)
  t.pass()
})

t.test('a program is asked; of one that fails, or is not there, nothing is said', async t => {
  const print = (text: string): string[] => ['-e', `process.stdout.write('${text}')`]
  t.equal(await askProgram(process.execPath, print('hello'), limits), 'hello')
  t.equal(await askProgram(process.execPath, ['-e', 'process.exit(1)'], limits), null)
  t.equal(await askProgram('roadcase-no-such-program', [], limits), null)
})

t.test('the end of what it said is one line, however much it was', async t => {
  const program = `process.stderr.write('x'.repeat(1e5) + '\\n  no such\\n card \\n')`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'pipe'] })
  const said = lastSaid(child.stderr)
  await once(child, 'close')
  t.match(said(), /^x+ no such card$/)
  t.ok(said().length <= 500)
})
