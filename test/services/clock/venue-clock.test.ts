/** Boxes with crystals of their own on a simulated switch: what they say of the time, and what the time does. */
import t from 'tap'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { BoxError } from '../../../runtime/core/errors.js'
import type { Files } from '../../../runtime/ports/files.js'
import { absent, apartMs, runMs, twoBoxes, Venue } from './venue-rig.js'

t.test('a box without a link is alone, on its own timeline', async t => {
  const venue = new Venue()
  const box = venue.box({ isLinked: false })
  await box.service.start()
  await venue.truth.advance(5_000)
  t.match(box.state, {
    state: 'alone',
    identity: null,
    leader: null,
    interface: null,
    domain: null,
    stamps: null,
    errorMs: 0,
    trouble: null,
  })
  t.notOk(box.clock.isLed)
  t.same(box.log.lines, [])
  await box.service.stop()
})

t.test('of two boxes one leads, and the other shows its time to some microseconds', async t => {
  const [, leader, follower] = await twoBoxes()
  t.match(leader.state, { state: 'leading', leader: leader.identity, identity: leader.identity })
  t.match(follower.state, {
    state: 'following',
    leader: leader.identity,
    identity: follower.identity,
    interface: 'eth0',
    domain: 42,
    stamps: 'kernel',
    clocksHeard: 1,
    trouble: null,
  })
  t.ok(apartMs(leader, follower) < 0.005)
  t.ok(follower.state.errorMs >= apartMs(leader, follower))
  t.ok(follower.state.errorMs < 1)
  t.ok(Math.abs((follower.state.pathDelayMicroseconds ?? 0) - 100) < 20)
  t.ok(Math.abs(follower.state.ratePpm - 55) < 1)
  await Promise.all([leader.service.stop(), follower.service.stop()])
})

t.test('a first lock takes the leader over in one step, and says so', async t => {
  const [, leader, follower] = await twoBoxes()
  t.equal(follower.steppedMs.length, 1)
  t.ok(Math.abs((follower.steppedMs[0] ?? 0) + 400) < 1)
  t.same(leader.steppedMs, [])
  t.ok(follower.log.events('warn').includes('clock.stepped'))
  await Promise.all([leader.service.stop(), follower.service.stop()])
})

t.test(
  'when the leader falls silent the follower leads within a second, and nobody sees it',
  async t => {
    const [venue, leader, follower] = await twoBoxes()
    venue.switch.cut(leader.link)
    const [least, most] = await runMs(venue, follower, 1_000)
    t.match(follower.state, { state: 'leading', leader: follower.identity })
    const [leastAfter, mostAfter] = await runMs(venue, follower, 2_000)
    t.ok(Math.min(least, leastAfter) > 0.999)
    t.ok(Math.max(most, mostAfter) < 1.001)
    t.equal(follower.steppedMs.length, 1)
    t.ok(apartMs(leader, follower) < 0.02)
    await Promise.all([leader.service.stop(), follower.service.stop()])
  },
)

t.test('a leader that comes back follows who took over, without a step', async t => {
  const [venue, leader, follower] = await twoBoxes()
  venue.switch.cut(leader.link)
  await venue.truth.advance(20_000)
  venue.switch.heal(leader.link)
  const [least, most] = await runMs(venue, leader, 10_000)
  const after = [leader, follower].filter(({ state }) => state.state === 'leading')
  t.equal(after.length, 1)
  t.ok(least > 0.999 && most < 1.001)
  t.same(leader.steppedMs, [])
  t.ok(apartMs(leader, follower) < 0.05)
  await Promise.all([leader.service.stop(), follower.service.stop()])
})

