/** The box that leads has a disk that is slow, full or broken: cues go on, and nobody is told what is not so. */
import t from 'tap'
import { VenueWorld } from './venue-world.js'

const quiet = { seed: 1, boxes: 3, loss: 0, doubles: 0, delayMs: { min: 0.2, max: 0.6 } }

const firedOn = (world: VenueWorld, id: string): readonly string[] =>
  world.fired
    .filter(({ fire }) => fire === id)
    .map(({ box }) => box)
    .sort()

t.test(
  'a write takes three seconds on each box: GO is on all at once, and nobody is told to ask again',
  async t => {
    const world = new VenueWorld(quiet)
    await world.startAll()
    for (const name of world.names) world.slowMs.set(name, 3_000)
    const id = world.ask('box-2', { action: 'fire', cue: '6' })
    await world.clock.advance(300)
    t.same(firedOn(world, id), world.names)
    t.same(world.answered, [], 'what is not kept is not acknowledged')
    await world.clock.advance(2_500)
    const [answer, ...others] = world.answered.filter(one => one.id === id)
    t.match(answer, { box: 'box-2', isAccepted: false, code: 'storage.io', message: /^done, but/ })
    t.same(others, [])
    world.slowMs.clear()
    await world.clock.advance(3_000)
    world.ask('box-2', { id, action: 'fire', cue: '6' })
    await world.clock.advance(300)
    t.ok(world.isAccepted(id), 'by now it is kept, and whoever asks again is told so')
    t.same(firedOn(world, id), world.names, 'and it happened once')
  },
)

for (const fault of ['storage.full', 'storage.io'] as const)
  t.test(
    `${fault} where it leads: GO is on all, acknowledged is nothing, until it is well`,
    async t => {
      const world = new VenueWorld(quiet)
      await world.startAll()
      world.disk('box-1').fault = fault
      const id = world.ask('box-2', { action: 'fire', cue: '6' })
      await world.clock.advance(1_000)
      t.same(firedOn(world, id), world.names)
      t.match(
        world.answered.filter(one => one.id === id && one.box === 'box-2'),
        [{ isAccepted: false, code: fault, message: /^done, but not kept/ }],
      )
      t.ok(world.log.events('error').includes('show.journal-failed'))
      const panic = world.ask('box-3', { action: 'panic' })
      await world.clock.advance(300)
      t.ok(world.isAccepted(panic), 'on the disk of the box that was asked')
      t.same(
        world.names.map(name => world.shows.get(name)?.isPanic),
        [true, true, true],
      )
      world.disk('box-1').fault = null
      await world.clock.advance(61_000)
      const after = world.ask('box-2', { action: 'release' })
      await world.clock.advance(1_000)
      t.ok(world.isAccepted(after))
    },
  )
