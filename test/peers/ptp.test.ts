/** PTP of ours before linuxptp's ptp4l and pmc, in namespaces that have no way to any other network. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compileInto } from '../fixtures/compiled.js'
import type { VenueClockSettings } from '../fixtures/venue-clock.js'
import { fillBoxFolder } from './box-folder.js'
import { LAN, makeNamespaces, type Namespaces } from './namespaces.js'
import {
  type Answer,
  askByNetwork,
  askOne,
  type Follow,
  follow,
  identityOf,
  type Ptp4lSettings,
  startPtp4l,
  whyNoPtp,
} from './ptp4l.js'
import { type BoxClock, startVenueClock } from './venue-clock.js'

const CLOCK = 'test/fixtures/venue-clock'
const STRAY = 'test/fixtures/stray-clock'
/** Both ends read one clock, and the machine may stand still for long: milliseconds say that it is the same time. */
const SAME_MICROSECONDS = 5_000
const STRAY_IDENTITY = '00000000000000aa'

const whyNot = process.env['CI'] === undefined ? whyNoPtp() : null
const skip = whyNot ?? false
const compiled = whyNot === null ? t.testdir() : ''
if (whyNot === null) compileInto(compiled, [CLOCK, STRAY])
t.setTimeout(175_000)

function network(t: Test, count: number): Namespaces {
  const namespaces = makeNamespaces(count)
  t.teardown(() => namespaces.remove())
  return namespaces
}

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'roadcase-ptp-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function clock(
  t: Test,
  namespaces: Namespaces,
  number: number,
  settings: Partial<VenueClockSettings> = {},
): BoxClock {
  const script = join(compiled, `${CLOCK}.js`)
  const box = startVenueClock(script, namespaces, number, { stateFolder: folder(t), ...settings })
  t.teardown(() => box.stop())
  return box
}

function peer(t: Test, namespaces: Namespaces, number: number, settings: Ptp4lSettings) {
  const ptp4l = startPtp4l(namespaces, number, settings)
  t.teardown(() => ptp4l.stop())
  return ptp4l
}

/** A box as it is, with the documents of the example. */
function wholeBox(t: Test, namespaces: Namespaces, number: number): Follow {
  if (!statSync('dist/program/main.js', { throwIfNoEntry: false }))
    execFileSync('npm', ['run', 'build'])
  const { configFile, stateFolder } = fillBoxFolder(folder(t))
  const config = JSON.parse(readFileSync(configFile, 'utf8'))
  writeFileSync(configFile, JSON.stringify({ ...config, clock: { ptp: { interface: LAN } } }))
  const options = ['--config', configFile, '--board', 'simulated', '--state', stateFolder]
  const args = ['dist/program/main.js', ...options]
  const box = follow(...namespaces.within(number, process.execPath, args))
  t.teardown(() => box.stop())
  return box
}

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** How far values are from the one in their middle, mostly. */
const spread = (values: readonly number[]): number =>
  middle(values.map(value => Math.abs(value - middle(values))))

