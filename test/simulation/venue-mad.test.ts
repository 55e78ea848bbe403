/** A box that has gone mad has the key, and says what cannot be: the others go on, and its restart heals it. */
import t, { type Test } from 'tap'
import { MadBox } from './mad-box.js'
import { VenueWorld } from './venue-world.js'

const quiet = { seed: 1, boxes: 3, loss: 0, doubles: 0, delayMs: { min: 0.2, max: 0.6 } }
const HUGE = Number.MAX_SAFE_INTEGER

async function venue(): Promise<{ world: VenueWorld; mad: MadBox }> {
  const world = new VenueWorld(quiet)
  await world.startAll()
  return { world, mad: new MadBox(world, 'box-9') }
}

/** GO on a box that follows is accepted, and happens once on each. */
async function goes(t: Test, world: VenueWorld, id: string): Promise<void> {
  const follower = world.living.find(name => !world.leaders().has(name)) ?? 'box-1'
  world.ask(follower, { id, action: 'fire', cue: '6' })
  await world.clock.advance(2_500)
  t.ok(world.isAccepted(id), `${id} is accepted`)
  const boxes = world.fired.filter(({ fire }) => fire === id).map(({ box }) => box)
  t.same(boxes.sort(), world.living, `${id} happens on each box once`)
}

async function rebootAll(world: VenueWorld): Promise<void> {
  for (const name of world.living) world.kill(name)
  for (const name of world.names) await world.start(name)
  await world.clock.advance(2_000)
}

for (const [what, says] of [
  ['a reign after which none can come', { epoch: HUGE }],
  ['the last of all entries', { head: { epoch: 2 ** 20, position: HUGE } }],
  ['entries of the last of all reigns', { head: { epoch: HUGE, position: 1 }, party: 1 }],
] as const)
  t.test(`a mad box speaks of ${what}, and nobody counts on from there`, async t => {
    const { world, mad } = await venue()
    mad.says = { party: 60, ...says }
    mad.whole = () => ({
      box: 'box-9',
      epoch: HUGE,
      place: { epoch: 2 ** 20, position: HUGE },
      ids: [],
      state: world.wholeOf('box-1'),
    })
    await mad.start()
    await world.clock.advance(2_000)
    t.match(world.states.get('box-1')?.trouble, /box-9/, 'a person is told which box it is')
    await goes(t, world, 'beside-it')
    await mad.end()
    await world.clock.advance(2_000)
    await goes(t, world, 'after-it')
    await rebootAll(world)
    await goes(t, world, 'after-a-restart-of-all')
  })

t.test('a box that kept nonsense on its disk is healed by its restart', async t => {
  const { world } = await venue()
  await goes(t, world, 'before')
  await world.stop('box-3')
  await world.disk('box-3').commit([
    {
      kind: 'put',
      table: 'show-place',
      key: 'last',
      value: new TextEncoder().encode(JSON.stringify({ epoch: HUGE, position: HUGE })),
    },
  ])
  await world.start('box-3')
  await world.clock.advance(3_000)
  await goes(t, world, 'after')
  t.equal(world.leaders().size, 1)
  await rebootAll(world)
  await goes(t, world, 'later')
})

t.test('an id that no disk can keep is none', async t => {
  const { world, mad } = await venue()
  mad.says = { epoch: 2 ** 30, head: { epoch: 2 ** 30, position: 3 }, party: 60 }
  mad.whole = () => ({
    box: 'box-9',
    epoch: 2 ** 30,
    place: { epoch: 2 ** 30, position: 3 },
    ids: ['fine', '\ud800'],
    state: world.wholeOf('box-1'),
  })
  await mad.start()
  await world.clock.advance(2_000)
  t.ok(mad.asked > 0, 'they follow it, and asked for its state')
  await mad.end()
  await world.clock.advance(2_000)
  await goes(t, world, 'after-it')
})
