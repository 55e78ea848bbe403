/** The launcher as the process that it is, with small releases that crash, hang, and pass READY but not the gate. */
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Behaviour } from '../../fixtures/slot-program.js'
import { Home } from './launched.js'
import { builtLauncher, type SmallRelease, smallRelease } from './small-release.js'

/** Nothing runs out on a machine that is busy; the pauses of the launcher are its own. */
const PATIENT = {
  ROADCASE_READY_MS: '60000',
  ROADCASE_SILENCE_MS: '60000',
  ROADCASE_TRIAL_MS: '120000',
  ROADCASE_GATE_MS: '60000',
}
/** For the trial that is to fail by it, so that the test is short. */
const SHORT_READY = { ...PATIENT, ROADCASE_READY_MS: '2500' }
const SHORT_SILENCE = { ...PATIENT, ROADCASE_SILENCE_MS: '2500' }
const SHORT_GATE = { ...PATIENT, ROADCASE_GATE_MS: '1000' }
const READY_MS_MAX = 60_000

const good = smallRelease({ version: '1.0.0', floor: null, behaviour: 'good', launcher: null })
const next = (behaviour: Behaviour, launcher: Uint8Array | null = null): SmallRelease =>
  smallRelease({ version: '1.1.0', floor: '1.0.0', behaviour, launcher })

/** Not a folder of tap's, which is removed before the launcher has been stopped that writes into it. */
function homeIn(t: Test, release: SmallRelease): Home {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-launcher-'))
  const made = new Home(join(folder, 'home'), release)
  t.teardown(async () => {
    await made.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  })
  return made
}

async function home(t: Test): Promise<Home> {
  const made = homeIn(t, good)
  made.launch(PATIENT)
  await made.ready('1.0.0', 0, READY_MS_MAX)
  return made
}

/** The updater of the old release has said that there is another one to start: told by ending the launcher here. */
async function switchTo(
  home: Home,
  wanted: SmallRelease,
  environment: Readonly<Record<string, string>> = PATIENT,
): Promise<number> {
  await home.stop()
  await home.install('a', wanted)
  const after = home.events().length
  home.launch(environment)
  return after
}

t.jobs = 4

t.test('a release that passes the gate stays, with its floor', async t => {
  const box = await home(t)
  const after = await switchTo(box, next('good'))
  await box.ready('1.1.0', after, READY_MS_MAX)
  await box.until(
    'it is good',
    () => box.events().some(({ event }) => event === 'good'),
    READY_MS_MAX,
  )
  await box.until('the launcher knows', () => box.said.includes('"trial.passed"'), READY_MS_MAX)
  const { slots, chosen, floor } = await box.state()
  t.match({ chosen, floor, kind: slots.b.kind }, { chosen: 'b', floor: '1.0.0', kind: 'good' })
  t.equal(await box.stop(), 0, 'it ends when asked')
})

for (const { behaviour, limits, why, attempts } of [
  { behaviour: 'crash', limits: PATIENT, why: /box ended: exit code 1/, attempts: 3 },
  { behaviour: 'hang', limits: SHORT_SILENCE, why: /box was silent for 2500 ms/, attempts: 1 },
  {
    behaviour: 'never-ready',
    limits: SHORT_READY,
    why: /box was not ready within 2500 ms/,
    attempts: 1,
  },
  {
    behaviour: 'gate-fails',
    limits: SHORT_GATE,
    why: /devices: 1 do not answer: front/,
    attempts: 1,
  },
] as const)
  t.test(`a release that does this on trial gives way to the one before: ${behaviour}`, async t => {
    const box = await home(t)
    const wanted = next(behaviour)
    const after = await switchTo(box, wanted, limits)
    await box.ready('1.0.0', after, READY_MS_MAX)
    const { slots, chosen, floor, refused } = await box.state()
    t.equal(chosen, 'a')
    t.equal(floor, null, 'the floor is as it was')
    t.equal(slots.b.kind, 'failed')
    t.match(refused[0]?.why, why)
    const trials = box
      .events()
      .filter(({ event, program }) => event === 'trial' && program === 'box')
    t.equal(trials.length, attempts, 'it had its attempts, and no more')
    await box.stop()
    await t.rejects(box.install('a', wanted), { code: 'slot.refused' }, 'it is not taken again')
    await box.agent('a').clear(wanted.release.digest)
    await box.agent('a').activate()
    t.equal((await box.state()).slots.b.kind, 'trial', 'until a person says so')
  })

t.test('everything is killed again and again in a trial: the third time is the last', async t => {
  const box = await home(t)
  let after = await switchTo(box, next('never-ready'))
  for (let cut = 1; cut <= 3; cut++) {
    const isOn = (): boolean =>
      box
        .events()
        .slice(after)
        .some(({ event, program }) => event === 'trial' && program === 'box')
    await box.until('the trial is on', isOn, READY_MS_MAX)
    const { slots } = await box.state()
    t.match(slots.b, { kind: 'trial', attempts: cut }, 'the attempt was counted before the start')
    // As a power cut does: nobody can say goodbye.
    const pid = /"pid":(\d+)/.exec(box.said.slice(box.said.lastIndexOf('"launcher.started"')))?.[1]
    process.kill(Number(pid), 'SIGKILL')
    await box.stop()
    after = box.events().length
    box.launch(PATIENT)
  }
  await box.ready('1.0.0', after, READY_MS_MAX)
  t.match((await box.state()).refused[0]?.why, /in every attempt/)
})

