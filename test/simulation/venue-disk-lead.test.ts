/** A box whose disk keeps nothing should not be the one that decides, while another is there that knows the same. */
import t, { type Test } from 'tap'
import { VenueWorld } from './venue-world.js'

const quiet = { seed: 1, boxes: 3, loss: 0, doubles: 0, delayMs: { min: 0.2, max: 0.6 } }
const BREAKS = {
  'is full': (world: VenueWorld, name: string): void => {
    world.disk(name).fault = 'storage.full'
  },
  'has errors': (world: VenueWorld, name: string): void => {
    world.disk(name).fault = 'storage.io'
  },
  'takes three seconds for each write': (world: VenueWorld, name: string): void => {
    world.slowMs.set(name, 3_000)
  },
}

function mend(world: VenueWorld): void {
  world.slowMs.clear()
  for (const name of world.names) world.disk(name).fault = null
}

async function goes(t: Test, world: VenueWorld, name: string): Promise<void> {
  const id = world.ask(name, { action: 'fire', cue: '6' })
  await world.clock.advance(1_900)
  t.ok(world.isAccepted(id), `GO on ${name} is accepted`)
  const boxes = world.fired.filter(({ fire }) => fire === id).map(({ box }) => box)
  t.same([...boxes].sort(), world.living, 'and happens once on each')
}

for (const [how, breakIt] of Object.entries(BREAKS))
  t.test(`the disk of the box that leads ${how}: another leads, and it stays so`, async t => {
    const world = new VenueWorld({ ...quiet, isPreferred: box => box === 'box-1' })
    await world.startAll()
    t.same([...world.leaders()], ['box-1'])
    breakIt(world, 'box-1')
    world.ask('box-2', { action: 'fire', cue: '6' })
    await world.clock.advance(2_500)
    t.same([...world.leaders()], ['box-2'])
    t.match(world.states.get('box-1')?.trouble, /^the disk of this box keeps nothing/)
    t.equal(world.states.get('box-2')?.trouble, null)
    const count = world.leads.length
    for (let turn = 0; turn < 10; turn++) await goes(t, world, 'box-1')
    mend(world)
    for (let turn = 0; turn < 60; turn++) await goes(t, world, 'box-3')
    t.same([...world.leaders()], ['box-2'])
    t.equal(world.leads.length, count, 'nobody takes it back')
    t.equal(world.states.get('box-1')?.trouble, null)
    world.kill('box-2')
    await world.clock.advance(2_000)
    t.same([...world.leaders()], ['box-1'], 'it may lead again')
  })

t.test('all disks are full: one leads all the time, and each says what is wrong', async t => {
  const world = new VenueWorld(quiet)
  await world.startAll()
  for (const name of world.names) world.disk(name).fault = 'storage.full'
  let count = 0
  for (let turn = 0; turn < 30; turn++) {
    const id = world.ask('box-2', { action: 'fire', cue: '6' })
    await world.clock.advance(1_900)
    t.match(
      world.answered.filter(answer => answer.id === id),
      [{ isAccepted: false, code: 'storage.full', message: /^done, but not kept/ }],
    )
    t.equal(world.fired.filter(({ fire }) => fire === id).length, 3)
    t.equal(world.leaders().size, 1)
    if (turn === 0) count = world.leads.length
  }
  t.equal(world.leads.length, count, 'no change once all know')
  for (const name of world.names) t.match(world.states.get(name)?.trouble, /keeps nothing/)
})

t.test('disks that fail now and then: the lead does not wander from one to the next', async t => {
  const world = new VenueWorld(quiet)
  await world.startAll()
  const count = world.leads.length
  for (let turn = 0; turn < 120; turn++) {
    for (const name of world.names)
      world.disk(name).fault = world.random() < 0.3 ? 'storage.io' : null
    const id = world.ask('box-2', { action: 'fire', cue: '6' })
    await world.clock.advance(1_000)
    t.equal(world.fired.filter(({ fire }) => fire === id).length, 3)
  }
  t.ok(world.leads.length - count < 10, `${world.leads.length - count} changes in two minutes`)
})

t.test(
  'who knows more leads, whatever its disk is, until a healthy one knows the same',
  async t => {
    const world = new VenueWorld(quiet)
    await world.startAll()
    world.disk('box-2').fault = 'storage.io'
    // Only box-2 hears of it.
    world.cut.add('box-1 to box-3')
    const id = world.ask('box-1', { action: 'fire', cue: '6' })
    await world.clock.advance(60)
    world.kill('box-1')
    await world.clock.advance(3_000)
    t.ok(world.isAccepted(id))
    t.same([...world.leaders()], ['box-3'])
    t.same(
      world.leads.slice(-2).map(({ box }) => box),
      ['box-2', 'box-3'],
    )
    t.equal(world.fired.filter(({ fire, box }) => fire === id && box === 'box-3').length, 1)
  },
)
