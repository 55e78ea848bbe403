/** Boxes that look for the date on a simulated internet: what they show, what they say of it, and what they serve. */
import t from 'tap'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { DeviceError } from '../../../runtime/core/errors.js'
import { wallTimeMs } from '../../../runtime/core/time.js'
import { noEngine, type TimeEngine } from '../../../runtime/services/clock/wall/time-engine.js'
import { RELEASED_MS, TRUTH_MS, type WallBox, World } from './wall/wall-rig.js'

const YEAR_MS = 365.25 * 86_400_000
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Ways of ten to twelve milliseconds, the same both ways on average. */
const CLOSE_MS = 3

/** The bound that is published holds what is true. */
const isBoundHeld = (box: WallBox): boolean =>
  box.state.errorMs !== null && Math.abs(box.errorMs) <= box.state.errorMs

t.test('a machine without a battery shows its floor until a server is heard', async t => {
  const world = new World()
  await world.serve('192.0.2.1')
  const box = world.box({ systemAheadMs: -56 * YEAR_MS, hosts: ['192.0.2.1'] })
  await box.service.start()
  t.match(box.state, { isUtcKnown: false, source: 'floor', errorMs: null, stratum: 16 })
  t.ok(box.shownMs >= RELEASED_MS, 'never less than the release')
  await world.truth.advance(10_000)
  t.match(box.state, { isUtcKnown: true, source: 'ntp', stratum: 2, engine: 'embedded' })
  t.ok(Math.abs(box.errorMs) < CLOSE_MS, `${box.errorMs}`)
  t.ok(isBoundHeld(box))
  t.ok(box.log.events().includes('wall.set'), 'the jump is logged')
  await box.service.stop()
})

t.test('crystals hold the date within what they say, each at its own rate', async t => {
  const world = new World()
  for (const host of [1, 2, 3]) await world.serve(`192.0.2.${host}`)
  const hosts = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
  const boxes = [-50, 50].map(ppm => world.box({ ppm, hosts }))
  for (const box of boxes) await box.service.start()
  await world.truth.advance(20 * MINUTE_MS)
  let [worstMs, unheldCount] = [0, 0]
  for (let minute = 0; minute < 20; minute += 5) {
    await world.truth.advance(5 * MINUTE_MS)
    for (const box of boxes) {
      worstMs = Math.max(worstMs, Math.abs(box.errorMs))
      if (!isBoundHeld(box)) unheldCount++
    }
  }
  t.ok(worstMs < 2 * CLOSE_MS, `${worstMs} ms`)
  t.equal(unheldCount, 0)
  for (const box of boxes) {
    t.equal(box.log.events().filter(event => event === 'wall.set').length, 0, 'and never jump')
    await box.service.stop()
  }
})

t.test('one server that lies is found out by two that do not', async t => {
  const world = new World()
  await world.serve('192.0.2.1', { aheadMs: () => 3_000 })
  await world.serve('192.0.2.2')
  await world.serve('192.0.2.3')
  const box = world.box({ hosts: ['192.0.2.1', '192.0.2.2', '192.0.2.3'] })
  await box.service.start()
  await world.truth.advance(MINUTE_MS)
  t.ok(Math.abs(box.errorMs) < CLOSE_MS, `${box.errorMs}`)
  t.same(
    box.state.servers.map(({ state }) => state),
    ['false', 'followed', 'followed'],
  )
  t.ok(Math.abs((box.state.servers[0]?.aheadMs ?? 0) - 3_000) < 2 * CLOSE_MS)
  await box.service.stop()
})

t.test('two servers that contradict each other are both not believed', async t => {
  const world = new World()
  await world.serve('192.0.2.1', { aheadMs: () => 5_000 })
  await world.serve('192.0.2.2')
  const box = world.box({ hosts: ['192.0.2.1', '192.0.2.2'] })
  await box.service.start()
  // Before the second has answered, the first is all there is: what counts is what is known afterwards.
  await world.truth.advance(MINUTE_MS)
  t.same(
    box.state.servers.map(({ state }) => state),
    ['false', 'false'],
  )
  await box.service.stop()
})

