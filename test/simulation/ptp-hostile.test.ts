import t from 'tap'
import { randomFrom } from '../../runtime/core/random.js'
import { monotonicMs } from '../../runtime/core/time.js'
import { parse } from '../../runtime/services/clock/ptp/parse.js'
import type { PortOptions } from '../../runtime/services/clock/ptp/port.js'
import { serialise } from '../../runtime/services/clock/ptp/serialise.js'
import { ShowScale } from '../../runtime/services/clock/show-scale.js'
import { type Notice, VenueTime } from '../../runtime/services/clock/venue-time.js'
import { everyPacket, versionOneSync } from '../services/clock/ptp/packets.js'
import { announce } from '../services/clock/ptp/port-rig.js'
import {
  byHand,
  crystal,
  lan,
  type NetworkOptions,
  PtpWorld,
  type SimulatedBox,
  venuePort,
} from './ptp-world.js'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const YEAR_1970_MS = -1_790_000_000_000
const START_NS = 1_790_000_000_000_000_000n
const PPM = [40, -45, 20, -31, 7]

interface Scene {
  readonly network: NetworkOptions
  /** The last box is somebody else's. */
  readonly rogue: { readonly errorMs: number; readonly port: Partial<PortOptions> } | null
}

/** Three boxes that have settled for a minute, and in show mode where that is asked for; the rogue is still off. */
function settled(isInShow: boolean, scene: Partial<Scene> = {}): PtpWorld {
  const { network = lan, rogue = null } = scene
  const world = new PtpWorld({
    seed: 5,
    oscillators: PPM.slice(0, rogue === null ? 3 : 4).map(crystal),
    network,
    port: index => (index === 3 ? (rogue?.port ?? {}) : {}),
    startErrorMs: (index, random) => (index === 3 ? (rogue?.errorMs ?? 0) : byHand(index, random)),
  })
  for (const index of [0, 1, 2]) world.start(index)
  world.run(MINUTE_MS)
  world.setShowMode(isInShow)
  return world
}

const own = (world: PtpWorld): SimulatedBox[] => world.boxes.slice(0, 3)

/** Runs on, and notes the largest spread of the own boxes, and how far their time left its course in a second. */
function watch(world: PtpWorld, forMs: number): { spreadUs: number; offNs: number } {
  let spreadUs = 0
  let offNs = 0
  const untilMs = world.nowMs + forMs
  let before = own(world).map(box => world.showNs(box))
  while (world.nowMs < untilMs) {
    world.run(world.nowMs + 1000)
    spreadUs = Math.max(spreadUs, world.spreadUs(own(world)))
    const now = own(world).map(box => world.showNs(box))
    for (const [index, ns] of now.entries())
      offNs = Math.max(offNs, Math.abs(Number(ns - (before[index] ?? ns)) - 1e9))
    before = now
  }
  return { spreadUs, offNs }
}

const heard = (world: PtpWorld, kind: Notice['kind']): number =>
  own(world)
    .flatMap(({ notices }) => notices)
    .filter(({ notice }) => notice.kind === kind).length

const STRONGEST = { priority1: 1, priority2: 1 } as const

t.test('a grandmaster that believes in 1970 is not adopted, in show mode or not', async t => {
  for (const isInShow of [true, false]) {
    const world = settled(isInShow, { rogue: { errorMs: YEAR_1970_MS, port: STRONGEST } })
    const steps = heard(world, 'stepped')
    world.start(3)
    const { spreadUs, offNs } = watch(world, 5 * MINUTE_MS)
    t.equal(heard(world, 'distrusted'), 3, 'each of them looked at it')
    t.equal(heard(world, 'stepped'), steps)
    t.ok(spreadUs < 100, `${spreadUs} us`)
    t.ok(offNs < 200_000, `${offNs} ns`)
    t.equal(own(world).filter(({ time }) => time.clock.state === 'master').length, 1)
    t.equal(own(world).filter(({ time }) => time.clock.state === 'slave').length, 2)
  }
})

t.test('in show mode a timeline that is an hour ahead is not adopted either', async t => {
  const world = settled(true, { rogue: { errorMs: HOUR_MS, port: STRONGEST } })
  world.start(3)
  const { spreadUs, offNs } = watch(world, 5 * MINUTE_MS)
  t.ok(heard(world, 'distrusted') >= 3)
  t.ok(spreadUs < 100 && offNs < 200_000, `${spreadUs} us, ${offNs} ns`)
})

