/** The box and its chrony, with one that does as it is told. */
import t from 'tap'
import { settle } from '../../../../drivers/simulated/clock.js'
import { SimulatedTimeDaemon } from '../../../../drivers/simulated/time-daemon.js'
import { DeviceError } from '../../../../runtime/core/errors.js'
import { ntpConfig } from '../../../../runtime/core/ntp-config.js'
import { check } from '../../../../runtime/core/schema.js'
import { wallTimeMs } from '../../../../runtime/core/time.js'
import type { DaemonFound } from '../../../../runtime/ports/time-daemon.js'
import { ChronyTime } from '../../../../runtime/services/clock/wall/chrony-time.js'
import { TRUTH_MS, type WallBox, World } from './wall-rig.js'

const MINUTE_MS = 60_000
const installed: DaemonFound = {
  kind: 'installed',
  version: [4, 3],
  hasNts: true,
  maySetSystem: true,
}

function bench(
  options: {
    found?: DaemonFound
    ntp?: object
    systemAheadMs?: number
    floorMs?: number
    isSystemRight?: boolean
  } = {},
) {
  const { found = installed, ntp = { servers: [{ host: 'ntp.example.org' }] } } = options
  const { systemAheadMs = 0, floorMs = 0, isSystemRight = true } = options
  const world = new World()
  const daemon = new SimulatedTimeDaemon()
  daemon.found = found
  follow(daemon, 2, -systemAheadMs)
  if (found.kind === 'absent') throw new Error('there must be one')
  const config = check(ntpConfig, ntp, 'ntp')
  const late: { box: WallBox | null } = { box: null }
  const engine = new ChronyTime(
    {
      clock: world.truth,
      log: { info() {}, warn: (event, facts) => late.box?.log.warn(event, facts), error() {} },
      daemon,
      timeline: { systemAt: at => wallTimeMs(TRUTH_MS + at + systemAheadMs) },
    },
    config,
    found,
    { floorMs: () => floorMs, isSystemRight: () => isSystemRight },
  )
  const box = new World().box({ engine })
  return { world, daemon, engine, box, late, config }
}

function follow(daemon: SimulatedTimeDaemon, stratum: number, correctionMs = 0): void {
  const own = [
    '0A4D0001,10.77.0.1',
    stratum + 1,
    '1795374585.6',
    correctionMs / 1e3,
    '0,0.00001,0,0,0,0.02,0.003,1.0,Normal',
  ]
  daemon.answers.set('tracking', [own.join(',').split(',')])
  daemon.answers.set('sources', [
    ['^', '*', '10.77.0.1', `${stratum}`, '6', '377', '1', '0', '0', '0'],
  ])
  daemon.answers.set('serverstats', [['10', '0', '0']])
  daemon.answers.set('online', [['200 OK']])
  daemon.answers.set('offline', [['200 OK']])
}

t.test('it is started with its configuration, and what it finds is the date', async t => {
  const { world, daemon, engine } = bench({ systemAheadMs: -5_000 })
  await engine.start()
  t.ok(daemon.started[0]?.includes('server ntp.example.org iburst'))
  const now = world.truth.monotonicMs()
  t.match(engine.found(now), { stratum: 2, errorMs: 13 })
  t.ok(Math.abs((engine.found(now)?.differenceMs ?? 0) - TRUTH_MS) < 0.001)
  t.match(engine.sources(now), [{ host: '10.77.0.1', state: 'followed' }])
  await engine.stop()
  t.equal(daemon.isRunning, false)
})

t.test('one that runs already is read, and neither started, told nor stopped', async t => {
  const { world, daemon, engine } = bench({ found: { kind: 'foreign' } })
  await engine.start()
  engine.freeze(true)
  await world.truth.advance(MINUTE_MS)
  t.ok(engine.found(world.truth.monotonicMs()) !== null)
  await engine.stop()
  t.same(daemon.started, [])
  t.notOk(daemon.asked.includes('offline') || daemon.asked.includes('online'))
})

