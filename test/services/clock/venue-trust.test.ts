/** Whose time a box takes over, what it says of who leads and how sure it is, and what another life of it goes on with. */
import t from 'tap'
import { UNKNOWN_ERROR_MS } from '../../../runtime/core/clock-topics.js'
import { DeviceError } from '../../../runtime/core/errors.js'
import { apartMs, type Box, FLOOR_MS, runMs, SHOW_START_MS, twoBoxes, Venue } from './venue-rig.js'

// Many boxes, each millisecond looked at: long where the machine is busy.
t.setTimeout(240_000)

const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS

for (const when of ['fresh', 'armed', 'armed at once', 'serving'] as const)
  t.test(`a leader that believes in 1970 is not taken over by a box that is ${when}`, async t => {
    const venue = new Venue()
    const stray = venue.box({ aheadMs: -SHOW_START_MS, wallAheadMs: -SHOW_START_MS, floorMs: 0 })
    const box = venue.box({ ppm: 20 })
    await stray.service.start()
    await venue.truth.advance(10_000)
    if (when === 'armed at once') box.arm(true)
    await box.service.start()
    if (when.startsWith('armed')) box.arm(true)
    if (when === 'serving') {
      venue.switch.cut(box.link)
      await venue.truth.advance(130_000)
      venue.switch.heal(box.link)
    }
    const [least, most] = await runMs(venue, box, 60_000)
    t.ok(least > 0.999 && most < 1.001)
    t.same(box.steppedMs, [])
    t.ok(box.log.events('warn').includes('clock.distrusted'), 'it was looked at')
    t.equal(box.state.counts.distrusted, 1)
    t.equal(box.state.leader, box.identity)
    await Promise.all([stray.service.stop(), box.service.stop()])
  })

t.test('boxes that do not know the date begin at the same moment, and find each other', async t => {
  const venue = new Venue()
  const lost = { aheadMs: -SHOW_START_MS, wallAheadMs: -SHOW_START_MS }
  const boxes = [venue.box(lost), venue.box({ ...lost, aheadMs: 5_000 - SHOW_START_MS })]
  for (const box of boxes) {
    await box.service.start()
    t.ok(box.clock.showTimeMs() >= FLOOR_MS)
    await venue.truth.advance(2_000)
  }
  await venue.truth.advance(20_000)
  const [one, other] = boxes
  if (!one || !other) throw new Error('there are two')
  t.ok(apartMs(one, other) < 0.01)
  for (const box of boxes) await box.service.stop()
})

t.test('a box that once believed in another year joins the venue all the same', async t => {
  const venue = new Venue()
  const leader = venue.box()
  const box = venue.box({ aheadMs: 5 * YEAR_MS })
  await leader.service.start()
  await venue.truth.advance(10_000)
  await box.service.start()
  await venue.truth.advance(20_000)
  t.equal(box.state.state, 'following')
  t.ok(apartMs(leader, box) < 0.01)
  await Promise.all([leader.service.stop(), box.service.stop()])
})

t.test('what both clocks of a box agree on is the least that it believes', async t => {
  for (const lateMs of [DAY_MS / 2, 3 * DAY_MS]) {
    const venue = new Venue()
    const leader = venue.box({ aheadMs: -lateMs })
    const box = venue.box()
    await leader.service.start()
    await venue.truth.advance(10_000)
    await box.service.start()
    await venue.truth.advance(20_000)
    t.equal(box.state.counts.distrusted, lateMs > DAY_MS ? 1 : 0)
    t.equal(apartMs(leader, box) < 1, lateMs < DAY_MS)
    await Promise.all([leader.service.stop(), box.service.stop()])
  }
})

t.test('while nobody leads nobody is said to, and who led before is', async t => {
  const [venue, leader, follower] = await twoBoxes()
  t.match(follower.state, { leader: leader.identity, lastLeader: null })
  follower.link.fail(new DeviceError('device.absent', 'the cable is out'))
  t.match(follower.state, { state: 'holdover', leader: null, lastLeader: leader.identity })
  follower.link.mend()
  venue.switch.cut(leader.link)
  await venue.truth.advance(20_000)
  t.match(follower.state, { leader: follower.identity, lastLeader: leader.identity })
  t.equal(follower.state.counts.leaderChanges, 1)
  await Promise.all([leader.service.stop(), follower.service.stop()])
})

t.test('who takes over stays as unsure as it was, and tells those that follow', async t => {
  const [venue, leader, follower] = await twoBoxes()
  t.equal(leader.state.errorMs, 0, 'who began the timeline is right by definition')
  const third = venue.box({ ppm: 5 })
  await third.service.start()
  await venue.truth.advance(10_000)
  t.equal(third.state.inheritedErrorMs, 0)
  venue.switch.cut(leader.link)
  await venue.truth.advance(3_000)
  const [heir, other] = follower.state.state === 'leading' ? [follower, third] : [third, follower]
  const inheritedMs = heir.state.errorMs
  t.ok(inheritedMs > 0.05 && inheritedMs < 0.5, `${inheritedMs} ms: half the way and more`)
  t.equal(heir.state.inheritedErrorMs, inheritedMs)
  await venue.truth.advance(600_000)
  t.equal(heir.state.errorMs, inheritedMs, 'it makes the timeline now')
  t.equal(other.state.leader, heir.identity)
  t.ok(other.state.inheritedErrorMs >= inheritedMs)
  t.ok(other.state.errorMs > other.state.inheritedErrorMs)
  for (const box of [leader, follower, third]) await box.service.stop()
})

