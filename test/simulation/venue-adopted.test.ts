/** A box that took over a whole state knows what was done in it: who asks again is answered, and nothing happens twice. */
import t, { type Test } from 'tap'
import { VenueWorld } from './venue-world.js'

const quiet = { seed: 1, loss: 0, doubles: 0, delayMs: { min: 0.2, max: 0.6 } }
const levels = [
  { id: 'once', level: 0.25 },
  { id: 'later', level: 0.75 },
]

async function setLevels(world: VenueWorld, box: string): Promise<void> {
  for (const { id, level } of levels) {
    world.ask(box, { id, action: 'level', target: box, level })
    await world.clock.advance(300)
    if (!world.isAccepted(id)) throw new Error(`${id} was not accepted`)
  }
}

async function asksAgain(t: Test, world: VenueWorld, box: string): Promise<void> {
  t.equal(world.states.get(box)?.role, 'leading')
  const before = JSON.stringify(world.life(box).light.shown)
  const count = world.answered.length
  world.ask(box, { id: 'once', action: 'level', target: box, level: 0.125 })
  await world.clock.advance(700)
  t.match(world.answered.slice(count), [{ box, id: 'once', isAccepted: true }])
  t.equal(JSON.stringify(world.life(box).light.shown), before, 'nothing has changed')
}

t.test('a box that was led elsewhere takes over what was done meanwhile', async t => {
  const world = new VenueWorld({ ...quiet, boxes: 3 })
  await world.startAll()
  world.network.part([['box-3']])
  await world.clock.advance(2_000)
  world.ask('box-3', { action: 'level', target: 'box-3', level: 0.5 })
  await setLevels(world, 'box-1')
  world.network.heal()
  await world.clock.advance(3_000)
  t.equal(world.dropped.length, 1, 'its own is void')
  world.kill('box-1')
  world.kill('box-2')
  await world.clock.advance(2_000)
  await asksAgain(t, world, 'box-3')
})

t.test('what was done before the box that leads was started anew is known, too', async t => {
  const world = new VenueWorld({ ...quiet, boxes: 2 })
  await world.start('box-1')
  await world.clock.advance(2_000)
  await setLevels(world, 'box-1')
  world.kill('box-1')
  await world.start('box-1')
  await world.clock.advance(2_000)
  await world.start('box-2')
  await world.clock.advance(2_000)
  t.equal(world.states.get('box-2')?.role, 'following')
  world.kill('box-1')
  world.kill('box-2')
  await world.start('box-2')
  await world.clock.advance(2_000)
  await asksAgain(t, world, 'box-2')
})

t.test('what a follow did alone, just before its box was led again, does not stay', async t => {
  for (let awayMs = 1_300; awayMs <= 1_900; awayMs += 50) {
    const world = new VenueWorld({ ...quiet, boxes: 2 })
    await world.startAll()
    await world.clock.advance(2_000)
    world.ask('box-1', { id: 'two', action: 'fire', cue: '2' })
    await world.clock.advance(200)
    world.kill('box-2')
    await world.clock.advance(200)
    // The follow of cue 2, which box-2 knows of, is taken back by this.
    world.ask('box-1', { id: 'one', action: 'fire', cue: '1' })
    await world.clock.advance(awayMs - 400)
    await world.start('box-2')
    for (let waited = 0; world.states.get('box-2')?.role !== 'following'; waited += 10) {
      if (waited > 5_000) throw new Error('it was not led')
      await world.clock.advance(10)
    }
    await world.clock.advance(450)
    t.equal(world.shows.get('box-2')?.current, '1', `back after ${awayMs} ms`)
    t.same(world.life('box-2').light.shown.at(-1), world.life('box-1').light.shown.at(-1))
  }
})
