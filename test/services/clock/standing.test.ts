import t from 'tap'
import { monotonicMs } from '../../../runtime/core/time.js'
import { Standing } from '../../../runtime/services/clock/standing.js'

t.test('who begins claims nothing until somebody follows', async t => {
  const standing = new Standing()
  t.equal(standing.quality.clockClass, 248)
  t.notOk(standing.followed(monotonicMs(5000)), 'it does not even lead')
  standing.lead(0, monotonicMs(0))
  t.equal(standing.quality.clockClass, 248)
  t.notOk(standing.followed(monotonicMs(4999)), 'it is still being found out who leads')
  t.ok(standing.followed(monotonicMs(5000)))
  t.equal(standing.quality.clockClass, 13)
  t.notOk(standing.followed(monotonicMs(5000)), 'that is no news')
})

t.test('who takes over says so, and how sure it is', async t => {
  const sure = new Standing()
  sure.adopt()
  sure.lead(61_000, monotonicMs(0))
  t.match(sure.quality, { clockClass: 14, accuracy: 0x27 })
  const unsure = new Standing()
  unsure.adopt()
  unsure.lead(20_000_000, monotonicMs(0))
  t.match(unsure.quality, { clockClass: 58, accuracy: 0x2c })
  const lost = new Standing()
  lost.adopt()
  lost.lead(1e12, monotonicMs(0))
  t.match(lost.quality, { clockClass: 58, accuracy: 0xfe })
})

t.test('who follows claims nothing', async t => {
  const standing = new Standing()
  standing.lead(0, monotonicMs(0))
  standing.followed(monotonicMs(5000))
  standing.yield()
  t.match(standing.quality, { clockClass: 248, accuracy: 0xfe })
})

t.test('who gave way to somebody whose time it did not take claims again what it did', async t => {
  const standing = new Standing()
  standing.lead(0, monotonicMs(0))
  standing.followed(monotonicMs(5000))
  standing.yield()
  standing.lead(1e12, monotonicMs(0))
  t.equal(standing.quality.clockClass, 13)
  standing.yield()
  standing.adopt()
  standing.lead(61_000, monotonicMs(0))
  t.equal(standing.quality.clockClass, 14)
})
