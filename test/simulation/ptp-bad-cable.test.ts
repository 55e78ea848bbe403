/**
 * The clock over cables that are bad in one direction only, and with a leader whose process stands still again and again,
 * in an armed show: nobody's time jumps, the bound holds what it promises, and at the end one box leads.
 */
import t, { type Test } from 'tap'
import { crystal, lan, PtpWorld, type SimulatedBox } from './ptp-world.js'

const SECOND_MS = 1_000
const LOOK_MS = 100
/** A step of the timeline is what no pace explains. */
const STEP_MS_MAX = 1
const PACE_PPM_MAX = 700

const venue = (seed: number): PtpWorld =>
  new PtpWorld({
    seed,
    oscillators: [30, -40, 10].map(crystal),
    network: lan,
    port: () => ({}),
    startErrorMs: (_index, random) => 1000 * (random() - 0.5),
  })

interface Seen {
  /** Of any box, beyond its pace, in ms. */
  stepMs: number
  /** Looks at a follower that was farther from the leader than it said it could be. */
  outside: number
  looks: number
  /** Between the boxes, in microseconds. */
  spreadUs: number
}

/** Looks ten times a second at all of them. */
function watch(world: PtpWorld, seconds: number, disturb: (second: number) => void): Seen {
  const seen: Seen = { stepMs: 0, outside: 0, looks: 0, spreadUs: 0 }
  const last = new Map<SimulatedBox, bigint>()
  for (let turn = 0; turn < (seconds * SECOND_MS) / LOOK_MS; turn++) {
    if (turn % (SECOND_MS / LOOK_MS) === 0) disturb(turn / (SECOND_MS / LOOK_MS))
    world.run(world.nowMs + LOOK_MS)
    for (const box of world.boxes) note(world, box, last, seen)
    seen.spreadUs = Math.max(seen.spreadUs, world.spreadUs(world.boxes))
    bounds(world, seen)
  }
  return seen
}

function note(
  world: PtpWorld,
  box: SimulatedBox,
  last: Map<SimulatedBox, bigint>,
  seen: Seen,
): void {
  const showNs = world.showNs(box)
  const before = last.get(box) ?? showNs - BigInt(LOOK_MS * 1e6)
  const offMs = Math.abs(Number(showNs - before) / 1e6 - LOOK_MS)
  seen.stepMs = Math.max(seen.stepMs, offMs - LOOK_MS * PACE_PPM_MAX * 1e-6)
  last.set(box, showNs)
}

function bounds(world: PtpWorld, seen: Seen): void {
  const [leader, other] = world.leaders()
  if (!leader || other) return
  for (const box of world.boxes) {
    if (box.time.clock.state !== 'slave') continue
    seen.looks++
    const offNs = Math.abs(Number(world.showNs(box) - world.showNs(leader)))
    if (offNs > world.errorNs(box)) seen.outside++
  }
}

function begin(seed: number): { readonly world: PtpWorld; readonly leader: number } {
  const world = venue(seed)
  for (const box of world.boxes) world.start(box.index)
  world.run(60 * SECOND_MS)
  world.setShowMode(true)
  return { world, leader: world.leaders()[0]?.index ?? -1 }
}

function well(t: Test, { stepMs, outside, looks }: Seen): void {
  t.ok(stepMs < STEP_MS_MAX, `no step: ${stepMs.toFixed(3)} ms`)
  t.ok(looks > 1_000, `${looks} looks`)
  t.equal(outside, 0, 'nobody was farther off than it said')
}

function recovers(t: Test, world: PtpWorld): void {
  world.way = () => 0
  watch(world, 90, () => {})
  t.equal(world.leaders().length, 1, 'one leads')
  const { spreadUs } = watch(world, 10, () => {})
  t.ok(spreadUs < 100, `together again: ${spreadUs.toFixed(1)} us`)
}

interface Fault {
  readonly way: (world: PtpWorld, from: number, to: number, leader: number) => number | null
  /** How far apart boxes may be meanwhile, in microseconds. */
  readonly spreadUs: number
}

const faults: Readonly<Record<string, Fault>> = {
  'a fifth of what the leader says is lost': {
    way: (world, from, _to, leader) => (from === leader && world.random() < 0.2 ? null : 0),
    spreadUs: 100,
  },
  'a fifth of what the others say is lost': {
    way: (world, from, _to, leader) => (from !== leader && world.random() < 0.2 ? null : 0),
    spreadUs: 100,
  },
  'what the leader says takes 4 ms more, the way back does not': {
    way: (_world, from, _to, leader) => (from === leader ? 4 : 0),
    spreadUs: 2_300,
  },
  'the way to the leader takes 4 ms more': {
    way: (_world, _from, to, leader) => (to === leader ? 4 : 0),
    spreadUs: 2_300,
  },
  'what the leader says comes out of order, by up to 300 ms': {
    way: (world, from, _to, leader) =>
      from === leader && world.random() < 0.3 ? world.random() * 300 : 0,
    spreadUs: 300,
  },
}

for (const [what, { way, spreadUs }] of Object.entries(faults))
  t.test(`${what}: no step, an honest bound, one leader`, async t => {
    const { world, leader } = begin(1)
    world.way = (from, to) => way(world, from, to, leader)
    const seen = watch(world, 180, () => {})
    well(t, seen)
    t.ok(seen.spreadUs < spreadUs, `${seen.spreadUs.toFixed(1)} us apart`)
    t.same(
      world.leaders().map(({ index }) => index),
      [leader],
      'the lead has stayed',
    )
    recovers(t, world)
  })

t.test('a leader that stands still for 2 s, again and again: no step, one leader', async t => {
  const { world } = begin(2)
  let stalls = 0
  const seen = watch(world, 180, second => {
    const [leader, other] = world.leaders()
    if (second % 6 !== 0 || !leader || other) return
    world.stall(leader.index, 2 * SECOND_MS)
    stalls++
  })
  well(t, seen)
  // It has not been started anew, and knows the timeline best: once awake it leads again, on the same one.
  const takeOvers = world.boxes.flatMap(({ notices }) =>
    notices.filter(
      ({ atMs, notice }) =>
        atMs > 60 * SECOND_MS && notice.kind === 'state' && notice.state === 'master',
    ),
  )
  t.ok(stalls >= 20, `${stalls} times`)
  t.ok(takeOvers.length >= stalls, `another led meanwhile, ${takeOvers.length} times`)
  t.ok(seen.spreadUs < 1_000, `${seen.spreadUs.toFixed(1)} us apart`)
  recovers(t, world)
})