t.test('a server that believes in 1970, or in the last century, is not followed', async t => {
  const world = new World()
  await world.serve('192.0.2.1', { aheadMs: () => -TRUTH_MS })
  await world.serve('192.0.2.2', { aheadMs: () => -19.7 * YEAR_MS })
  const box = world.box({ systemAheadMs: -1_000, hosts: ['192.0.2.1', '192.0.2.2'] })
  await box.service.start()
  await world.truth.advance(MINUTE_MS)
  t.match(box.state, { isUtcKnown: false, source: 'floor' })
  t.ok(Math.abs(box.errorMs + 1_000) < 1, 'the system date stays as it is')
  t.same(
    box.state.servers.map(({ state }) => state),
    ['unusable', 'unusable'],
  )
  t.equal(box.log.events().filter(event => event === 'wall.source-refused').length, 2)
  await box.service.stop()
})

t.test('the date passes the turn of the era in 2036', async t => {
  const world = new World()
  const turnMs = Date.UTC(2036, 1, 7, 6, 28, 16)
  const aheadMs = turnMs - TRUTH_MS - 30_000
  await world.serve('192.0.2.1', { aheadMs: () => aheadMs })
  const box = world.box({ hosts: ['192.0.2.1'] })
  await box.service.start()
  await world.truth.advance(20_000)
  t.ok(Math.abs(box.errorMs - aheadMs) < CLOSE_MS, 'before it')
  await world.truth.advance(5 * MINUTE_MS)
  t.ok(box.shownMs > turnMs)
  t.ok(Math.abs(box.errorMs - aheadMs) < CLOSE_MS, 'and after it')
  await box.service.stop()
})

t.test('a server that says RATE is asked less often, one that says DENY never again', async t => {
  const world = new World()
  const slow = await world.serve('192.0.2.1', { questionsPerSecond: 0.001 })
  const closed = await world.serve('192.0.2.2', { isDenying: true })
  const box = world.box({ hosts: ['192.0.2.1', '192.0.2.2'] })
  await box.service.start()
  await world.truth.advance(6 * HOUR_MS)
  const { served, limited } = slow.counts
  t.ok(limited >= 1, 'it was told')
  t.ok(served + limited < 50, `${served + limited} questions in six hours`)
  t.equal(closed.counts.denied, 1)
  t.equal(box.state.servers[1]?.state, 'refusing')
  await box.service.stop()
})

t.test(
  'while a show is armed nothing sets or slews the date, and afterwards it is made up',
  async t => {
    const world = new World()
    let aheadMs = 0
    await world.serve('192.0.2.1', { aheadMs: () => aheadMs })
    const box = world.box({ hosts: ['192.0.2.1'] })
    await box.service.start()
    await world.truth.advance(MINUTE_MS)
    box.arm(true)
    t.equal(box.state.isFrozen, true)
    const before = box.errorMs
    aheadMs = 400
    await world.truth.advance(2 * HOUR_MS)
    t.ok(Math.abs(box.errorMs - before) < 1, `moved by ${box.errorMs - before} ms`)
    t.ok((box.state.aheadMs ?? 0) < -390, 'what was found is told')
    t.ok((box.state.errorMs ?? 0) > 390, 'and the bound holds it')
    box.arm(false)
    await world.truth.advance(MINUTE_MS)
    t.ok(Math.abs(box.errorMs - 400) < CLOSE_MS, `${box.errorMs}`)
    await box.service.stop()
  },
)

t.test('a small error is made up slowly, and the date does not jump', async t => {
  const world = new World()
  let aheadMs = 0
  await world.serve('192.0.2.1', { aheadMs: () => aheadMs })
  const box = world.box({ hosts: ['192.0.2.1'] })
  await box.service.start()
  await world.truth.advance(MINUTE_MS)
  aheadMs = 60
  let [last, mostMs] = [box.errorMs, 0]
  for (let second = 0; second < 3_600; second++) {
    await world.truth.advance(1_000)
    mostMs = Math.max(mostMs, Math.abs(box.errorMs - last))
    last = box.errorMs
  }
  t.ok(mostMs < 0.8, `${mostMs} ms in a second`)
  t.ok(Math.abs(box.errorMs - 60) < CLOSE_MS, `${box.errorMs}`)
  await box.service.stop()
})

