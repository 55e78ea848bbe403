/** What anybody on the cable may send: the boxes of the venue go on hearing each other. */
import t from 'tap'
import { VenueWorld } from './venue-world.js'

const quiet = { seed: 1, boxes: 2, loss: 0, doubles: 0, delayMs: { min: 0.2, max: 0.6 } }
const noise = new Uint8Array(200).fill(1)

for (const [what, addresses] of [
  ['one stranger', 1],
  ['a thousand strangers', 1_000],
] as const)
  t.test(`a flood of ${what} changes no leader and costs no GO`, async t => {
    const world = new VenueWorld(quiet)
    await world.startAll()
    const leads = world.leads.length
    for (let turn = 0; turn < 3_000; turn++) {
      for (const name of world.names)
        for (let count = 0; count < 30; count++)
          world.life(name).wire.receive(noise, `stranger-${(turn * 30 + count) % addresses}`)
      if (turn === 1_500) world.ask('box-2', { id: 'go', action: 'go' })
      await world.clock.advance(1)
    }
    t.equal(world.leads.length, leads, 'nobody else leads')
    t.ok(world.isAccepted('go'))
    for (const box of world.names)
      t.equal(world.fired.filter(fired => fired.box === box && fired.cue === '1').length, 1, box)
    await world.clock.advance(1_100)
    const refused = world.states.get('box-1')?.refused
    t.equal((refused?.forged ?? 0) + (refused?.flood ?? 0), 90_000, 'all of it is counted')
    t.ok((refused?.forged ?? 0) < 10_000, 'and not much of it looked at')
    t.equal(world.log.events('warn').filter(event => event === 'venue.refused').length, 2)
  })