t.test('while a show is armed a leader that is far off is not followed', async t => {
  for (const armed of ['before it has a link', 'later', 'never'] as const) {
    const isArmed = armed !== 'never'
    const venue = new Venue()
    const [leader, box] = [venue.box({ ppm: 20 }), venue.box({ aheadMs: 60_000 })]
    venue.switch.cut(box.link)
    if (armed === 'before it has a link') box.link.fail(absent)
    await Promise.all([leader.service.start(), box.service.start()])
    await venue.truth.advance(500)
    box.arm(isArmed)
    box.link.mend()
    t.equal(box.state.isFrozen, isArmed, 'which is told at once')
    await venue.truth.advance(180_000)
    venue.switch.heal(box.link)
    const [, most] = await runMs(venue, box, 15_000)
    t.same(box.steppedMs.length, isArmed ? 0 : 1)
    t.equal(box.log.events('warn').includes('clock.distrusted'), isArmed)
    t.equal(apartMs(leader, box) > 50_000, isArmed)
    if (isArmed) t.ok(most < 1.001)
    await Promise.all([leader.service.stop(), box.service.stop()])
  }
})

t.test(
  'a link that cannot be opened is told of once, tried again at growing pauses, and heals',
  async t => {
    const venue = new Venue()
    const box = venue.box()
    box.link.fail(absent)
    await box.service.start()
    await venue.truth.advance(60_000)
    t.same(box.link.triedMs, [0, 1_000, 3_000, 7_000, 15_000, 30_000, 45_000, 60_000])
    t.same(box.log.lines, [
      { level: 'warn', event: 'clock.no-link', facts: { error: 'eth0 is not there' } },
    ])
    t.match(box.state, { state: 'alone', stamps: null, trouble: 'eth0 is not there' })
    box.link.mend()
    await venue.truth.advance(17_000)
    t.match(box.state, { state: 'leading', stamps: 'kernel', trouble: null })
    await box.service.stop()
  },
)

t.test(
  'why a link cannot be opened is told at once, and again when it is something else',
  async t => {
    const venue = new Venue()
    const box = venue.box()
    box.link.fail(absent)
    await box.service.start()
    await venue.truth.advance(1)
    t.equal(box.state.trouble, 'eth0 is not there')
    box.link.fail(new BoxError('native.missing', 'there is no binary'))
    await venue.truth.advance(10_000)
    t.equal(box.state.trouble, 'there is no binary')
    t.same(box.log.events(), ['clock.no-link', 'clock.no-link'])
    await box.service.stop()
  },
)

t.test('a link that is lost is told of, and found again', async t => {
  const [venue, leader, follower] = await twoBoxes()
  const triedCount = follower.link.triedMs.length
  follower.link.fail(absent)
  t.match(follower.state, { state: 'holdover', stamps: null, trouble: 'eth0 is not there' })
  t.equal(follower.link.triedMs.length, triedCount, 'but not at once')
  await venue.truth.advance(10_000)
  t.equal(follower.log.events().filter(event => event === 'clock.link-lost').length, 1)
  t.notOk(follower.log.events().includes('clock.no-link'), 'the same trouble is told once')
  t.ok(apartMs(leader, follower) < 0.05)
  follower.link.mend()
  const [least, most] = await runMs(venue, follower, 20_000)
  t.match(follower.state, { state: 'following', stamps: 'kernel', trouble: null })
  t.ok(least > 0.999 && most < 1.001)
  await Promise.all([leader.service.stop(), follower.service.stop()])
})

t.test('a link that is lost whenever it is opened is opened once a second', async t => {
  const venue = new Venue()
  const box = venue.box()
  await box.service.start()
  for (let times = 0; times < 5; times++) {
    await venue.truth.advance(1_000)
    box.link.fail(absent)
    box.link.mend()
  }
  t.same(box.link.triedMs, [0, 2_000, 3_000, 4_000, 5_000])
  await box.service.stop()
})

t.test('what was learned of the oscillator is kept over a restart', async t => {
  const files = new SimulatedFiles()
  const [venue, leader, follower] = await twoBoxes({ files })
  await venue.truth.advance(60_000)
  await follower.service.stop()
  const saved = JSON.parse(
    new TextDecoder().decode((await files.read('oscillator.json')) ?? undefined),
  )
  t.ok(Math.abs(saved.learnedPpm - 55) < 0.2)
  await leader.service.stop()

  const next = venue.box({ ppm: -35, files })
  await next.service.start()
  t.equal(next.state.ratePpm, saved.learnedPpm)
  await next.service.stop()
})

