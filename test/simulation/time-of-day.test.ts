/**
 * Goal: cues at a time of day on a whole box, whose clock is late, wrong, found or set: a moment comes by running, and a
 * box that was away for it is late.
 */
import t from 'tap'
import { stormConfig, stormShow } from './storm-show.js'
import { SHOW_START_MS, World } from './world.js'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const DOORS_MS = SHOW_START_MS + 10 * MINUTE_MS

const doors = new Date(DOORS_MS).toISOString()
const showText = stormShow.replace('name: Doors,', `name: Doors, at: "${doors}",`)

/** A box that was armed with its wall clock so far from the truth, and has run for ten seconds since. */
async function armed({ wrongByMs }: { readonly wrongByMs: number }): Promise<World> {
  const world = new World({ seed: 1, showText, configText: stormConfig })
  world.clock.stepWall(wrongByMs)
  await world.start()
  world.command({ action: 'arm' })
  await world.clock.advance(10 * SECOND_MS)
  return world
}

const fired = (world: World): string[] => world.fired.map(({ cue }) => cue)

t.test('a box that was armed in 1970 fires nothing that its clock jumps over', async t => {
  const world = await armed({ wrongByMs: -SHOW_START_MS })
  await world.clock.advance(15 * MINUTE_MS)
  world.clock.stepWall(SHOW_START_MS)
  await world.clock.advance(MINUTE_MS)
  t.same(fired(world), [])
  t.ok(world.log.events('warn').includes('show.clock-set'))
})

t.test('a box that was armed in 1970 fires what is still to come, to the millisecond', async t => {
  const world = await armed({ wrongByMs: -SHOW_START_MS })
  world.clock.stepWall(SHOW_START_MS)
  await world.clock.advance(15 * MINUTE_MS)
  t.same(fired(world), ['1'])
  t.ok((world.fired[0]?.lateMs ?? 99) < 1, `${world.fired[0]?.lateMs} ms late`)
})

for (const byMs of [DAY_MS, -DAY_MS])
  t.test(`a clock that is set by ${byMs / DAY_MS} day and back costs no cue`, async t => {
    const world = await armed({ wrongByMs: 0 })
    world.clock.stepWall(byMs)
    await world.clock.advance(MINUTE_MS)
    t.same(fired(world), [])
    world.clock.stepWall(-byMs)
    await world.clock.advance(15 * MINUTE_MS)
    t.same(fired(world), ['1'])
  })

t.test('a board with a battery that was off at the moment joins when it is back', async t => {
  const world = await armed({ wrongByMs: 0 })
  await world.cutPower(11 * MINUTE_MS)
  await world.start()
  await world.clock.advance(SECOND_MS)
  t.same(fired(world), ['1'])
})

t.test('a board without a battery joins when it has found the time', async t => {
  const world = await armed({ wrongByMs: 0 })
  await world.cutPower(11 * MINUTE_MS)
  world.clock.stepWall(-11 * MINUTE_MS)
  await world.start()
  await world.clock.advance(30 * SECOND_MS)
  t.same(fired(world), [])
  world.clock.stepWall(11 * MINUTE_MS)
  await world.clock.advance(2 * SECOND_MS)
  t.same(fired(world), ['1'])
  t.ok(world.log.events('info').includes('show.clock-found'))
})

t.test('a board that was armed before it knew the time, and cut off, knows it later', async t => {
  const world = await armed({ wrongByMs: -SHOW_START_MS })
  world.clock.stepWall(SHOW_START_MS)
  await world.clock.advance(5 * SECOND_MS)
  await world.cutPower(MINUTE_MS)
  await world.start()
  await world.clock.advance(10 * MINUTE_MS)
  t.same(fired(world), ['1'])
})
