/** Two boxes that were given one name. */
import t from 'tap'
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import { randomFrom } from '../../runtime/core/random.js'
import { encode } from '../../runtime/services/venue/messages.js'
import { Seal } from '../../runtime/services/venue/seal.js'
import { VenueWorld } from './venue-world.js'

t.test('a box that hears its own name from another says so, now and then', async t => {
  const world = new VenueWorld({
    seed: 1,
    boxes: 2,
    loss: 0,
    doubles: 0,
    delayMs: { min: 0.2, max: 0.6 },
  })
  await world.startAll()
  t.equal(world.states.get('box-1')?.trouble, null)
  const twin = new Seal(new SimulatedKeys(randomFrom(99)), new Uint8Array(32).fill(7), 'tour')
  const told = (): number =>
    world.log.events('error').filter(event => event === 'venue.same-name').length
  for (let turn = 0; turn < 100; turn++) {
    world.life('box-1').wire.receive(twin.seal(encode({ kind: 'bye', box: 'box-1' })), 'elsewhere')
    await world.clock.advance(100)
  }
  t.match(world.states.get('box-1')?.trouble, /same name: elsewhere/)
  t.equal(told(), 1)
  t.equal(world.leaders().size, 1)
  await world.clock.advance(60_000)
  t.equal(world.states.get('box-1')?.trouble, null, 'it was renamed')
})