t.test('the way to the internet comes and goes: the date goes on, and its bound grows', async t => {
  const world = new World()
  await world.serve('192.0.2.1')
  const box = world.box({ ppm: 20, hosts: ['192.0.2.1'] })
  await box.service.start()
  await world.truth.advance(2 * HOUR_MS)
  const knownMs = box.state.errorMs ?? 0
  world.internet.setWay(() => null)
  await world.truth.advance(6 * HOUR_MS)
  t.match(box.state, { isUtcKnown: true, source: 'ntp', stratum: 2 })
  t.equal(box.state.servers[0]?.state, 'silent')
  t.ok((box.state.errorMs ?? 0) > knownMs + 100, 'fifteen millionths of six hours')
  t.ok(isBoundHeld(box), `${box.errorMs} of ${box.state.errorMs}`)
  world.internet.setWay(() => 10 + 2 * world.random())
  await world.truth.advance(HOUR_MS)
  t.ok(Math.abs(box.errorMs) < CLOSE_MS, `${box.errorMs}`)
  t.equal(box.log.events().filter(event => event === 'wall.set').length, 0)
  await box.service.stop()
})

t.test('an uplink that flaps costs the date nothing', async t => {
  const world = new World()
  await world.serve('192.0.2.1')
  const box = world.box({ ppm: -30, hosts: ['192.0.2.1'] })
  await box.service.start()
  await world.truth.advance(HOUR_MS)
  let [isUp, worstMs] = [true, 0]
  for (let flap = 0; flap < 100; flap++) {
    isUp = !isUp
    world.internet.setWay(() => (isUp ? 10 + 100 * world.random() : null))
    await world.truth.advance(5 * MINUTE_MS * world.random())
    worstMs = Math.max(worstMs, Math.abs(box.errorMs))
    if (!isBoundHeld(box)) t.fail(`${box.errorMs} of ${box.state.errorMs}`)
  }
  t.ok(worstMs < 60, `${worstMs} ms`)
  await box.service.stop()
})

t.test('boxes follow the one that leads, and know UTC only when it does', async t => {
  const world = new World()
  const leader = world.box({ isServing: true, isLocalSource: true, systemAheadMs: 7_000 })
  const other = world.box({ follow: '10.77.0.1', systemAheadMs: -5 * YEAR_MS })
  await leader.service.start()
  await other.service.start()
  await world.truth.advance(30_000)
  t.match(leader.state, { isUtcKnown: false, source: 'floor', stratum: 10, referenceId: 'LOCL' })
  t.match(other.state, { isUtcKnown: false, source: 'leader', stratum: 11, errorMs: null })
  t.ok(Math.abs(other.shownMs - leader.shownMs) < CLOSE_MS, 'the same date all the same')
  t.ok((leader.state.servedPerSecond ?? 0) > 0)
  t.equal(leader.set(world.trueMs)?.isAccepted, true)
  await world.truth.advance(30_000)
  t.match(leader.state, { isUtcKnown: true, source: 'technician' })
  t.match(other.state, { isUtcKnown: true, source: 'leader' })
  t.ok(Math.abs(other.errorMs) < CLOSE_MS)
  t.ok(isBoundHeld(other) && (other.state.errorMs ?? 0) >= 1_000, 'a person may be a second off')
  await other.service.stop()
  await leader.service.stop()
})

t.test('a box that is no source and knows nothing serves nothing', async t => {
  const world = new World()
  const box = world.box({ isServing: true, systemAheadMs: 0 })
  const asker = world.box({ hosts: ['10.77.0.1'] })
  await box.service.start()
  await asker.service.start()
  await world.truth.advance(MINUTE_MS)
  t.match(box.state, { stratum: 16, isUtcKnown: false, servedPerSecond: 0 })
  t.match(asker.state, { source: 'floor' })
  t.equal(asker.state.servers[0]?.state, 'unusable')
  for (const one of [box, asker]) await one.service.stop()
})

