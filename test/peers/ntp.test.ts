/** NTP of ours before chrony, in namespaces that have no way to any other network. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compileInto } from '../fixtures/compiled.js'
import type { TimeServerSettings } from '../fixtures/time-server.js'
import { askOnce, startChronyd, whyNoChrony } from './chrony.js'
import { isRunning, makeNamespaces, type Namespaces } from './namespaces.js'
import type { Follow } from './ptp4l.js'
import { serveTime } from './time-server.js'
import { type BoxDate, startWallClock } from './wall-clock.js'

const SERVER = 'test/fixtures/time-server'
const BOX = 'test/fixtures/wall-clock'
/** The machine may stand still at any packet: what is meant by the same time is less than what a person would notice. */
const SAME_MS = 400
const SHIFT_MS = 5_000

const whyNot = process.env['CI'] === undefined ? whyNoChrony() : null
const skip = whyNot ?? false
const compiled = whyNot === null ? t.testdir() : ''
if (whyNot === null) compileInto(compiled, [SERVER, BOX])
t.setTimeout(175_000)

function network(t: Test, count: number): Namespaces {
  const namespaces = makeNamespaces(count)
  t.teardown(() => namespaces.remove())
  return namespaces
}

const serve = (
  t: Test,
  namespaces: Namespaces,
  number: number,
  settings: Partial<TimeServerSettings> = {},
): Promise<Follow> => serveTime(t, join(compiled, `${SERVER}.js`), namespaces, number, settings)

t.test('chronyd accepts the time of a box, and finds it where it is', { skip }, async t => {
  const namespaces = network(t, 3)
  await serve(t, namespaces, 0)
  await serve(t, namespaces, 1, { aheadMs: SHIFT_MS, stratum: 2 })
  const [same, shifted] = await Promise.all([
    askOnce(namespaces, 2, 'server 10.77.0.1'),
    askOnce(namespaces, 2, 'server 10.77.0.2'),
  ])
  t.ok(Math.abs(same.aheadMs ?? Number.NaN) < SAME_MS, same.output)
  t.ok(Math.abs((shifted.aheadMs ?? Number.NaN) - SHIFT_MS) < SAME_MS, shifted.output)
})

t.test('chronyd follows a box, and tells what the box said of itself', { skip }, async t => {
  const namespaces = network(t, 2)
  await serve(t, namespaces, 0)
  const chronyd = startChronyd(namespaces, 1, ['server 10.77.0.1 iburst minpoll 0 maxpoll 0'])
  t.teardown(() => chronyd.stop())
  const isFollowed = async (): Promise<boolean> => (await chronyd.ask('tracking'))[0]?.[2] === '11'
  await chronyd.until(isFollowed, 'being followed')
  const [source = []] = await chronyd.ask('sources')
  t.match(source.slice(0, 4), ['^', '*', '10.77.0.1', '10'])
})

t.test('a box without time is not followed, and says so', { skip }, async t => {
  const namespaces = network(t, 2)
  const server = await serve(t, namespaces, 0, { stratum: null })
  const { aheadMs, output } = await askOnce(namespaces, 1, 'server 10.77.0.1', 6)
  t.equal(aheadMs, null, output)
  await server.stop()
  t.match(server.output(), /"served":0.*"unsynchronised":[1-9]/)
})

t.test('who asks too often is told, and chronyd does as it is told', { skip }, async t => {
  const namespaces = network(t, 2)
  const server = await serve(t, namespaces, 0, { questionsPerSecond: 1 })
  const chronyd = startChronyd(namespaces, 1, ['server 10.77.0.1 iburst minpoll -4 maxpoll -4'])
  t.teardown(() => chronyd.stop())
  const wasTold = (): boolean => chronyd.output().includes('Received KoD RATE from 10.77.0.1')
  await chronyd.until(wasTold, 'a kiss')
  await server.stop()
  t.match(server.output(), /"limited":[1-9]/)
})

