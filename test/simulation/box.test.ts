/**
 * Goal: a whole box on the simulated board keeps its promises through faults: same seed, same evening; a cut in the
 * middle of a fade comes back at the levels of now; nothing that happens to a chip or a disk stops the rest.
 * Replay a failure with SEED=<printed seed>.
 */
import t from 'tap'
import { World } from './world.js'

const FIRST_SEED = Number(process.env['SEED'] ?? 1)

async function evening(seed: number): Promise<World> {
  const world = new World({ seed, showText: null })
  await world.start()
  for (let cue = 0; cue < 8; cue++) {
    world.command({ action: 'go' })
    await world.clock.advance(2_000 + Math.floor(world.random() * 10_000))
  }
  await world.stop()
  return world
}

t.test('the same seed gives the same evening', async t => {
  const first = await evening(FIRST_SEED)
  const second = await evening(FIRST_SEED)
  const other = await evening(FIRST_SEED + 1)
  t.same(first.trace, second.trace)
  t.same(first.fired, second.fired)
  t.notSame(first.fired, other.fired, 'another seed is another evening')
  t.ok(first.trace.length > 10, 'lines moved')
  t.ok(first.captured.length >= 3, 'the camera was triggered')
})

t.test('every accepted GO fires its cue once', async t => {
  const world = await evening(FIRST_SEED)
  const ids = world.fired.map(({ fire }) => fire)
  t.equal(new Set(ids).size, ids.length)
  t.equal(world.answered.filter(({ isAccepted }) => isAccepted).length >= 5, true)
})

t.test('a power cut in the middle of a fade comes back at the levels of now', async t => {
  const cut = new World({ seed: FIRST_SEED, showText: null })
  const spared = new World({ seed: FIRST_SEED, showText: null })
  for (const world of [cut, spared]) {
    await world.start()
    world.command({ action: 'go' })
    await world.clock.advance(1_000)
    t.ok(world.answered.length > 0, 'the GO was acknowledged, so it is on the disk')
  }
  await cut.cutPower(500)
  await cut.start()
  const missedMs = cut.clock.monotonicMs() - spared.clock.monotonicMs()
  await spared.clock.advance(missedMs + 300)
  await cut.clock.advance(300)
  t.same(cut.seen(), spared.seen())
  t.ok(
    cut.seen().dimmer.some(duty => duty > 0.01 && duty < 0.9),
    'the fade is still under way',
  )
})

t.test('a wall clock that steps by a day moves no fade', async t => {
  const stepped = new World({ seed: FIRST_SEED, showText: null })
  const still = new World({ seed: FIRST_SEED, showText: null })
  for (const world of [stepped, still]) {
    await world.start()
    world.command({ action: 'go' })
    await world.clock.advance(700)
    if (world === stepped) world.clock.stepWall(86_400_000)
    await world.clock.advance(700)
    if (world === stepped) world.clock.stepWall(-2 * 86_400_000)
    await world.clock.advance(700)
  }
  t.same(stepped.seen(), still.seen())
  t.ok(
    still.seen().dimmer.some(duty => duty > 0),
    'there is light',
  )
})

t.test(
  'an unplugged dimmer stops nothing else, and shows the levels of now when it is back',
  async t => {
    const world = new World({ seed: FIRST_SEED, showText: null })
    const spared = new World({ seed: FIRST_SEED, showText: null })
    for (const each of [world, spared]) await each.start()
    const chip = world.host.bus('header').chipAt(0x40)
    if (chip) chip.isPlugged = false
    for (const each of [world, spared]) {
      each.command({ action: 'fire', cue: '4' })
      await each.clock.advance(10_000)
    }
    t.same(world.seen().lines['light-1'], true, 'the lamps went on')
    t.ok(world.log.events('warn').includes('device.faulty'))
    if (chip) chip.isPlugged = true
    for (const each of [world, spared]) await each.clock.advance(60_000)
    t.same(world.seen(), spared.seen())
  },
)

t.test('a full disk never stops a light, and says that it will not be remembered', async t => {
  const world = new World({ seed: FIRST_SEED, showText: null })
  await world.start()
  world.store.fault = 'storage.full'
  world.command({ action: 'fire', cue: '4' })
  await world.clock.advance(10_000)
  t.same(world.seen().lines['light-1'], true)
  t.ok(
    world.answered.some(answer => answer.code === 'storage.full'),
    'the sender is told',
  )
})

t.test('a stopped box leaves every output in its safe state', async t => {
  const world = new World({ seed: FIRST_SEED, showText: null })
  await world.start()
  world.command({ action: 'fire', cue: '4' })
  await world.clock.advance(5_000)
  t.ok(world.seen().dimmer.some(duty => duty > 0))
  await world.stop()
  t.ok(world.seen().dimmer.every(duty => duty === 0))
  t.same(
    Object.entries(world.seen().lines).filter(([, isActive]) => isActive),
    [],
  )
})