t.test('a box that has only just heard of a leader does not say how far off it is', async t => {
  const [, , follower] = await twoBoxes()
  const errors = (state: string): readonly number[] =>
    follower.states.filter(one => one.state === state).map(({ errorMs }) => errorMs)
  t.ok(errors('acquiring').length > 0)
  t.ok(errors('acquiring').every(ms => ms >= UNKNOWN_ERROR_MS))
  t.ok((errors('following').at(-1) ?? 1) < 1)
})

t.test('the timeline keeps its name over all changes of leader, and all boxes know it', async t => {
  const [venue, leader, follower] = await twoBoxes()
  const { timeline } = leader.state
  t.match(timeline, /^[0-9a-f]{16}$/)
  t.equal(follower.state.timeline, timeline)
  venue.switch.cut(leader.link)
  await venue.truth.advance(20_000)
  t.equal(follower.state.timeline, timeline)
  const third = venue.box()
  await third.service.start()
  await venue.truth.advance(10_000)
  t.match(third.state, { leader: follower.identity, timeline })
  for (const box of [leader, follower, third]) await box.service.stop()
})

t.test('messages that cannot be sent are told of once in each state, and counted', async t => {
  const venue = new Venue()
  const box = venue.box()
  await box.service.start()
  await venue.truth.advance(5_000)
  t.equal(box.state.state, 'leading')
  box.link.refusal = new DeviceError('device.io', 'the queue is full')
  await venue.truth.advance(10_000)
  t.equal(box.log.events('warn').filter(event => event === 'clock.not-sent').length, 1)
  t.ok(box.state.counts.notSent > 100)
  await box.service.stop()
})

t.test('the last ten minutes are kept, a point each second, and no more', async t => {
  const [venue, leader, follower] = await twoBoxes()
  const points = follower.service.history()
  t.ok(points.length > 37 && points.length <= 40)
  t.ok(Math.abs(points.at(-1)?.offsetMicroseconds ?? 1e9) < 10)
  t.ok((points.at(-1)?.errorMs ?? 1e9) < 1)
  t.equal(points[0]?.offsetMicroseconds, null)
  await venue.truth.advance(700_000)
  t.equal(follower.service.history().length, 600)
  const { wallMs = 0 } = follower.service.history().at(-1) ?? {}
  t.ok(venue.truth.wallTimeMs() - wallMs <= 1_001)
  await Promise.all([leader.service.stop(), follower.service.stop()])
})

/** What a program finds that begins again on the machine of a box whose program was killed. */
function nextLife(venue: Venue, box: Box, ppm: number, bootId: string): Box {
  const index = box.link.hardwareAddress.at(-1) ?? 0
  // Its own clock goes on without the rate that it had learned, from wherever the machine believes.
  return venue.box({ index, ppm, files: box.files, bootId, aheadMs: 30 })
}

t.test('a program that was killed goes on within microseconds of where it was', async t => {
  const [venue, leader, follower] = await twoBoxes()
  await venue.truth.advance(119_000)
  venue.switch.cut(follower.link)
  const next = nextLife(venue, follower, -35, 'boot 2')
  venue.switch.cut(next.link)
  await next.service.start()
  t.ok(apartMs(next, leader) < 0.01, `${apartMs(next, leader)} ms`)
  t.equal(next.state.state, 'holdover')
  t.ok(next.state.errorMs >= apartMs(next, leader) && next.state.errorMs < 1)
  await venue.truth.advance(10_000)
  t.ok(apartMs(next, leader) < 0.02, `${apartMs(next, leader)} ms`)
  venue.switch.heal(next.link)
  const [least, most] = await runMs(venue, next, 15_000)
  t.ok(least > 0.999 && most < 1.001)
  t.same(next.steppedMs, [], 'there is nothing to step over')
  t.equal(next.state.timeline, leader.state.timeline)
  for (const box of [leader, follower, next]) await box.service.stop()
})

t.test('what another boot has kept is of another scale', async t => {
  const [venue, leader, follower] = await twoBoxes()
  await venue.truth.advance(60_000)
  venue.switch.cut(follower.link)
  const next = nextLife(venue, follower, -35, 'another boot')
  await next.service.start()
  t.ok(Math.abs(next.clock.showTimeMs() - leader.clock.showTimeMs() - 30) < 10, 'its own clock')
  t.equal(next.state.state, 'alone')
  for (const box of [leader, follower, next]) await box.service.stop()
})

for (const awayMs of [100, 700, 1_500, 9_000])
  t.test(`a leader whose program is away for ${awayMs} ms makes no follower step`, async t => {
    const [venue, leader, follower] = await twoBoxes()
    const third = venue.box({ ppm: 5, aheadMs: 200 })
    await third.service.start()
    await venue.truth.advance(120_000)
    const steps = [follower.steppedMs.length, third.steppedMs.length]
    const truth = (box: Box): number => box.clock.showTimeMs() - venue.truth.showTimeMs()
    const before = [follower, third].map(truth)
    for (const box of [leader, follower, third]) box.arm(true)
    venue.switch.cut(leader.link)
    await venue.truth.advance(awayMs)
    const next = nextLife(venue, leader, 20, 'boot 1')
    next.arm(true)
    await next.service.start()
    const [least, most] = await runMs(venue, third, 30_000)
    t.ok(least > 0.999 && most < 1.001)
    t.same([follower.steppedMs.length, third.steppedMs.length], steps)
    for (const [index, box] of [follower, third].entries())
      t.ok(Math.abs(truth(box) - (before[index] ?? 0) - 0.02 * (30 + awayMs / 1000)) < 1)
    t.equal(next.state.state, 'following', 'it does not take the lead back')
    t.same(next.steppedMs, [])
    const all = [follower, third, next]
    for (const box of all) t.ok(apartMs(box, follower) < 0.05)
    for (const box of [...all, leader]) await box.service.stop()
  })
