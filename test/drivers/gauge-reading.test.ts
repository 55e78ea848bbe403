import t from 'tap'
import { gaugeReading, known, troublesOf, unknown } from '../../drivers/gauge-reading.js'
import { at } from './bench.js'

t.test('what is not said is unknown, never zero', async t => {
  const { at: moment, wasReset, troubles, ...quantities } = gaugeReading(at(5), {})
  t.equal(moment, 5)
  t.equal(wasReset, false)
  t.same(troubles, [])
  t.equal(Object.keys(quantities).length, 9)
  t.ok(Object.values(quantities).every(value => value === null))
  t.match(gaugeReading(at(5), { millivolts: 3900 }), { millivolts: 3900, milliamps: null })
})

t.test('each trouble is told once, in the order it was met', async t => {
  t.same(
    troublesOf(unknown('reset'), known(1), unknown('overflow'), unknown('reset'), {
      trouble: null,
    }),
    ['reset', 'overflow'],
  )
})
