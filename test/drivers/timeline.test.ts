import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { Timeline } from '../../drivers/timeline.js'
import { at } from './bench.js'

function makeTimeline(): { clock: SimulatedClock; timeline: Timeline<string>; heard: string[] } {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const heard: string[] = []
  const timeline = new Timeline<string>(clock, (value, moment) => {
    heard.push(`${value} for ${moment} at ${clock.monotonicMs()}`)
  })
  return { clock, timeline, heard }
}

t.test('each value is due its lead time before its moment', async t => {
  const { clock, timeline, heard } = makeTimeline()
  timeline.add('a', at(100), 5)
  timeline.add('b', at(200), 0)
  await clock.advance(1000)
  t.same(heard, ['a for 100 at 95', 'b for 200 at 200'])
})

t.test('what is past is due at once', async t => {
  const { timeline, heard } = makeTimeline()
  timeline.add('a', at(-50), 0)
  timeline.add('b', at(3), 5)
  t.same(heard, ['a for -50 at 0', 'b for 3 at 0'])
})

t.test('what is forgotten never comes', async t => {
  const { clock, timeline, heard } = makeTimeline()
  timeline.add('a', at(100), 0)
  timeline.clear()
  timeline.add('b', at(200), 0)
  await clock.advance(1000)
  t.same(heard, ['b for 200 at 200'])
})

t.test('256 values wait; with the next the oldest gives way', async t => {
  const { clock, timeline, heard } = makeTimeline()
  for (let index = 0; index < 260; index++) timeline.add(`${index}`, at(1000 + index), 0)
  await clock.advance(5000)
  t.equal(heard.length, 256)
  t.equal(heard[0], '4 for 1004 at 1004')
  t.equal(heard.at(-1), '259 for 1259 at 1259')
})
