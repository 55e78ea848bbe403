import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { Turns } from '../../../runtime/gateways/broker/turns.js'

t.test('a few go on in each turn of the loop, in the order in which they came', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const turns = new Turns(clock, 3)
  const gone: string[] = []
  const reader = async (name: string, count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      await turns.take(1)
      gone.push(`${name}${n}`)
    }
  }
  void reader('a', 5)
  void reader('b', 2)
  await clock.advance(0)
  t.same(gone, ['a0', 'b0', 'a1'])
  await clock.advance(0.06)
  t.same(gone.slice(3).sort(), ['a2', 'a3', 'b1'])
  await clock.advance(0.06)
  t.equal(gone.length, 7)
  await clock.advance(60_000)
  void reader('c', 9)
  await clock.advance(0)
  t.equal(gone.length, 9, 'what was not used is not saved up')
})
