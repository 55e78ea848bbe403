import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { wait } from '../../runtime/core/wait.js'

t.test('it is over when its time is, not before', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  await clock.advance(7)
  let overMs: number | null = null
  void wait(clock, 30).then(() => {
    overMs = clock.monotonicMs()
  })
  await clock.advance(29)
  t.equal(overMs, null)
  await clock.advance(10)
  t.equal(overMs, 37)
})
