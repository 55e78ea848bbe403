/** Two boxes that do not hear each other, or only one the other, while both hear a third. */
import t, { type Test } from 'tap'
import { MadBox } from './mad-box.js'
import { VenueWorld } from './venue-world.js'

const quiet = { seed: 1, boxes: 3, loss: 0, doubles: 0, delayMs: { min: 0.2, max: 0.6 } }
const CUTS = {
  'do not hear each other': ['box-1 to box-2', 'box-2 to box-1'],
  'hear each other on one way only': ['box-1 to box-2'],
  'hear each other on the other way only': ['box-2 to box-1'],
}

async function venue(cut: readonly string[]): Promise<VenueWorld> {
  const world = new VenueWorld(quiet)
  await world.startAll()
  for (const way of cut) world.cut.add(way)
  await world.clock.advance(2_000)
  return world
}

const inPanic = (world: VenueWorld): readonly (boolean | undefined)[] =>
  world.living.map(name => world.shows.get(name)?.isPanic)

/** GO on that box happens on each, once. */
async function goes(t: Test, world: VenueWorld, name: string): Promise<void> {
  const id = world.ask(name, { action: 'fire', cue: '6' })
  await world.clock.advance(700)
  t.ok(world.isAccepted(id))
  t.same(
    world.fired
      .filter(({ fire }) => fire === id)
      .map(({ box }) => box)
      .sort(),
    world.living,
  )
}

for (const [how, cut] of Object.entries(CUTS)) {
  t.test(`two boxes ${how}: it is said, nobody waits for ever, and it passes`, async t => {
    const world = await venue(cut)
    t.equal(world.states.get('box-1')?.role, 'leading')
    t.equal(world.states.get('box-3')?.leader, 'box-1')
    t.match(world.states.get('box-2')?.trouble, /box-1 leads, and is heard by others, not here/)
    const id = world.ask('box-2', { action: 'go' })
    await world.clock.advance(2_500)
    t.match(
      world.answered.filter(answer => answer.id === id),
      [{ box: 'box-2', isAccepted: false, code: 'venue.leaderless' }],
    )
    world.cut.clear()
    await world.clock.advance(2_000)
    t.equal(world.states.get('box-2')?.trouble, null)
    for (const name of world.names) await goes(t, world, name)
  })

  for (const name of ['box-1', 'box-2', 'box-3'])
    t.test(`two boxes ${how}: PANIC on ${name} is one on all`, async t => {
      const world = await venue(cut)
      const id = world.ask(name, { action: 'panic' })
      await world.clock.advance(500)
      t.same(inPanic(world), [true, true, true])
      t.ok(world.isAccepted(id))
      world.cut.clear()
      await world.clock.advance(2_000)
      t.same(inPanic(world), [true, true, true], 'nobody has taken it back')
    })
}

t.test('PANIC on a box that plays another show is one on all', async t => {
  const world = await venue([])
  const other = new MadBox(world, 'box-9')
  other.says = { show: 'b'.repeat(16) }
  await other.start()
  await world.clock.advance(500)
  const command = { id: 'stop-all', action: 'panic', origin: 'test' }
  other.say({ kind: 'panic', box: 'box-9', command })
  await world.clock.advance(500)
  t.same(inPanic(world), [true, true, true])
  t.equal(world.states.get('box-1')?.role, 'leading', 'else it has no say')
})
