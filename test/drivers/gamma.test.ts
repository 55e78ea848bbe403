import t from 'tap'
import { dutyOf } from '../../drivers/gamma.js'

t.test('half the brightness is about a fifth of the time', async t => {
  t.equal(Math.round(dutyOf(0.5, 2.2) * 1000), 218)
  t.equal(dutyOf(0.5, 1), 0.5)
})

t.test('levels outside 0 to 1 are brought inside', async t => {
  t.same(
    [-1, 0, 1, 2, Number.NaN].map(level => dutyOf(level, 2.2)),
    [0, 0, 1, 1, 0],
  )
})