t.test('a master of another domain disturbs nobody', async t => {
  const world = settled(true, { rogue: { errorMs: HOUR_MS, port: { ...STRONGEST, domain: 0 } } })
  world.start(3)
  const states = heard(world, 'state')
  const { spreadUs } = watch(world, 2 * MINUTE_MS)
  t.ok(spreadUs < 20)
  t.equal(heard(world, 'state'), states)
})

t.test(
  'a box that was off joins a running show at the right moment, and does not lead it',
  async t => {
    const world = settled(true, { rogue: { errorMs: HOUR_MS, port: { priority2: 1 } } })
    world.start(3)
    world.run(world.nowMs + 30_000)
    t.equal(world.box(3).time.clock.state, 'slave')
    t.ok(world.spreadUs(world.boxes) < 20)
  },
)

t.test(
  'a leader that comes back alone, and only then finds its cable, does not win the timeline back',
  async t => {
    const world = settled(true)
    const [leader] = world.leaders()
    if (!leader) throw new Error('somebody leads')
    world.kill(leader.index)
    world.run(world.nowMs + 30_000)
    world.unplug(leader.index)
    world.start(leader.index)
    world.run(world.nowMs + 20_000)
    const others = own(world).filter(box => box !== leader)
    const before = others.map(({ notices }) => notices.length)
    world.plug(leader.index)
    world.run(world.nowMs + 30_000)
    t.equal(leader.time.clock.state, 'slave')
    t.same(
      others.map(({ notices }) => notices.length),
      before,
      'nobody else noticed',
    )
    t.ok(world.spreadUs(own(world)) < 20)
  },
)

t.test('two halves of a venue meet again without a step, under one leader', async t => {
  const world = settled(true)
  const isCut = (from: number, to: number): boolean => (from === 0) !== (to === 0)
  world.way = (from, to) => (isCut(from, to) ? null : 0)
  watch(world, 10 * MINUTE_MS)
  t.equal(world.leaders().length, 2, 'each half has its own')
  const apartUs = world.spreadUs(own(world))
  t.ok(apartUs < 100, `${apartUs} us after ten minutes, at the rates they had learned`)
  world.way = () => 0
  const { spreadUs, offNs } = watch(world, 30_000)
  t.equal(world.leaders().length, 1)
  t.ok(spreadUs < 100 && offNs < 200_000)
  t.ok(world.spreadUs(own(world)) < 20)
})

t.test(
  'a way that is longer there than back is an error no larger than the bound says',
  async t => {
    const world = settled(true)
    const [leader] = world.leaders()
    world.way = from => (from === leader?.index ? 0.08 : 0)
    world.run(world.nowMs + 2 * MINUTE_MS)
    const spreadUs = world.spreadUs(own(world))
    t.ok(spreadUs > 30 && spreadUs < 50, `half of 80 us: ${spreadUs} us`)
    for (const box of own(world)) if (box !== leader) t.ok(world.errorNs(box) / 1000 > spreadUs)
  },
)

t.test('in a storm of masters, noise and foreign versions the boxes stay together', async t => {
  const world = settled(true)
  const fromMs = world.nowMs
  for (let count = 0; count < 10_000; count++)
    world.at(fromMs + count * 3, () => {
      const clock = (count % 5000).toString(16).padStart(16, 'c')
      const worse = { grandmaster: { clockClass: 248, priority1: 200 } }
      const message = announce(clock, Math.floor(count / 5000), worse)
      world.inject(serialise(message), 'general')
      const noise = Uint8Array.from({ length: world.random() * 90 }, () => world.random() * 256)
      const packet = everyPacket[count % everyPacket.length] ?? noise
      for (const bytes of [noise, packet, versionOneSync]) world.inject(bytes, 'event')
    })
  const { spreadUs, offNs } = watch(world, MINUTE_MS)
  t.ok(spreadUs < 100 && offNs < 200_000, `${spreadUs} us, ${offNs} ns`)
  for (const { time } of own(world)) t.ok(time.clock.counts.masters <= 32)
  for (const { time } of own(world)) {
    t.ok(time.clock.counts.malformed > 9_000)
    t.ok(time.clock.counts.otherVersion > 9_900)
  }
})

