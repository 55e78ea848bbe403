import t from 'tap'
import { lateBoundsMs } from '../../../runtime/core/late-bounds.js'
import { LateCues } from '../../../runtime/services/show/late-cues.js'

t.test('each cue has a histogram of its own, of all its fires', async t => {
  const cues = new LateCues()
  cues.add('1', 0.05)
  cues.add('2', 70)
  const found = cues.add('1', 3)
  t.match(found, { cue: '1', count: 2, last: 3, max: 3, sum: 3.05 })
  t.same(found.within, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2], 'by at most 0.1 ms one, by 5 ms both')
  t.match(cues.add('2', 70), { cue: '2', count: 2, sum: 140 })
})

t.test(
  'what is on a bound is within it, early is not late, and what is beyond all counts in none',
  async t => {
    const cues = new LateCues()
    for (const bound of lateBoundsMs) cues.add('1', bound)
    t.same(
      cues.add('1', -3).within,
      lateBoundsMs.map((_, place) => place + 2),
    )
    const found = cues.add('1', 1_000)
    t.equal(found.within.at(-1), lateBoundsMs.length + 1)
    t.equal(found.count, lateBoundsMs.length + 2)
  },
)
