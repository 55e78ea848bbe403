import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { repeat } from '../../runtime/core/repeat.js'
import { after } from '../../runtime/core/time.js'

const clockAtZero = (): SimulatedClock => new SimulatedClock({ showStartMs: 0, driftPpm: 0 })

t.test('the first run comes after one interval', async t => {
  const clock = clockAtZero()
  const runs: number[] = []
  repeat(clock, 100, async () => void runs.push(clock.monotonicMs()))
  await clock.advance(99)
  t.same(runs, [])
  await clock.advance(201)
  t.same(runs, [100, 200, 300])
})

t.test('the next run is counted from the end of the last', async t => {
  const clock = clockAtZero()
  const runs: number[] = []
  repeat(clock, 100, async () => {
    runs.push(clock.monotonicMs())
    await new Promise<void>(resolve => clock.runAt(after(clock.monotonicMs(), 30), resolve))
  })
  await clock.advance(400)
  t.same(runs, [100, 230, 360])
})

t.test('once cancelled it never runs again', async t => {
  const clock = clockAtZero()
  let runs = 0
  const cancel = repeat(clock, 100, async () => void runs++)
  await clock.advance(150)
  cancel()
  cancel()
  await clock.advance(1000)
  t.equal(runs, 1)
})

t.test('a run in flight when cancelled is the last one', async t => {
  const clock = clockAtZero()
  const seen: string[] = []
  const cancel = repeat(clock, 100, async () => {
    seen.push('begun')
    await new Promise<void>(resolve => clock.runAt(after(clock.monotonicMs(), 50), resolve))
    seen.push('ended')
  })
  await clock.advance(120)
  cancel()
  await clock.advance(1000)
  t.same(seen, ['begun', 'ended'])
})