t.test('a box without a link writes nothing', async t => {
  const venue = new Venue()
  const box = venue.box({ isLinked: false })
  await box.service.start()
  await venue.truth.advance(1_300_000)
  await box.service.stop()
  t.equal(await box.files.read('oscillator.json'), null)
})

for (const [what, text] of [
  ['no JSON', '{"learnedPpm":'],
  ['another shape', '{"ppm":3}'],
  ['more than any oscillator is off', '{"learnedPpm":501}'],
  ['nothing', ''],
] as const)
  t.test(`a file of ${what} counts as nothing learned`, async t => {
    const venue = new Venue()
    const box = venue.box()
    await box.files.replace('oscillator.json', new TextEncoder().encode(text))
    await box.service.start()
    t.equal(box.state.ratePpm, 0)
    t.same(box.log.events('warn'), ['clock.unreadable'])
    await box.service.stop()
  })

t.test('a disk that neither reads nor writes keeps no box from the time', async t => {
  const broken = (): Promise<never> => Promise.reject(new BoxError('storage.io', 'it is broken'))
  const files: Files = { read: broken, replace: broken, remove: broken }
  const [, leader, follower] = await twoBoxes({ files })
  t.equal(follower.state.state, 'following')
  await follower.service.stop()
  const events = follower.log.events('warn')
  t.same([events[0], events.at(-1)], ['clock.unreadable', 'clock.not-saved'])
  await leader.service.stop()
})

t.test('it says where it stands each second, and at each change', async t => {
  const venue = new Venue()
  const box = venue.box()
  await box.service.start()
  t.equal(box.states.length, 1, 'and at the start')
  await venue.truth.advance(10_000)
  const count = box.states.length
  await venue.truth.advance(10_000)
  t.equal(box.states.length, count + 10)
  t.same(
    [...new Set(box.states.map(({ state }) => state))],
    ['alone', 'listening', 'leading'],
    'each on the way is told',
  )
  await box.service.stop()
})

t.test('a box that was stopped, once or twice, does nothing more', async t => {
  const [venue, leader, follower] = await twoBoxes()
  await leader.service.stop()
  await leader.service.stop()
  await Promise.all([follower.service.stop(), follower.service.stop()])
  t.notOk(leader.link.isOpen || follower.link.isOpen)
  const counts = [leader, follower].map(({ states, log, link }) => [
    states.length,
    log.lines.length,
    link.sentCount,
  ])
  const [least, most] = await runMs(venue, follower, 2_000)
  await venue.truth.advance(700_000)
  follower.arm(true)
  t.same(
    [leader, follower].map(({ states, log, link }) => [
      states.length,
      log.lines.length,
      link.sentCount,
    ]),
    counts,
  )
  t.ok(least > 0.999 && most < 1.001, 'and the time goes on as it did')
})

t.test(
  'a box that is stopped while its link is opened leaves it closed, and waits for that',
  async t => {
    const venue = new Venue()
    const box = venue.box()
    let letOpen = (): void => {}
    box.link.opens = new Promise(resolve => {
      letOpen = resolve
    })
    await box.service.start()
    let isStopped = false
    const stopped = box.service.stop().then(() => {
      isStopped = true
    })
    await venue.truth.advance(1_000)
    t.notOk(isStopped)
    letOpen()
    await stopped
    t.notOk(box.link.isOpen)
    await venue.truth.advance(60_000)
    t.same([box.link.triedMs.length, box.link.sentCount, box.states.length], [1, 0, 1])

    await box.service.start()
    await venue.truth.advance(5_000)
    t.equal(box.state.state, 'leading', 'and may be started again')
    await box.service.stop()
  },
)

t.test('a box that is stopped while it waits to try its link again does not', async t => {
  const venue = new Venue()
  const box = venue.box()
  box.link.fail(absent)
  await box.service.start()
  await venue.truth.advance(1_500)
  await box.service.stop()
  await venue.truth.advance(60_000)
  t.same(box.link.triedMs, [0, 1_000])
})
