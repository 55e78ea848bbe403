import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { Penalties } from '../../../runtime/gateways/broker/penalty.js'

const clock = () => new SimulatedClock({ showStartMs: 0, driftPpm: 0 })

t.test('each failure of an address doubles its wait, up to a bound', async t => {
  const penalties = new Penalties(clock())
  const waits = Array.from({ length: 8 }, () => penalties.failed('10.0.0.1'))
  t.same(waits, [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
  t.equal(penalties.failed('10.0.0.2'), 250, 'another address has its own')
})

t.test('a success, or ten quiet minutes, wipe the slate', async t => {
  const time = clock()
  const penalties = new Penalties(time)
  penalties.failed('a')
  penalties.failed('a')
  penalties.succeeded('a')
  t.equal(penalties.failed('a'), 250)
  t.equal(penalties.failed('a'), 500)
  await time.advance(600_000)
  t.equal(penalties.failed('a'), 250)
})

t.test('a flood of addresses does not grow what is remembered without end', async t => {
  const penalties = new Penalties(clock())
  penalties.failed('first')
  for (let n = 0; n < 1_023; n++) penalties.failed(`${n}`)
  t.equal(penalties.failed('0'), 500, 'the newest 1024 are remembered')
  penalties.failed('one more')
  t.equal(penalties.failed('first'), 250, 'the oldest is forgotten')
})
