/** Boxes with crystals of their own on a simulated switch: what they say of the time, and what the time does. */
import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedPtpLink, SimulatedSwitch } from '../../../drivers/simulated/ptp-link.js'
import { Bus } from '../../../runtime/core/bus.js'
import { BoxError, DeviceError } from '../../../runtime/core/errors.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { check } from '../../../runtime/core/schema.js'
import type { MonotonicMs } from '../../../runtime/ports/clock.js'
import type { Files } from '../../../runtime/ports/files.js'
import type { PtpLink } from '../../../runtime/ports/ptp-link.js'
import { VenueClock } from '../../../runtime/services/clock/venue-clock.js'
import { type Messages, type Payload, topics } from '../../../runtime/topics.js'
import { OscillatorClock } from './oscillator-clock.js'

type State = Payload<'clock/state'>

const SHOW_START_MS = 1_790_000_000_000
const WAY_MS = 0.1
const absent = new DeviceError('device.absent', 'eth0 is not there')

interface BoxOptions {
  readonly ppm?: number
  /** How far its own timeline is from the other's, at first. */
  readonly aheadMs?: number
  readonly isLinked?: boolean
  readonly files?: Files
}

class Venue {
  readonly truth = new SimulatedClock({ showStartMs: SHOW_START_MS, driftPpm: 0 })
  readonly random = randomFrom(11)
  readonly switch = new SimulatedSwitch(this.truth, () => WAY_MS + 0.02 * this.random())
  #boxCount = 0

  box(options: BoxOptions = {}): Box {
    return new Box(this, ++this.#boxCount, options)
  }
}

/** Writes down when it was tried, and can be made to take its time. */
class TriedLink extends SimulatedPtpLink {
  readonly triedMs: number[] = []
  sentCount = 0
  now: () => number = () => 0
  opens: Promise<void> = Promise.resolve()

  override async open(): Promise<void> {
    this.triedMs.push(this.now())
    await this.opens
    await super.open()
  }

  override send(...message: Parameters<PtpLink['send']>): Promise<MonotonicMs> {
    this.sentCount++
    return super.send(...message)
  }
}

class Box {
  readonly clock: OscillatorClock
  readonly link: TriedLink
  readonly log = new SimulatedLog()
  readonly bus = new Bus<Messages>()
  readonly files: Files
  readonly service: VenueClock
  /** As the topic's schema let them pass. */
  readonly states: State[] = []
  readonly steppedMs: number[] = []

  constructor(venue: Venue, index: number, options: BoxOptions) {
    const { ppm = 0, aheadMs = 0, isLinked = true, files = new SimulatedFiles() } = options
    const showStartMs = SHOW_START_MS + aheadMs
    this.clock = new OscillatorClock(venue.truth, { ppm, upMs: index * 1e6, showStartMs })
    this.link = new TriedLink(this.clock, venue.switch, {
      interfaceName: 'eth0',
      address: `10.0.0.${index}`,
      hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, index),
    })
    this.link.now = () => venue.truth.monotonicMs()
    this.files = files
    const { clock, log, bus, link } = this
    bus.subscribe('clock/state', state => {
      this.states.push(check(topics['clock/state'].payload, state, 'clock/state'))
    })
    bus.subscribe('clock/stepped', payload => {
      this.steppedMs.push(check(topics['clock/stepped'].payload, payload, 'stepped').byMs)
    })
    this.service = new VenueClock(
      { clock, log, bus, files, timeline: clock, link: isLinked ? link : null },
      {
        ptp: { domain: 42, isPreferred: false, isFollowOnly: false },
        description: { address: '', product: 'box', revision: '1', name: `box ${index}` },
        random: venue.random,
      },
    )
  }

  get state(): State {
    const state = this.states.at(-1)
    if (state === undefined) throw new Error('nothing was told')
    return state
  }

  get identity(): string {
    return `020000fffe0000${this.link.hardwareAddress.at(-1)?.toString(16).padStart(2, '0')}`
  }

  arm(isArmed: boolean): void {
    this.bus.publish('show/state', {
      name: 'evening',
      digest: 'a',
      isArmed,
      current: null,
      next: null,
      epoch: 0,
      running: [],
      isBlackout: false,
      isPanic: false,
      manual: {},
    })
  }
}

const apartMs = (one: Box, other: Box): number =>
  Math.abs(one.clock.showTimeMs() - other.clock.showTimeMs())

/** What each millisecond of true time was on a box's timeline: the least and the most of it. */
async function runMs(venue: Venue, box: Box, durationMs: number): Promise<[number, number]> {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let before = box.clock.showTimeMs()
  for (let ms = 0; ms < durationMs; ms++) {
    await venue.truth.advance(1)
    const now = box.clock.showTimeMs()
    least = Math.min(least, now - before)
    most = Math.max(most, now - before)
    before = now
  }
  return [least, most]
}

/** The first leads, and the second follows it by now. */
async function twoBoxes(options: BoxOptions = {}): Promise<[Venue, Box, Box]> {
  const venue = new Venue()
  const leader = venue.box({ ppm: 20 })
  const follower = venue.box({ ppm: -35, aheadMs: 400, ...options })
  await leader.service.start()
  await venue.truth.advance(3_000)
  await follower.service.start()
  await venue.truth.advance(40_000)
  return [venue, leader, follower]
}

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

t.test('a box that has learned nothing writes nothing', async t => {
  const venue = new Venue()
  const box = venue.box()
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