t.test('a stranger gets no time', { skip }, async t => {
  const namespaces = network(t, 2)
  const server = await serve(t, namespaces, 0, { allow: ['192.168.0.0/16'] })
  const { aheadMs, output } = await askOnce(namespaces, 1, 'server 10.77.0.1', 6)
  t.equal(aheadMs, null, output)
  await server.stop()
  t.match(server.output(), /"served":0.*"denied":[1-9]/)
})

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'roadcase-ntp-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function box(
  t: Test,
  namespaces: Namespaces,
  number: number,
  ntp: object,
  stateFolder = folder(t),
): BoxDate {
  const script = join(compiled, `${BOX}.js`)
  const started = startWallClock(script, namespaces, number, stateFolder, ntp)
  t.teardown(() => started.stop())
  return started
}

/** It has been started, and answers. */
const runsChrony = (one: BoxDate) => (): boolean =>
  one.logged.some(line => line.startsWith('wall.daemon {')) && one.state()?.engine === 'chrony'

const isFrom = (one: BoxDate, source: string) => (): boolean => one.state()?.source === source

t.test('the client of a box follows chronyd, and finds out one that lies', { skip }, async t => {
  const namespaces = network(t, 4)
  for (const number of [0, 1]) {
    const chronyd = startChronyd(namespaces, number, ['local stratum 2', 'allow'])
    t.teardown(() => chronyd.stop())
  }
  await serve(t, namespaces, 2, { aheadMs: SHIFT_MS, stratum: 1 })
  const hosts = ['10.77.0.1', '10.77.0.2', '10.77.0.3']
  const asking = box(t, namespaces, 3, {
    engine: 'embedded',
    servers: hosts.map(host => ({ host })),
  })
  const isDecided = (): boolean =>
    asking
      .state()
      ?.servers.map(({ state }) => state)
      .join() === 'followed,followed,false'
  await asking.until(isDecided, 'the liar to be found out')
  await asking.until(() => Math.abs(asking.aheadMs()) < SAME_MS, 'the date of the others')
  t.match(asking.state(), { source: 'ntp', isUtcKnown: true, stratum: 3, engine: 'embedded' })
  t.ok((asking.state()?.errorMs ?? 0) < 1_000)
})

t.test('the date of a box moves, and the date of its machine does not', { skip }, async t => {
  const namespaces = network(t, 2)
  await serve(t, namespaces, 0, { aheadMs: SHIFT_MS, stratum: 1 })
  const [before, began] = [Date.now(), process.hrtime.bigint()]
  const asking = box(t, namespaces, 1, { engine: 'embedded', servers: [{ host: '10.77.0.1' }] })
  await asking.until(isFrom(asking, 'ntp'), 'the date')
  await asking.until(() => Math.abs(asking.aheadMs() - SHIFT_MS) < SAME_MS, 'being five seconds on')
  const elapsedMs = Number(process.hrtime.bigint() - began) / 1e6
  t.ok(Math.abs(Date.now() - before - elapsedMs) < SAME_MS)
})

t.test('a box runs chronyd, serves by it, and starts it again when it dies', { skip }, async t => {
  const namespaces = network(t, 2)
  const stateFolder = folder(t)
  const ntp = { engine: 'chrony', serve: 'venue', isLocalSource: true }
  const serving = box(t, namespaces, 0, ntp, stateFolder)
  await serving.until(runsChrony(serving), 'chronyd')
  t.match(serving.state(), { engine: 'chrony', isUtcKnown: false, trouble: null })
  const { aheadMs, output } = await askOnce(namespaces, 1, 'server 10.77.0.1')
  t.ok(Math.abs(aheadMs ?? Number.NaN) < SAME_MS, output)

  const pidOf = (): number => Number(readFileSync(join(stateFolder, 'chrony/chronyd.pid'), 'utf8'))
  const first = pidOf()
  process.kill(first, 'SIGKILL')
  const wasTold = (event: string): boolean => serving.logged.some(line => line.startsWith(event))
  await serving.until(() => wasTold('wall.daemon-ended'), 'its end')
  const isNew = (): boolean => isAlive(stateFolder) && pidOf() !== first
  await serving.until(() => isNew() && serving.state()?.trouble === null, 'another one')
  const again = await askOnce(namespaces, 1, 'server 10.77.0.1')
  t.ok(Math.abs(again.aheadMs ?? Number.NaN) < SAME_MS, again.output)
  const second = pidOf()
  await serving.stop()
  t.notOk(isRunning(second), 'and none is left afterwards')
})