t.test('ptp4l follows a box, and pmc reads from the box how it does', { skip }, async t => {
  const namespaces = network(t, 3)
  const box = wholeBox(t, namespaces, 0)
  const ptp4l = peer(t, namespaces, 1, { priority1: 200 })
  const { clock: own } = await ptp4l.ask('DEFAULT_DATA_SET')
  const ofTheBox = (request: string): Promise<Answer> =>
    askOne(namespaces, 2, request, clock => clock !== own)
  const isFollowed = async (): Promise<boolean> =>
    (await ofTheBox('GET DEFAULT_DATA_SET')).fields['clockClass'] === '13'
  await box.until(isFollowed, 'being followed')

  const described = await ofTheBox('GET DEFAULT_DATA_SET')
  const [parent, current] = [
    await ptp4l.ask('PARENT_DATA_SET'),
    await ptp4l.ask('CURRENT_DATA_SET'),
  ]
  t.equal(identityOf(parent.fields['grandmasterIdentity'] ?? ''), described.clock)
  t.equal(current.fields['stepsRemoved'], '1')
  await ptp4l.until(() => ptp4l.offsetsMicroseconds().length > 40, 'some offsets')
  const offsetsMicroseconds = ptp4l.offsetsMicroseconds()
  t.ok(spread(offsetsMicroseconds) < SAME_MICROSECONDS, 'it runs as the box does')
  t.ok(Math.abs(middle(offsetsMicroseconds)) < 60e6, 'and shows what the box began at: its date')

  t.match(described.fields, {
    twoStepFlag: '1',
    slaveOnly: '0',
    numberPorts: '1',
    priority1: '128',
    priority2: '128',
    domainNumber: '42',
  })
  t.match((await ofTheBox('GET CURRENT_DATA_SET')).fields, {
    stepsRemoved: '0',
    offsetFromMaster: '0.0',
    meanPathDelay: '0.0',
  })
  t.match((await ofTheBox('GET PORT_DATA_SET')).fields, {
    portState: 'MASTER',
    logAnnounceInterval: '-2',
    announceReceiptTimeout: '3',
    logSyncInterval: '-3',
    logMinDelayReqInterval: '-3',
    delayMechanism: '1',
    versionNumber: '2',
  })
  t.match(
    (await ofTheBox('GET TIME_PROPERTIES_DATA_SET')).fields,
    { ptpTimescale: '0', currentUtcOffsetValid: '0', timeTraceable: '0', timeSource: '0xa0' },
    'a timescale of its own, traceable to nothing',
  )
  t.match((await ofTheBox('GET USER_DESCRIPTION')).fields, {
    userDescription: 'first-night/box-1',
  })

  t.match((await ofTheBox('GET CLOCK_DESCRIPTION')).fields, {
    protocolAddress: /^1 \d+\.\d+\.\d+\.\d+$/,
  })

  t.match((await ofTheBox('SET PRIORITY1 1')).head, /MANAGEMENT_ERROR_STATUS/)
  t.match((await ofTheBox('GET DEFAULT_DATA_SET')).fields, { priority1: '128' })
  t.same(await askByNetwork(namespaces, 2, 'GET DEFAULT_DATA_SET', 43), [], 'in its domain only')
})

t.test(
  'a box follows ptp4l, and leads when that is killed, at the same time',
  { skip },
  async t => {
    const namespaces = network(t, 3)
    const ptp4l = peer(t, namespaces, 0, { priority1: 10 })
    await ptp4l.until(() => ptp4l.output().includes('assuming the grand master role'), 'its role')
    const { clock: leader } = await ptp4l.ask('DEFAULT_DATA_SET')
    const box = clock(t, namespaces, 1)
    await box.until(
      () => box.state()?.state === 'following' && box.state()?.offsetMicroseconds !== null,
      'following',
    )
    t.equal(box.state()?.leader, leader)
    t.match(box.state(), { interface: LAN, domain: 42, stamps: 'kernel', clocksHeard: 1 })
    const known = box.aheadMicroseconds.length
    await box.until(() => box.aheadMicroseconds.length > known + 64, 'some seconds of it')
    t.ok(middle(box.aheadMicroseconds.slice(known).map(Math.abs)) < SAME_MICROSECONDS)
    const followed = await answerOf(namespaces, box, 'GET CURRENT_DATA_SET')
    t.equal(followed.fields['stepsRemoved'], '1')
    t.ok(Number(followed.fields['meanPathDelay']) > 0)
    t.match((await answerOf(namespaces, box, 'GET PORT_DATA_SET')).fields, { portState: 'SLAVE' })

    await ptp4l.stop('SIGKILL')
    await box.until(() => box.state()?.state === 'leading', 'its own lead')
    t.equal(box.state()?.leader, box.state()?.identity)
    t.match((await answerOf(namespaces, box, 'GET DEFAULT_DATA_SET')).fields, { clockClass: '14' })
    t.match(
      (await answerOf(namespaces, box, 'GET PARENT_DATA_SET')).fields,
      { 'gm.ClockClass': '14' },
      'it goes on with what another began',
    )
    const led = box.aheadMicroseconds.slice(known)
    t.ok(spread(led) < SAME_MICROSECONDS && isWithin(led, 0))
    t.equal(box.logged.filter(line => line.startsWith('clock.stepped')).length, 1, 'at first only')
  },
)

