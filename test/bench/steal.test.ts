/** How much of the processors' time the host took away. */
import t from 'tap'
import { stealPercent, ticksOf } from './steal.js'

const stat = (steal: number, idle: number): string =>
  `cpu  100 5 50 ${idle} 10 0 5 ${steal} 40 0\ncpu0 1 1 1 1 1 1 1 1 1 1\nctxt 5\n`

t.test(
  'steal is the eighth number of all processors, and guests are not counted twice',
  async t => {
    t.same(ticksOf(stat(30, 800)), { steal: 30, all: 1000 })
    t.same(ticksOf('nothing'), { steal: 0, all: 0 })
  },
)

t.test('its share is of the time between two looks', async t => {
  t.equal(stealPercent(ticksOf(stat(30, 800)), ticksOf(stat(55, 875))), 25)
  t.equal(stealPercent(ticksOf(stat(30, 800)), ticksOf(stat(30, 800))), 0)
})
