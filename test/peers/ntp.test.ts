/** NTP of ours before chrony, in namespaces that have no way to any other network. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compileInto } from '../fixtures/compiled.js'
import type { TimeServerSettings } from '../fixtures/time-server.js'
import { askOnce, startChronyd, whyNoChrony } from './chrony.js'
import { makeNamespaces, type Namespaces } from './namespaces.js'
import { type Follow, follow } from './ptp4l.js'

const SERVER = 'test/fixtures/time-server'
/** The machine may stand still at any packet: what is meant by the same time is less than what a person would notice. */
const SAME_MS = 20
const SHIFT_MS = 5_000

const whyNot = process.env['CI'] === undefined ? whyNoChrony() : null
const skip = whyNot ?? false
const compiled = whyNot === null ? t.testdir() : ''
if (whyNot === null) compileInto(compiled, [SERVER])
t.setTimeout(175_000)

function network(t: Test, count: number): Namespaces {
  const namespaces = makeNamespaces(count)
  t.teardown(() => namespaces.remove())
  return namespaces
}

async function serve(
  t: Test,
  namespaces: Namespaces,
  number: number,
  settings: Partial<TimeServerSettings> = {},
): Promise<Follow> {
  const all: TimeServerSettings = {
    port: 123,
    aheadMs: 0,
    stratum: 10,
    allow: ['10.77.0.0/24'],
    questionsPerSecond: 100,
    ...settings,
  }
  const script = join(compiled, `${SERVER}.js`)
  const args = [script, JSON.stringify(all)]
  const server = follow(...namespaces.within(number, process.execPath, args))
  t.teardown(() => server.stop())
  await server.until(() => server.output().includes('port'), 'a server')
  return server
}

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