t.test('a good release is started again for as long as it takes', async t => {
  const crashing = smallRelease({
    version: '1.0.0',
    floor: null,
    behaviour: 'crash',
    launcher: null,
  })
  const box = homeIn(t, crashing)
  box.launch(PATIENT)
  const starts = (): number => box.events().filter(({ program }) => program === 'box').length
  await box.until('five starts', () => starts() >= 5, READY_MS_MAX)
  t.equal((await box.state()).slots.a.kind, 'good')
})

t.test('a slot that is rotten is not started, nor is what follows a torn record', async t => {
  const box = await home(t)
  const after = await switchTo(box, next('good'))
  await box.until(
    'it is good',
    () => box.events().some(({ event }) => event === 'settled'),
    READY_MS_MAX,
  )
  await box.stop()
  truncateSync(join(box.path, 'slots/state.0'), 40)
  const main = join(box.path, 'slots/b/program/main.js')
  writeFileSync(main, readFileSync(main, 'utf8').replace('play', 'plaj'))
  box.launch(PATIENT)
  await box.ready('1.0.0', after, READY_MS_MAX)
  t.match(box.said, /"slots.record-repaired"/)
  t.match(box.said, /program\/main.js is not what was signed/)
  t.equal((await box.state()).chosen, 'a')
})

t.test('a second launcher of the same home does nothing', async t => {
  const box = await home(t)
  const before = box.said.length
  const second = box.launch(PATIENT)
  const code = await new Promise(resolve => second.once('exit', resolve))
  t.equal(code, 70)
  t.match(box.said.slice(before), /runs already/)
  t.equal(box.events().filter(({ event }) => event === 'ready').length, 1)
})

t.test('programs that a killed launcher left behind are ended before others start', async t => {
  const box = await home(t)
  const { pid } = /"launcher.started".*?"pid":(?<pid>\d+)/.exec(box.said)?.groups ?? {}
  const after = box.events().length
  process.kill(Number(pid), 'SIGKILL')
  await box.stop()
  box.launch(PATIENT)
  await box.ready('1.0.0', after, READY_MS_MAX)
  t.equal(box.events().filter(({ event }) => event === 'ready').length, 2)
})

t.test('a good release brings its launcher; one that cannot start does not', async t => {
  const text = new TextDecoder().decode(builtLauncher())
  const newer = new TextEncoder().encode(`${text}\n// another one\n`)
  for (const { launcher, isTaken } of [
    { launcher: newer, isTaken: true },
    { launcher: new TextEncoder().encode('this is no program'), isTaken: false },
  ]) {
    const box = homeIn(t, good)
    box.launch(PATIENT)
    await box.ready('1.0.0', 0, READY_MS_MAX)
    await switchTo(box, next('good', launcher))
    const isSettled = (): boolean => box.events().some(({ event }) => event === 'settled')
    await box.until('it is settled', isSettled, READY_MS_MAX)
    const own = readFileSync(join(box.path, 'launcher.mjs'))
    t.same(own, Buffer.from(isTaken ? launcher : builtLauncher()))
    t.equal(existsSync(join(box.path, 'launcher.previous.mjs')), isTaken)
    await box.stop()
  }
})

t.test('a launcher that fails gives way to the one before it', async t => {
  const box = await home(t)
  await box.stop()
  writeFileSync(join(box.path, 'launcher.previous.mjs'), builtLauncher())
  writeFileSync(join(box.path, 'launcher.mjs'), 'process.exit(1)')
  const after = box.events().length
  box.launch(PATIENT)
  await box.ready('1.0.0', after, READY_MS_MAX)
  t.match(box.said, /the one before it is started/)
  rmSync(join(box.path, 'launcher.mjs'))
})

t.test(
  'a launcher whose log nobody reads any more starts its box, and ends when asked',
  async t => {
    const box = homeIn(t, good)
    const { whole, isFull } = fullPipe(t, box.path)
    t.ok(isFull)
    const launcher = box.launch(PATIENT, whole)
    await box.ready('1.0.0', 0, READY_MS_MAX)
    const ended = new Promise(resolve => launcher.once('exit', resolve))
    t.equal(await Promise.all([ended, box.stop()]).then(([code]) => code), 0)
  },
)

/** A pipe that takes nothing more, as whoever reads the log leaves it when he has stopped. */
function fullPipe(t: Test, folder: string): { whole: number; isFull: boolean } {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  const filling = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const whole = openSync(path, constants.O_WRONLY)
  t.teardown(() => [filling, whole].forEach(closeSync))
  const isFull = (): boolean => {
    try {
      return writeSync(filling, Buffer.alloc(4096)) < 0
    } catch {
      // EAGAIN: it is full.
      return true
    }
  }
  for (let writes = 0; writes < 1000; writes++) if (isFull()) return { whole, isFull: true }
  return { whole, isFull: false }
}

t.test('the launcher is one file without packages', async t => {
  const text = new TextDecoder().decode(builtLauncher())
  const imports = [...text.matchAll(/\bfrom\s*"([^"]+)"/g)].map(([, from]) => from)
  t.ok(imports.length > 0)
  t.ok(
    imports.every(from => from?.startsWith('node:')),
    imports.join(' '),
  )
  t.notMatch(text, /\brequire\(/)
  t.ok(text.length < 100_000, `${text.length} bytes`)
})