t.test('a person sets the date where nothing better is known', async t => {
  const world = new World()
  await world.serve('192.0.2.1')
  const box = world.box({ systemAheadMs: -YEAR_MS, hosts: ['192.0.2.1'] })
  world.internet.setWay(() => null)
  await box.service.start()
  t.equal(box.set(world.trueMs + 500)?.isAccepted, true)
  t.match(box.state, { isUtcKnown: true, source: 'technician' })
  t.ok(Math.abs(box.errorMs - 500) < 1)
  t.ok(isBoundHeld(box))
  box.arm(true)
  t.match(box.set(world.trueMs), { isAccepted: false, code: 'command.refused' }, 'not in a show')
  box.arm(false)
  t.match(box.set(RELEASED_MS - 1), { isAccepted: false }, 'not before the release was made')
  t.equal(box.set(world.trueMs - 60_000)?.isAccepted, true, 'what a person got wrong is mended')
  t.ok(Math.abs(box.errorMs + 60_000) < 1)
  world.internet.setWay(() => 10)
  await world.truth.advance(HOUR_MS)
  t.match(box.state, { source: 'ntp' })
  t.match(box.set(world.trueMs + 9_000), { isAccepted: false, code: 'command.refused' }, 'known')
  t.ok(Math.abs(box.errorMs) < CLOSE_MS)
  await box.service.stop()
})

t.test('the date that was reached is the floor of the next start', async t => {
  const world = new World()
  await world.serve('192.0.2.1')
  const files = new SimulatedFiles()
  const first = world.box({ hosts: ['192.0.2.1'], systemAheadMs: -56 * YEAR_MS, files })
  await first.service.start()
  await world.truth.advance(5 * MINUTE_MS)
  await first.service.stop()
  const stoppedMs = first.shownMs
  world.internet.setWay(() => null)
  const again = world.box({ hosts: ['192.0.2.1'], systemAheadMs: -56 * YEAR_MS, files })
  await again.service.start()
  t.match(again.state, { source: 'floor', isUtcKnown: false })
  t.ok(again.shownMs >= stoppedMs - 1 && again.shownMs < stoppedMs + MINUTE_MS)
  const reached = again.shownMs
  await world.truth.advance(MINUTE_MS)
  t.ok(Math.abs(again.shownMs - reached - MINUTE_MS) < 1, 'and it goes on from there')
  await again.service.stop()
})

t.test('within one boot a new process knows the date as the last one did', async t => {
  const world = new World()
  await world.serve('192.0.2.1')
  const files = new SimulatedFiles()
  const machine = { systemAheadMs: -56 * YEAR_MS, hosts: ['192.0.2.1'], files }
  const first = world.box({ ...machine, bootId: 'one' })
  await first.service.start()
  await world.truth.advance(5 * MINUTE_MS)
  await first.service.stop()
  const kept = await files.read('wall.json')
  const saved = JSON.parse(new TextDecoder().decode(kept ?? new Uint8Array()))
  t.match(saved, { bootId: 'one', claim: { source: 'ntp', stratum: 2 } })
  world.internet.setWay(() => null)
  const again = world.box({ ...machine, bootId: 'one' })
  // Each of these boxes has a monotonic clock that began at another moment: one machine's would be the same.
  const sinceMs = again.clock.monotonicMs() - first.clock.monotonicMs()
  await again.service.start()
  t.match(again.state, { source: 'ntp', isUtcKnown: true })
  t.ok(Math.abs(again.errorMs - sinceMs) < CLOSE_MS)
  await again.service.stop()
})

