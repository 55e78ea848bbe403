import t from 'tap'
import { forgetOldest } from '../../runtime/core/oldest.js'

t.test('what was set first gives way, and no more than must', async t => {
  const kept = new Map([1, 2, 3, 4, 5].map(key => [key, `${key}`]))
  forgetOldest(kept, 5)
  t.equal(kept.size, 5)
  forgetOldest(kept, 3)
  t.same([...kept.keys()], [3, 4, 5])
})
