/**
 * Goal: one fault at a time, in the middle of a fade, on a whole box: what is not at fault goes on to the millisecond,
 * what is at fault says so and comes back at the levels of now, and what was acknowledged is there after any power cut.
 */
import t, { type Test } from 'tap'
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import { checkShow } from '../../runtime/services/show/check-show.js'
import { Invariants } from './invariants.js'
import { readKeptShow } from './kept-show.js'
import { Storm } from './storm.js'
import { stormConfig, stormShow } from './storm-show.js'
import { type StartOptions, World } from './world.js'

const DAY_MS = 86_400_000
const FADE_MS = 4_000

const show = checkShow(stormShow, {
  keys: new SimulatedKeys(() => 0),
  box: 'box-1',
  devices: null,
  templates: null,
})

interface Rig {
  readonly world: World
  readonly invariants: Invariants
  /** Power cuts so far, and commands that had no answer when they came. */
  readonly met: { cuts: number; unanswered: number }
  readonly start: (options?: StartOptions) => Promise<boolean>
  /** Lets time pass, and looks at everything every so often. */
  readonly pass: (durationMs: number) => Promise<void>
}

function makeRig(): Rig {
  const world = new World({ seed: 1, showText: stormShow, configText: stormConfig })
  const met = { cuts: 0, unanswered: 0 }
  // Before the invariants let go of the life that ends.
  world.ending.listen(() => {
    met.cuts++
    met.unanswered += invariants.unansweredCount
  })
  const invariants = new Invariants(world, show)
  return {
    world,
    invariants,
    met,
    start: async options => {
      invariants.checkKept(await readKeptShow(world.store, show))
      return world.start(options)
    },
    pass: async durationMs => {
      for (let passedMs = 0; passedMs < durationMs; passedMs += 100) {
        await world.clock.advance(Math.min(100, durationMs - passedMs))
        invariants.check()
      }
    },
  }
}

/** A started box, and a fade of four seconds on all its lights that has just begun. */
async function fading(): Promise<Rig & { readonly beganMs: number }> {
  const rig = makeRig()
  await rig.start()
  await rig.pass(300)
  const beganMs = rig.world.ownClock.monotonicMs()
  rig.world.command({ action: 'scene', scene: 'stage', fadeMs: FADE_MS })
  return { ...rig, beganMs }
}

/** The moment of the last change of the spot, on the box's monotonic scale, and what it shows since. */
const lastOfSpot = ({ world }: Rig): { duty: number; at: number } =>
  world.host.pwm('pwm-1').history.at(-1) ?? { duty: 0, at: 0 }

/** The fade of the spot ended when it should, to a frame's rounding, and the lamps changed in its middle. */
function endsOnTime(t: Test, rig: Rig & { readonly beganMs: number }): void {
  const { duty, at } = lastOfSpot(rig)
  t.equal(duty, 1)
  t.ok(Math.abs(at - rig.beganMs - FADE_MS) < 0.01, `it ended after ${at - rig.beganMs} ms`)
  const lamp = rig.world.host.wire('light-1').history.find(({ isActive }) => isActive)
  const crossedMs = (lamp?.at ?? 0) - rig.beganMs
  t.ok(Math.abs(crossedMs - FADE_MS / 2) < 0.2, `the lamp changed after ${crossedMs} ms`)
}

t.test('the same seed gives the same storm, message by message', async t => {
  const digest = async (seed: number): Promise<string> => {
    const storm = new Storm(seed, new Map())
    storm.world.record()
    await storm.run()
    return storm.world.digest()
  }
  const first = await digest(7)
  t.equal(await digest(7), first)
  t.not(await digest(8), first)
})

t.test('a bus that is held down stops its dimmer and nothing else', async t => {
  const rig = await fading()
  const states: string[] = []
  rig.world.box.bus.subscribe('device/state', ({ device, state, code }) =>
    states.push(`${device} ${state} ${code}`),
  )
  await rig.pass(1_000)
  rig.invariants.lights.spoil('wash')
  rig.world.host.bus('header').isStuck = true
  await rig.pass(3_000)
  t.equal(states[0], 'wash faulty device.stuck', 'it says so')
  t.ok(
    rig.world.seen().dimmer.every(duty => duty === 0),
    'its outputs are switched off by their own wire',
  )
  await rig.pass(1_000)
  endsOnTime(t, rig)
  rig.world.command({ action: 'scene', scene: 'house', fadeMs: 20_000 })
  await rig.pass(5_000)
  rig.world.host.bus('header').isStuck = false
  rig.invariants.lights.heal('wash', 40_000)
  await rig.pass(14_000)
  t.equal(rig.invariants.lights.stateOf('wash'), 'ready')
  t.ok(rig.world.seen().dimmer.some(duty => duty > 0))
  t.same(rig.invariants.broken, [], 'it shows the levels of now')
})

