import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { CatchUp } from '../../../runtime/gateways/broker/catch-up.js'

const start = (): { catchUp: CatchUp; clock: SimulatedClock } => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  return { clock, catchUp: new CatchUp(clock, new SimulatedKeys(randomFrom(1))) }
}
const bytes = (word: string | null): Buffer => Buffer.from(word ?? '')

t.test('without a session nothing waited', async t => {
  const { catchUp } = start()
  catchUp.begin(false)
  t.equal(catchUp.ask(), null)
  t.notOk(catchUp.isUnderWay)
})

t.test('what comes is old from the answer of the broker until the word is back', async t => {
  const { catchUp } = start()
  catchUp.begin(true)
  t.ok(catchUp.isUnderWay, 'before the word is sent as well')
  const word = catchUp.ask()
  catchUp.hear(bytes('another word'))
  t.ok(catchUp.isUnderWay)
  catchUp.hear(bytes(word))
  t.notOk(catchUp.isUnderWay)
})

t.test('the word of an earlier connection says nothing about this one', async t => {
  const { catchUp } = start()
  catchUp.begin(true)
  const earlier = catchUp.ask()
  catchUp.begin(true)
  t.not(catchUp.ask(), earlier)
  catchUp.hear(bytes(earlier))
  t.ok(catchUp.isUnderWay)
})

t.test('five seconds after the word was sent commands count again', async t => {
  const { catchUp, clock } = start()
  catchUp.begin(true)
  await clock.advance(60_000)
  t.ok(catchUp.isUnderWay, 'however long it takes to send again what was not acknowledged')
  catchUp.ask()
  await clock.advance(4_999)
  t.ok(catchUp.isUnderWay)
  await clock.advance(1)
  t.notOk(catchUp.isUnderWay)
})

t.test('the patience of one connection does not end the doubts of the next', async t => {
  const { catchUp, clock } = start()
  catchUp.begin(true)
  catchUp.ask()
  await clock.advance(4_000)
  catchUp.stop()
  await clock.advance(4_000)
  t.ok(catchUp.isUnderWay, 'what is still on its way through the box is old')
  catchUp.begin(true)
  await clock.advance(4_000)
  t.ok(catchUp.isUnderWay)
})
