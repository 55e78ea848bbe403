import t from 'tap'
import { SpinMargin } from '../../../drivers/linux/spin-margin.js'
import { randomFrom } from '../../../runtime/core/random.js'

t.test('the margin settles where one sleep of ten ends later', async t => {
  const margin = new SpinMargin()
  const random = randomFrom(1)
  const settled: number[] = []
  for (let sleep = 0; sleep < 20_000; sleep++) {
    // Evenly spread from 100 to 200 microseconds: nine of ten end before 190.
    margin.learn(0.1 + random() * 0.1)
    if (sleep > 1000) settled.push(margin.ms)
  }
  const mean = settled.reduce((sum, ms) => sum + ms, 0) / settled.length
  t.ok(mean > 0.18 && mean < 0.2, `${mean}`)
})

t.test('the margin stays within bounds whatever it learns', async t => {
  const margin = new SpinMargin()
  for (let sleep = 0; sleep < 1000; sleep++) margin.learn(50)
  t.equal(margin.ms, 0.3)
  for (let sleep = 0; sleep < 1000; sleep++) margin.learn(0)
  t.equal(margin.ms, 0.08)
})