t.test(
  'a clock with a battery, and a system that is kept right, count for what they are',
  async t => {
    const world = new World()
    const withBattery = world.box({ systemAheadMs: -YEAR_MS })
    withBattery.keepers.rtc = wallTimeMs(TRUTH_MS + 400)
    await withBattery.service.start()
    await world.truth.advance(2_000)
    t.match(withBattery.state, { source: 'rtc', isUtcKnown: true })
    t.ok(Math.abs(withBattery.errorMs - 400) < 1)
    t.ok(isBoundHeld(withBattery))

    const kept = world.box({ systemAheadMs: 3 })
    kept.keepers.errorMs = 20
    await kept.service.start()
    t.match(kept.state, { source: 'system', isUtcKnown: true })
    t.ok(isBoundHeld(kept))

    const lost = world.box({ systemAheadMs: -YEAR_MS })
    lost.keepers.rtc = wallTimeMs(Date.UTC(2000, 0, 1))
    await lost.service.start()
    t.match(lost.state, { source: 'floor', isUtcKnown: false }, 'its battery was empty')
    for (const box of [withBattery, kept, lost]) await box.service.stop()
  },
)

t.test('what was signed later raises the floor', async t => {
  const world = new World()
  const box = world.box({ systemAheadMs: -YEAR_MS })
  await box.service.start()
  const shown = box.shownMs
  box.service.atLeast(TRUTH_MS - 1_000)
  t.ok(box.shownMs >= TRUTH_MS - 1_000)
  box.service.atLeast(shown)
  t.ok(box.shownMs >= TRUTH_MS - 1_000, 'and an earlier one does not lower it')
  await box.service.stop()
})

t.test('a port that is taken is tried again, and why is told', async t => {
  const world = new World()
  const box = world.box({ isServing: true, isLocalSource: true })
  box.network.trouble = new DeviceError('device.denied', 'taking UDP port 123: EACCES')
  await box.service.start()
  await world.truth.advance(0)
  t.match(box.state.trouble, /EACCES.*CAP_NET_BIND_SERVICE/)
  await world.truth.advance(MINUTE_MS)
  t.equal(box.log.events().filter(event => event === 'wall.no-socket').length, 2, 'told once each')
  box.network.trouble = null
  await world.truth.advance(2 * MINUTE_MS)
  t.equal(box.state.trouble, null)
  t.ok(box.log.events().includes('wall.serving'))
  await box.service.stop()
  await world.truth.advance(HOUR_MS)
  t.notOk(world.internet.has({ address: '10.77.0.1', port: 123 }), 'and nothing is open afterwards')
})

t.test('a name that leads nowhere is looked up again', async t => {
  const world = new World()
  await world.serve('192.0.2.1')
  const box = world.box({ hosts: ['time.example.org'] })
  await box.service.start()
  await world.truth.advance(10_000)
  t.match(box.state.trouble, /time\.example\.org leads to no address/)
  world.internet.name('time.example.org', ['192.0.2.1'])
  await world.truth.advance(MINUTE_MS)
  t.match(box.state, { trouble: null, source: 'ntp' })
  await box.service.stop()
})

t.test(
  'a date that chrony has from a venue is not UTC because the kernel calls it kept',
  async t => {
    const world = new World()
    const engine: TimeEngine = {
      ...noEngine,
      kind: 'chrony',
      found: at => ({
        at,
        differenceMs: TRUTH_MS - at,
        jitterMs: 0,
        errorMs: 1,
        stratum: 10,
        rootDelayMs: 0,
        rootDispersionMs: 1,
        leap: 0,
        referenceId: 1,
      }),
    }
    const box = world.box({ engine })
    box.keepers.errorMs = 1
    await box.service.start()
    await world.truth.advance(5_000)
    t.match(box.state, { engine: 'chrony', source: 'ntp', isUtcKnown: false, stratum: 11 })
    await box.service.stop()
  },
)

t.test('the box does not wait for a time service that takes long to start', async t => {
  const world = new World()
  const calls: string[] = []
  let started: () => void = () => {}
  const engine: TimeEngine = {
    ...noEngine,
    kind: 'chrony',
    start: () =>
      new Promise(resolve => {
        started = resolve
      }),
    stop: async () => {
      calls.push('stopped')
      started()
    },
    freeze: isFrozen => void calls.push(`frozen: ${isFrozen}`),
  }
  const box = world.box({ engine })
  await box.service.start()
  t.match(box.state, { source: 'floor' }, 'it shows a date meanwhile')
  await world.truth.advance(2_000)
  box.arm(true)
  await box.service.stop()
  t.same(calls, ['frozen: true', 'stopped'], 'and ends one that is still starting')
})