t.test('on a bad radio the boxes stay within a few milliseconds, and know it', async t => {
  const radio: NetworkOptions = { delayMs: 1, jitterMs: 1.5, loss: 0.05, doubled: 0.01 }
  const world = settled(true, { network: radio })
  const { spreadUs, offNs } = watch(world, 10 * MINUTE_MS)
  t.ok(spreadUs < 2000, `${spreadUs} us`)
  t.ok(offNs < 1_000_000, `${offNs} ns`)
})

t.test('every message on the wire can be read, and names its sender', async t => {
  const world = settled(false)
  let count = 0
  let wrong = 0
  world.onMessage = (from, bytes) => {
    count++
    const message = parse(bytes)
    if (message?.header.source.clock !== `0242acfffe0000${from.toString(16).padStart(2, '0')}`)
      wrong++
    if (message?.header.domain !== 42) wrong++
  }
  world.run(world.nowMs + MINUTE_MS)
  t.ok(count > 1000)
  t.equal(wrong, 0)
})

const FUZZED = 1_000_000
const PER_MS = 20

t.test(
  'a million mangled packets neither throw, nor grow the clock, nor move its time',
  { timeout: 240_000 },
  async t => {
    const random = randomFrom(1588)
    const scale = new ShowScale({
      at: monotonicMs(0),
      showNs: START_NS,
      learnedPpm: 0,
      continued: null,
    })
    scale.lead(monotonicMs(0))
    const options = {
      port: venuePort(0, {}),
      floorNs: START_NS - 1_000_000_000_000_000n,
      timeline: null,
      newTimeline: () => '0'.repeat(16),
    }
    const time = new VenueTime(scale, options, monotonicMs(0), random)
    const notices: Notice[] = []
    const take = ({ notices: told }: { notices: readonly Notice[] }): void => {
      for (const notice of told) if (notices.length < FUZZED) notices.push(notice)
    }
    take(time.start(monotonicMs(0)))
    let sends = 0
    let mastersMost = 0
    for (let count = 0; count < FUZZED; count++) {
      const at = monotonicMs(count / PER_MS)
      if ((time.nextTickAt ?? at) < at) take(time.tick(at))
      const port = random() < 0.5 ? 'event' : 'general'
      const outcome = time.receive({ bytes: mangled(random), at, from: '10.6.6.6', port })
      take(outcome)
      sends += outcome.sends.length
      mastersMost = Math.max(mastersMost, time.clock.counts.masters)
    }
    const endedAt = monotonicMs(FUZZED / PER_MS)
    const passedNs = Number(scale.showAtNs(endedAt) - START_NS)
    t.ok(Math.abs(passedNs - endedAt * 1e6) < 10_000, 'its time went on as it was')
    t.notOk(notices.some(({ kind }) => kind === 'stepped'))
    t.ok(mastersMost <= 32, `${mastersMost} masters`)
    t.ok(
      notices.some(({ kind }) => kind === 'leader'),
      'some were near enough to be looked at',
    )
    t.ok(time.clock.counts.malformed > FUZZED / 20, 'others were noise')
    t.ok(sends < FUZZED, `${sends} answers: no more than was asked`)
    take(time.tick(monotonicMs(endedAt + 60_000)))
    take(time.tick(monotonicMs(endedAt + 120_000)))
    t.equal(time.leader, time.identity, 'and afterwards all is as before')
  },
)

/** Of the own domain mostly, and now and then as somebody better. */
function mangled(random: () => number): Uint8Array {
  if (random() < 0.1) return Uint8Array.from({ length: random() * 128 }, () => random() * 256)
  const bytes = everyPacket[Math.floor(random() * everyPacket.length)]?.slice() ?? new Uint8Array()
  if (random() < 0.9) bytes[4] = 42
  // From one of a few, who counts on.
  bytes[27] = random() * 4
  bytes[31] = random() * 256
  for (let times = random() * 3; times > 0; times--)
    bytes[Math.floor(random() * bytes.length)] = random() * 256
  return random() < 0.1 ? bytes.subarray(0, random() * bytes.length) : bytes
}
