import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { Bus } from '../../../runtime/core/bus.js'
import { Refusals } from '../../../runtime/gateways/broker/refusals.js'
import type { Messages, Payload } from '../../../runtime/topics.js'

function setUp() {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const bus = new Bus<Messages>()
  const told: Payload<'message/refused'>[] = []
  bus.subscribe('message/refused', refusal => void told.push(refusal))
  return { clock, told, refusals: new Refusals(clock, new SimulatedLog(), bus) }
}

const refusal = { topic: 'a', client: 'c', message: 'no' }

t.test('a flood is counted in full and told in part, with the number left out', async t => {
  const { clock, told, refusals } = setUp()
  for (let n = 0; n < 1_000; n++) refusals.note('slow.qos0', refusal)
  t.equal(told.length, 20)
  t.same(refusals.read(), { 'slow.qos0': 1_000 })
  await clock.advance(1_000)
  refusals.note('slow.qos0', refusal)
  t.match(told[20], { message: 'no (and 980 more like it)' })
})

t.test('each refused command is told: somebody waits for the reason', async t => {
  const { told, refusals } = setUp()
  for (let n = 0; n < 100; n++) refusals.note('command.invalid', refusal)
  t.equal(told.length, 100)
})

t.test('texts are cut to what the message may hold', async t => {
  const { told, refusals } = setUp()
  refusals.note('command.invalid', {
    topic: 't'.repeat(5_000),
    client: 'c'.repeat(5_000),
    message: 'm'.repeat(5_000),
  })
  t.match(
    [told[0]?.topic.length, told[0]?.client.length, told[0]?.message.length],
    [256, 128, 1024],
  )
})
