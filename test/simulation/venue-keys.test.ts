/** A box whose key file is not the venue's: both sides say so in words, and nobody else can make them talkative. */
import t from 'tap'
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import { randomFrom } from '../../runtime/core/random.js'
import { Seal } from '../../runtime/services/venue/seal.js'
import { VenueWorld } from './venue-world.js'

const quiet = { seed: 1, loss: 0, doubles: 0, delayMs: { min: 0.2, max: 0.6 } }
const OTHER_KEY = new Uint8Array(32).fill(8)
const hello = new TextEncoder().encode('{"kind":"bye","box":"box-1"}')
const otherKeys = (world: VenueWorld): number =>
  world.log.events('warn').filter(event => event === 'venue.other-key').length

t.test(
  'a box with another key is named to the others, and they to it, until it is mended',
  async t => {
    let isMended = false
    const keyOf = (box: string): Uint8Array =>
      box === 'box-3' && !isMended ? OTHER_KEY : new Uint8Array(32).fill(7)
    const world = new VenueWorld({ ...quiet, boxes: 3, keyOf })
    await world.startAll()
    await world.clock.advance(3_000)
    t.match(world.states.get('box-1')?.trouble, /^box-3 speaks with another venue key/)
    t.match(world.states.get('box-2')?.trouble, /^box-3 speaks with another venue key/)
    t.match(world.states.get('box-3')?.trouble, /^box-1, box-2 speak with another venue key/)
    await world.clock.advance(150_000)
    t.equal(otherKeys(world), 3, 'each has written it once')
    world.kill('box-3')
    isMended = true
    await world.clock.advance(7_000)
    t.equal(world.states.get('box-1')?.trouble, null, 'who is silent is spoken of no more')
    await world.start('box-3')
    await world.clock.advance(3_000)
    for (const name of world.names) t.equal(world.states.get(name)?.trouble, null, name)
    t.equal(world.leaders().size, 1)
  },
)

t.test('a few messages with another key are no box', async t => {
  const world = new VenueWorld({ ...quiet, boxes: 2 })
  await world.startAll()
  const seal = new Seal(new SimulatedKeys(randomFrom(9)), OTHER_KEY, 'tour')
  for (let count = 0; count < 9; count++)
    world.life('box-1').wire.receive(seal.seal(hello), 'stranger')
  await world.clock.advance(2_000)
  t.equal(world.states.get('box-1')?.trouble, null)
  t.equal(world.states.get('box-1')?.refused.forged, 9)
})

t.test('a flood with another key is one sentence, and a line of the log a minute', async t => {
  const world = new VenueWorld({ ...quiet, boxes: 2 })
  await world.startAll()
  const seal = new Seal(new SimulatedKeys(randomFrom(9)), OTHER_KEY, 'tour')
  for (let turn = 0; turn < 1_250; turn++) {
    // A thousand addresses, of which ten speak at a time.
    const from = `stranger-${(Math.floor(turn / 10) * 10) % 1_000}`
    for (let count = 0; count < 100; count++)
      world.life('box-1').wire.receive(seal.seal(hello), `${from}${count % 10}`)
    await world.clock.advance(100)
  }
  t.match(world.states.get('box-1')?.trouble, /^stranger-\d+(, stranger-\d+){2} speak with/)
  t.ok((world.states.get('box-1')?.trouble?.length ?? 0) < 256)
  const count = otherKeys(world)
  t.ok(count >= 2 && count <= 3, `${count} lines in two minutes`)
  t.equal(world.leaders().size, 1)
})
