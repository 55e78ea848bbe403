import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { Timeline } from '../../drivers/timeline.js'
import { after } from '../../runtime/core/time.js'
import { at } from './bench.js'

interface Step {
  readonly name: string
  readonly leadMs: number
}

function makeTimeline() {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const heard: string[] = []
  const released: string[] = []
  const asked: string[] = []
  const timeline = new Timeline<Step>(clock, {
    begin: ({ name, leadMs }, moment, before) => {
      asked.push(`${name} after ${before?.name ?? 'nothing'}`)
      return { from: after(moment, -leadMs), release: () => void released.push(name) }
    },
    due: ({ name }, moment) => void heard.push(`${name} for ${moment} at ${clock.monotonicMs()}`),
  })
  const add = (name: string, moment: number, leadMs: number): void =>
    timeline.add({ name, leadMs }, at(moment))
  return { clock, timeline, add, heard, released, asked }
}

t.test('each value is due its lead time before its moment', async t => {
  const { clock, add, heard } = makeTimeline()
  add('a', 100, 5)
  add('b', 200, 0)
  await clock.advance(1000)
  t.same(heard, ['a for 100 at 95', 'b for 200 at 200'])
})

t.test('what is past is due at once', async t => {
  const { add, heard } = makeTimeline()
  add('a', -50, 0)
  add('b', 3, 5)
  t.same(heard, ['a for -50 at 0', 'b for 3 at 0'])
})

t.test('what would begin after a later value has begun is dropped', async t => {
  const { clock, timeline, add, heard, released, asked } = makeTimeline()
  add('a', 80, 0)
  add('b', 100, 1)
  add('c', 100, 0)
  add('d', 102, 6)
  t.equal(timeline.last?.name, 'd')
  await clock.advance(1000)
  t.same(heard, ['a for 80 at 80', 'd for 102 at 96'])
  t.same(asked.slice(-3), ['d after c', 'd after b', 'd after a'], 'and there is more to change')
  t.same(released, ['d', 'c', 'd', 'b'], 'and its time is given back')
})

t.test('two values for one moment: the second one stays', async t => {
  const { clock, add, heard } = makeTimeline()
  add('a', 100, 0)
  add('b', 100, 0)
  await clock.advance(1000)
  t.same(heard, ['b for 100 at 100'])
})

t.test('what is due at once is not undone by what waits', async t => {
  const { clock, add, heard } = makeTimeline()
  add('a', 100, 0)
  add('b', 0, 0)
  await clock.advance(1000)
  t.same(heard, ['b for 0 at 0'])
})

t.test('what is forgotten never comes', async t => {
  const { clock, timeline, add, heard, released } = makeTimeline()
  add('a', 100, 0)
  timeline.clear()
  t.equal(timeline.last, null)
  add('b', 200, 0)
  await clock.advance(1000)
  t.same(heard, ['b for 200 at 200'])
  t.same(released, ['a'])
})

t.test('256 values wait; with the next the oldest gives way', async t => {
  const { clock, add, heard } = makeTimeline()
  for (let index = 0; index < 260; index++) add(`${index}`, 1000 + index, 0)
  await clock.advance(5000)
  t.equal(heard.length, 256)
  t.equal(heard[0], '4 for 1004 at 1004')
  t.equal(heard.at(-1), '259 for 1259 at 1259')
})
