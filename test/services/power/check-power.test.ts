import t from 'tap'
import { powerProblems } from '../../../runtime/services/power/check-power.js'

const gauges = new Map([
  ['ups', 1],
  ['three', 3],
])

t.test('packs on their own channels of gauges that are there are right', async t => {
  const packs = [
    { name: 'a', gauge: 'ups', channel: 0 },
    { name: 'b', gauge: 'three', channel: 0 },
    { name: 'c', gauge: 'three', channel: 2 },
  ]
  t.same(powerProblems(packs, gauges), [])
})

t.test('each mistake is named with its place', async t => {
  const packs = [
    { name: 'a', gauge: 'upss', channel: 0 },
    { name: 'b', gauge: 'ups', channel: 1 },
    { name: 'b', gauge: 'three', channel: 1 },
    { name: 'd', gauge: 'three', channel: 1 },
  ]
  const problems = powerProblems(packs, gauges)
  t.same(
    problems.map(({ path }) => path),
    [
      'box.power.packs[0].gauge',
      'box.power.packs[1].channel',
      'box.power.packs[2].name',
      'box.power.packs[3].channel',
    ],
  )
  t.match(problems[0]?.message, /did you mean "ups"/)
})

t.test('a pack does not take the name of all of them', async t => {
  const problems = powerProblems([{ name: 'all', gauge: 'ups', channel: 0 }], gauges)
  t.match(problems, [{ path: 'box.power.packs[0].name', message: /another pack is called "all"/ }])
})