for (const stepMs of [DAY_MS, -DAY_MS]) {
  t.test(`the wall clock set by ${stepMs / DAY_MS} day moves no end of a fade`, async t => {
    const rig = await fading()
    await rig.pass(1_234)
    rig.world.clock.stepWall(stepMs)
    await rig.pass(4_000)
    endsOnTime(t, rig)
    t.same(rig.invariants.broken, [])
  })

  t.test(`the venue's timeline set by ${stepMs / DAY_MS} day moves no end of a fade`, async t => {
    const rig = await fading()
    await rig.world.clock.advance(1_234)
    rig.world.ownClock.stepShow(stepMs)
    await rig.world.clock.advance(4_000)
    endsOnTime(t, rig)
    t.ok(rig.world.log.events('warn').includes('show.timeline-set'))
  })
}

t.test('a full disk stops no fade, and what it could not keep is kept when it can', async t => {
  const rig = await fading()
  await rig.pass(1_000)
  rig.world.store.fault = 'storage.full'
  rig.world.disk.fault = 'storage.full'
  const id = rig.world.command({ action: 'level', target: 'row-1', level: 0.4 })
  await rig.pass(5_000)
  endsOnTime(t, rig)
  t.match(
    rig.world.answered.find(answer => answer.id === id),
    { isAccepted: false, code: 'storage.full' },
  )
  rig.world.store.fault = null
  rig.world.disk.fault = null
  await rig.pass(70_000)
  await rig.world.cutPower(1_000)
  await rig.start()
  await rig.pass(1_000)
  t.ok((rig.world.seen().dimmer[8] ?? 0) > 0.1, 'the level that was set is there again')
  t.same(rig.invariants.broken, [])
})

t.test('a power cut at any call to the disk loses nothing that was acknowledged', async t => {
  let cuts = 0
  let unanswered = 0
  for (let storeCalls = 1; ; storeCalls++) {
    const rig = makeRig()
    await rig.start({ storeCalls })
    for (const action of ['go', 'go', 'blackout', 'back', 'panic', 'release', 'go'] as const)
      if (rig.world.isOn) {
        rig.world.command({ action })
        await rig.pass(700)
      }
    const isDone = rig.world.isOn
    cuts += rig.met.cuts
    unanswered += rig.met.unanswered
    if (isDone) await rig.world.cutPower(0)
    await rig.world.clock.advance(1_500)
    await rig.start()
    await rig.pass(1_000)
    t.same(rig.invariants.broken, [], `after call ${storeCalls}`)
    if (isDone) break
  }
  t.ok(cuts > 15, `${cuts} cuts`)
  t.ok(unanswered > 5, `${unanswered} commands had no answer yet`)
})

t.test('a dimmer that is away while a blackout ends is not dark when it is back', async t => {
  const rig = makeRig()
  await rig.start()
  await rig.pass(500)
  rig.world.command({ action: 'blackout', on: true })
  await rig.pass(500)
  rig.invariants.lights.spoil('wash')
  rig.world.host.bus('header').isStuck = true
  await rig.pass(4_000)
  t.equal(rig.invariants.lights.stateOf('wash'), 'faulty')
  rig.world.command({ action: 'blackout', on: false })
  rig.world.host.bus('header').isStuck = false
  rig.invariants.lights.heal('wash', 40_000)
  await rig.pass(45_000)
  t.equal(rig.invariants.lights.stateOf('wash'), 'ready')
  t.ok((rig.world.seen().dimmer[14] ?? 0) > 0, 'the lamp at the exit')
  t.same(rig.invariants.broken, [])
})

t.test('a GO right behind the start is not early', async t => {
  const rig = makeRig()
  await rig.start()
  rig.world.command({ action: 'go' })
  await rig.pass(1_000)
  const [fired] = rig.world.fired
  t.ok((fired?.lateMs ?? -1) >= 0, `${fired?.lateMs} ms`)
  t.same(rig.invariants.broken, [])
})

t.test('what follows a cue that was joined late is announced, and takes its pictures', async t => {
  const rig = makeRig()
  await rig.start()
  await rig.pass(5_000)
  // Cue 2 is followed by 3 after 1.1 s, and that by 4 after 1.2 s, whose pictures begin 0.9 s later.
  rig.world.command({ action: 'go' })
  rig.world.command({ action: 'go', atShowMs: rig.world.ownClock.showTimeMs() - 1_500 })
  await rig.pass(6_000)
  t.same(
    rig.world.fired.map(({ cue }) => cue),
    ['1', '2', '3', '4'],
  )
  t.equal(rig.world.captured.filter(({ refused }) => refused === null).length, 3)
  t.same(rig.invariants.broken, [])
})
