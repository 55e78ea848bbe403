import t from 'tap'
import { compare, type DataSet, decide } from '../../../../runtime/services/clock/ptp/data-set.js'
import type { Grandmaster } from '../../../../runtime/services/clock/ptp/message.js'

const clock = (digit: string): string => digit.repeat(16)

const grandmaster = (changes: Partial<Grandmaster> = {}): Grandmaster => ({
  identity: clock('5'),
  priority1: 128,
  clockClass: 248,
  accuracy: 0xfe,
  variance: 0xffff,
  priority2: 128,
  ...changes,
})

const heard = (changes: Partial<Grandmaster>, way: Partial<DataSet> = {}): DataSet => ({
  grandmaster: grandmaster(changes),
  stepsRemoved: 0,
  sender: { clock: clock('5'), port: 1 },
  receiver: { clock: clock('3'), port: 1 },
  ...way,
})

t.test(
  'of two grandmasters each figure decides only where those before it are equal (figure 27)',
  async t => {
    const order = ['priority1', 'clockClass', 'accuracy', 'variance', 'priority2'] as const
    for (const [place, name] of order.entries()) {
      const worseLater = Object.fromEntries(order.slice(place + 1).map(later => [later, 255]))
      const better = heard({ ...worseLater, [name]: 10, identity: clock('9') })
      const worse = heard({ [name]: 11, identity: clock('1') })
      t.ok(compare(better, worse).order < 0, name)
      t.ok(compare(worse, better).order > 0, `${name}, the other way round`)
      t.notOk(compare(better, worse).isByTopology)
    }
    const [low, high] = [heard({ identity: clock('1') }), heard({ identity: clock('9') })]
    t.ok(compare(low, high).order < 0, 'at last the identity')
  },
)

t.test('of one grandmaster the shorter way is better (figure 28)', async t => {
  const near = heard({}, { stepsRemoved: 1 })
  const far = heard({}, { stepsRemoved: 3 })
  t.same(compare(near, far), { order: -2, isByTopology: false })
  t.same(compare(far, near), { order: 2, isByTopology: false })
})

t.test(
  'where one step differs the side of the farther one decides whether it is by topology',
  async t => {
    const near = heard({}, { stepsRemoved: 1 })
    const behind = heard({}, { stepsRemoved: 2, sender: { clock: clock('2'), port: 1 } })
    const beyond = heard({}, { stepsRemoved: 2, sender: { clock: clock('7'), port: 1 } })
    const self = heard({}, { stepsRemoved: 2, sender: { clock: clock('3'), port: 1 } })
    t.same(compare(near, behind), { order: -1, isByTopology: true })
    t.same(compare(near, beyond), { order: -1, isByTopology: false })
    t.same(compare(behind, near), { order: 1, isByTopology: true })
    t.equal(compare(near, self).order, 0, 'a port that hears itself')
  },
)

t.test('on equally long ways the sender decides, then the port that received', async t => {
  const one = heard({}, { sender: { clock: clock('1'), port: 2 } })
  const other = heard({}, { sender: { clock: clock('2'), port: 1 } })
  t.same(compare(one, other), { order: -1, isByTopology: true })
  const port = heard({}, { receiver: { clock: clock('3'), port: 2 } })
  t.same(compare(heard({}), port), { order: -1, isByTopology: true })
  t.equal(compare(heard({}), heard({})).order, 0)
})

t.test('figure 26 for one port', async t => {
  const own = heard({ identity: clock('3'), clockClass: 248 })
  const holder = heard({ identity: clock('3'), clockClass: 14 })
  const better = heard({ clockClass: 13 })
  const worse = heard({ clockClass: 255 })
  t.equal(decide(own, null, false), 'M2')
  t.equal(decide(own, worse, false), 'M2')
  t.equal(decide(own, better, false), 'S1')
  t.equal(decide(holder, null, false), 'M1')
  t.equal(decide(holder, worse, false), 'M1')
  t.equal(decide(holder, better, false), 'P1')
  t.equal(decide(own, null, true), 'none')
  t.equal(decide(own, worse, true), 'S1')
})