/** None of them is far from there, which a jump would be. */
const isWithin = (values: readonly number[], from: number): boolean =>
  values.every(value => Math.abs(value - from) < 4 * SAME_MICROSECONDS)

const answerOf = (namespaces: Namespaces, box: BoxClock, request: string): Promise<Answer> =>
  askOne(namespaces, 2, request, clock => clock === box.state()?.identity)

t.test('a box leads its venue, and tells how far the clock of the house is', { skip }, async t => {
  const namespaces = network(t, 2)
  const ptp4l = peer(t, namespaces, 0, { priority1: 1, domainNumber: 0 })
  await ptp4l.until(() => ptp4l.output().includes('assuming the grand master role'), 'its role')
  const box = clock(t, namespaces, 1, { houseDomain: 0 })
  await box.until(() => box.state()?.state === 'leading', 'its own lead')
  await box.until(() => box.house()?.state === 'following', 'the clock of the house')
  const known = box.aheadMicroseconds.length
  await box.until(() => box.aheadMicroseconds.length > known + 64, 'some seconds of it')
  t.match(box.house(), { interface: LAN, domain: 0, stamps: 'kernel', trouble: null })
  t.not(box.house()?.leader, box.state()?.leader)
  const showAhead = middle(box.aheadMicroseconds.slice(known))
  const houseAhead = (box.house()?.aheadMs ?? Number.NaN) * 1e3
  t.ok(Math.abs(showAhead + houseAhead) < SAME_MICROSECONDS, 'which shows what the system does')
  t.ok(spread(box.aheadMicroseconds) < SAME_MICROSECONDS, 'the show has not moved')
  t.notOk(box.logged.some(line => line.startsWith('clock.stepped')))
})

t.test('a box that has ptp4l speak for it follows a box as well', { skip }, async t => {
  const namespaces = network(t, 2)
  const leader = clock(t, namespaces, 0)
  await leader.until(() => leader.state()?.state === 'leading', 'a leader')
  const stateFolder = folder(t)
  const box = clock(t, namespaces, 1, { engine: 'ptp4l', stateFolder })
  const isFollowing = (): boolean =>
    box.state()?.state === 'following' && (box.state()?.errorMs ?? 1) < 1
  await box.until(isFollowing, 'following')
  t.match(box.state(), {
    leader: leader.state()?.identity,
    interface: LAN,
    domain: 42,
    stamps: 'kernel',
    trouble: null,
  })
  const known = [leader, box].map(one => one.aheadMicroseconds.length)
  await box.until(
    () => [leader, box].every((one, at) => one.aheadMicroseconds.length > (known[at] ?? 0) + 64),
    'some seconds of both',
  )
  const [led, followed] = [leader, box].map((one, at) =>
    middle(one.aheadMicroseconds.slice(known[at])),
  )
  t.ok(Math.abs((followed ?? Number.NaN) - (led ?? 0)) < SAME_MICROSECONDS, 'they show the same')

  await leader.stop('SIGKILL')
  await box.until(() => box.state()?.state === 'holdover', 'the loss')
  t.equal(box.state()?.leader, null)
  const heir = clock(t, namespaces, 0)
  await box.until(isFollowing, 'the next one')
  t.equal(box.state()?.leader, heir.state()?.identity)

  t.ok(isRunningOn(stateFolder), 'ptp4l is there')
  await box.stop('SIGKILL')
  await heir.until(() => !isRunningOn(stateFolder), 'ptp4l to end with a box that is killed')
})

/** Whether any process was started with something of that folder. */
const isRunningOn = (folder: string): boolean =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .some(pid => argumentsOf(pid).includes(`${folder}/ptp4l/`))

function argumentsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    // It has ended meanwhile.
    return ''
  }
}