t.test('while a show is armed it does not ask the internet', async t => {
  const { world, daemon, engine } = bench()
  await engine.start()
  engine.freeze(true)
  await world.truth.advance(0)
  t.equal(daemon.asked.filter(question => question === 'offline').length, 1)
  engine.freeze(false)
  await world.truth.advance(0)
  t.equal(daemon.asked.filter(question => question === 'online').length, 2, 'at the start, and now')
  engine.freeze(true)
  daemon.die('signal 9')
  await world.truth.advance(5_000)
  const told = daemon.asked.filter(question => question === 'online' || question === 'offline')
  t.equal(told.at(-1), 'offline', 'also one that is started meanwhile')
  await engine.stop()
})

t.test('a follower of the venue goes on following while a show is armed', async t => {
  const { world, daemon, engine } = bench({ ntp: { follow: '10.77.0.1' } })
  await engine.start()
  engine.freeze(true)
  await world.truth.advance(MINUTE_MS)
  t.notOk(daemon.asked.includes('offline'))
  await engine.stop()
})

t.test('one that dies is started again, less and less often', async t => {
  const { world, daemon, engine } = bench()
  await engine.start()
  daemon.die('exit code 1: no luck')
  t.match(engine.trouble, /no luck/)
  await world.truth.advance(1_500)
  t.equal(daemon.started.length, 2)
  t.equal(engine.trouble, null)
  daemon.trouble = new DeviceError('device.timeout', 'chronyd was started and does not answer')
  daemon.die('again')
  await world.truth.advance(30 * MINUTE_MS)
  const count = daemon.started.length
  t.ok(count > 10 && count < 45, `${count} times in half an hour`)
  daemon.trouble = null
  await world.truth.advance(2 * MINUTE_MS)
  t.equal(daemon.isRunning, true)
  await engine.stop()
  const stopped = daemon.started.length
  await world.truth.advance(30 * MINUTE_MS)
  t.equal(daemon.started.length, stopped, 'and not after the end')
})

t.test('what was read too long ago is not what is known now', async t => {
  const { world, daemon, engine } = bench()
  await engine.start()
  daemon.answers.clear()
  await world.truth.advance(10_000)
  t.ok(engine.found(world.truth.monotonicMs()) !== null)
  t.match(engine.trouble, /does not answer/)
  await world.truth.advance(15_000)
  t.equal(engine.found(world.truth.monotonicMs()), null)
  await engine.stop()
})

t.test('the date is what chrony says, and UTC only below stratum 10', async t => {
  const { daemon, engine, box, late } = bench()
  late.box = box
  await box.service.start()
  await settle()
  t.match(box.state, { engine: 'chrony', source: 'ntp', isUtcKnown: true, stratum: 3 })
  follow(daemon, 10)
  await engine.stop()
  t.equal(daemon.isRunning, false)
  await box.service.stop()
})

t.test('what a person sets is told to it at the next whole second', async t => {
  const { world, daemon, engine } = bench({ ntp: { isLocalSource: true, serve: 'venue' } })
  await engine.start()
  engine.setDate(TRUTH_MS + 250)
  await world.truth.advance(740)
  t.same(daemon.dates, [])
  await world.truth.advance(20)
  t.same(daemon.dates, [[TRUTH_MS / 1e3 + 1, 'local stratum 7 orphan distance 0.1']])
  engine.setDate(TRUTH_MS + 5_001)
  await engine.stop()
  await world.truth.advance(10_000)
  t.equal(daemon.dates.length, 1, 'but not after the end')
})

t.test('without NTS in it, servers that want it are not asked, which is told', async t => {
  const { engine } = bench({
    found: { ...installed, hasNts: false },
    ntp: { servers: [{ host: 'nts.example.org', isNts: true }] },
  })
  await engine.start()
  t.match(engine.trouble, /NTS/)
  await engine.stop()
})

const NTS = { servers: [{ host: 'nts.example.org', isNts: true }] }
const hasKeys = (daemon: SimulatedTimeDaemon, cookies: number): void =>
  void daemon.answers.set('authdata', [
    ['10.77.0.1', 'NTS', '1', '15', '256', '5', '0', '0', `${cookies}`, '100'],
  ])
const isChecked = (daemon: SimulatedTimeDaemon): boolean =>
  daemon.started.at(-1)?.some(line => line.startsWith('nocerttimecheck')) === false