t.test('what chronyd finds is the date of the box, and a show freezes it', { skip }, async t => {
  const namespaces = network(t, 2)
  await serve(t, namespaces, 0, { aheadMs: SHIFT_MS, stratum: 2 })
  const asking = box(t, namespaces, 1, { engine: 'chrony', servers: [{ host: '10.77.0.1' }] })
  await asking.until(isFrom(asking, 'ntp'), 'the date')
  await asking.until(() => Math.abs(asking.aheadMs() - SHIFT_MS) < SAME_MS, 'being five seconds on')
  t.match(asking.state(), { engine: 'chrony', isUtcKnown: true, stratum: 3 })
  asking.arm(true)
  const isOffline = (): boolean => asking.state()?.servers[0]?.state === 'silent'
  await asking.until(isOffline, 'asking nobody')
  t.match(asking.state(), { isFrozen: true, source: 'ntp', isUtcKnown: true })
  t.ok(Math.abs(asking.aheadMs() - SHIFT_MS) < SAME_MS)
  asking.arm(false)
  await asking.until(() => asking.state()?.servers[0]?.state === 'followed', 'asking again')
})

t.test('what a person sets is what chronyd serves, and followers know it', { skip }, async t => {
  const namespaces = network(t, 2)
  const ntp = { engine: 'chrony', serve: 'venue', isLocalSource: true }
  const leader = box(t, namespaces, 0, ntp)
  const other = box(t, namespaces, 1, { engine: 'embedded', follow: '10.77.0.1' })
  await other.until(isFrom(other, 'leader'), 'following')
  t.match(leader.state(), { stratum: 10, isUtcKnown: false })
  t.match(other.state(), { stratum: 11, isUtcKnown: false })
  leader.set(Date.now() + SHIFT_MS)
  await leader.until(() => leader.state()?.stratum === 7, 'being told')
  t.match(leader.state(), { source: 'technician', isUtcKnown: true })
  await other.until(() => other.state()?.isUtcKnown === true, 'knowing it, too')
  await other.until(() => Math.abs(other.aheadMs() - SHIFT_MS) < 1_000, 'being five seconds on')
  t.match(other.state(), { source: 'leader', stratum: 8 })
})

t.test('a box ends the chronyd of its earlier life', { skip }, async t => {
  const namespaces = network(t, 1)
  const stateFolder = folder(t)
  const ntp = { engine: 'chrony', serve: 'venue', isLocalSource: true }
  const first = box(t, namespaces, 0, ntp, stateFolder)
  await first.until(runsChrony(first), 'chronyd')
  const left = Number(readFileSync(join(stateFolder, 'chrony/chronyd.pid'), 'utf8'))
  await first.stop('SIGKILL')
  t.ok(isRunning(left), 'it outlived the box')
  const second = box(t, namespaces, 0, ntp, stateFolder)
  await second.until(runsChrony(second), 'chronyd')
  t.match(second.state(), { trouble: null, engine: 'chrony' })
  t.notOk(isRunning(left))
})

const isAlive = (stateFolder: string): boolean => {
  try {
    return isRunning(Number(readFileSync(join(stateFolder, 'chrony/chronyd.pid'), 'utf8')))
  } catch {
    // It has not written its number yet.
    return false
  }
}