t.test('a box that is killed begins again at the same time', { skip }, async t => {
  const namespaces = network(t, 2)
  const ptp4l = peer(t, namespaces, 0, { priority1: 10 })
  await ptp4l.until(() => ptp4l.output().includes('assuming the grand master role'), 'its role')
  const stateFolder = folder(t)
  const box = clock(t, namespaces, 1, { stateFolder })
  await box.until(
    () => box.state()?.state === 'following' && (box.state()?.errorMs ?? 1) < 1,
    'following',
  )
  const known = box.aheadMicroseconds.length
  await box.until(() => box.aheadMicroseconds.length > known + 64, 'some seconds of it')
  await Promise.all([box.stop('SIGKILL'), ptp4l.stop('SIGKILL')])
  const before = middle(box.aheadMicroseconds.slice(-16))

  const next = clock(t, namespaces, 1, { stateFolder })
  await next.until(() => next.aheadMicroseconds.length > 32, 'its time')
  t.ok(isWithin(next.aheadMicroseconds, before), 'with nobody there to ask')
  t.notOk(next.logged.some(line => line.startsWith('clock.stepped')))
  await next.until(() => next.state()?.state === 'leading', 'its own lead')
  t.ok((next.state()?.errorMs ?? 0) > 0, 'it knows that it is not sure')
})

t.test('a better clock in another domain is not heard', { skip }, async t => {
  const namespaces = network(t, 2)
  const ptp4l = peer(t, namespaces, 0, { priority1: 1, clockClass: 6, domainNumber: 43 })
  const box = clock(t, namespaces, 1)
  await ptp4l.until(() => ptp4l.output().includes('assuming the grand master role'), 'its role')
  await box.until(() => box.state()?.state === 'leading', 'its own lead')
  const known = box.aheadMicroseconds.length
  await box.until(() => box.aheadMicroseconds.length > known + 64, 'sixteen announcements')
  t.match(box.state(), { state: 'leading', clocksHeard: 0 })
  t.equal(box.state()?.leader, box.state()?.identity)
})

t.test('a better clock that shows 1970 moves no box while a show is armed', { skip }, async t => {
  const namespaces = network(t, 3)
  const leader = clock(t, namespaces, 0, { isPreferred: true })
  await leader.until(() => leader.state()?.state === 'leading', 'a leader')
  const other = clock(t, namespaces, 1)
  const isFollowing = (): boolean =>
    other.state()?.state === 'following' &&
    other.state()?.offsetMicroseconds !== null &&
    other.state()?.leader === leader.state()?.identity
  await other.until(isFollowing, 'a follower')
  const before = middle(leader.aheadMicroseconds.slice(-16))
  const settled = leader.aheadMicroseconds.length
  await leader.until(() => leader.aheadMicroseconds.length > settled + 80, 'being followed')
  for (const box of [leader, other]) box.arm()
  await other.until(
    () => [leader, other].every(box => box.state()?.isFrozen === true),
    'both to be armed',
  )
  const [led, followed] = [leader.aheadMicroseconds.length, other.aheadMicroseconds.length]
  const steps = other.logged.filter(line => line.startsWith('clock.stepped')).length

  const args = [join(compiled, `${STRAY}.js`), LAN]
  const stray = follow(...namespaces.within(2, process.execPath, args))
  t.teardown(() => stray.stop())
  const refusal = new RegExp(`^clock.distrusted .*"${STRAY_IDENTITY}"`)
  const refused = (box: BoxClock): boolean => box.logged.some(line => refusal.test(line))
  await stray.until(() => stray.output().includes('master'), 'its claim')
  await other.until(() => [leader, other].every(refused), 'both to have found it wrong')
  await other.until(() => leader.state()?.state === 'leading' && isFollowing(), 'all as before')
  t.ok(isWithin(leader.aheadMicroseconds.slice(led), before), 'who leads has not moved')
  t.ok(isWithin(other.aheadMicroseconds.slice(followed), before), 'nor who follows')
  t.notOk(leader.logged.some(line => line.startsWith('clock.stepped')))
  t.equal(other.logged.filter(line => line.startsWith('clock.stepped')).length, steps)
})