t.test('without a date it asks twice, and only the second answer is the date', async t => {
  const { world, daemon, engine } = bench({ ntp: NTS, isSystemRight: false })
  hasKeys(daemon, 8)
  daemon.answers.set('tracking', [])
  await engine.start()
  t.notOk(isChecked(daemon))
  engine.freeze(true)
  follow(daemon, 2)
  await world.truth.advance(5_000)
  t.equal(engine.found(world.truth.monotonicMs()), null, 'what nobody vouches for is not known')
  t.equal(daemon.started.length, 1, 'while a show is armed nobody is asked anew')
  engine.freeze(false)
  await world.truth.advance(5_000)
  t.equal(daemon.started.length, 2)
  t.ok(isChecked(daemon))
  t.match(engine.found(world.truth.monotonicMs()), { stratum: 2 })
  daemon.die('killed')
  await world.truth.advance(5_000)
  t.equal(daemon.started.length, 3)
  t.ok(isChecked(daemon), 'also later on')
  await engine.stop()
})

t.test('with a date certificates are looked at from the beginning', async t => {
  const { world, daemon, engine } = bench({ ntp: NTS })
  hasKeys(daemon, 8)
  await engine.start()
  t.ok(isChecked(daemon))
  t.ok(engine.found(world.truth.monotonicMs()) !== null)
  t.equal(daemon.started.length, 1)
  await engine.stop()
})

t.test('servers with expired certificates that say what is past are not believed', async t => {
  const { world, daemon, engine } = bench({
    ntp: NTS,
    isSystemRight: false,
    floorMs: TRUTH_MS + MINUTE_MS,
  })
  hasKeys(daemon, 8)
  await engine.start()
  t.equal(engine.found(world.truth.monotonicMs()), null)
  t.match(engine.trouble, /past/)
  t.equal(daemon.started.length, 1)
  await engine.stop()
})

t.test(
  'where the date of the machine is not to be set, it is said what is not looked at',
  async t => {
    const { world, daemon, engine } = bench({
      found: { ...installed, maySetSystem: false },
      ntp: NTS,
      isSystemRight: false,
      systemAheadMs: -50 * 86_400_000,
    })
    hasKeys(daemon, 8)
    await engine.start()
    t.ok(engine.found(world.truth.monotonicMs()) !== null)
    t.match(engine.trouble, /expired/)
    t.equal(daemon.started.length, 1)
    await engine.stop()
  },
)

t.test('why a server gives no keys is told until it gives some', async t => {
  const { world, daemon, engine } = bench({ ntp: NTS })
  hasKeys(daemon, 0)
  await engine.start()
  daemon.say('2026-11-22T21:56:06Z Selected source 10.77.0.1')
  t.equal(engine.trouble, null)
  daemon.say('2026-11-22T21:56:06Z TLS handshake with x:4460 (x) failed : No. NOT trusted. ')
  await world.truth.advance(5_000)
  t.equal(engine.trouble, 'NTS: TLS handshake with x:4460 (x) failed : No. NOT trusted')
  hasKeys(daemon, 8)
  await world.truth.advance(5_000)
  t.equal(engine.trouble, null)
  await engine.stop()
})

t.test('a date that is far off is set at once, unless a show is armed', async t => {
  const { world, daemon, engine } = bench()
  const steps = (): number => daemon.asked.filter(question => question === 'makestep').length
  daemon.answers.set('makestep', [['200 OK']])
  engine.freeze(true)
  follow(daemon, 2, 3_600_000)
  await engine.start()
  await world.truth.advance(10_000)
  t.equal(steps(), 0)
  engine.freeze(false)
  await world.truth.advance(4_000)
  t.equal(steps(), 1)
  follow(daemon, 2, 100)
  await world.truth.advance(10_000)
  t.equal(steps(), 1, 'little is slewed away')
  await engine.stop()
})

t.test('a date that may not be set is not', async t => {
  const { world, daemon, engine } = bench({ found: { ...installed, maySetSystem: false } })
  follow(daemon, 2, 3_600_000)
  await engine.start()
  await world.truth.advance(10_000)
  t.notOk(daemon.asked.includes('makestep'))
  await engine.stop()
})
