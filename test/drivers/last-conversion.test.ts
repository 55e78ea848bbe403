import t from 'tap'
import { LastConversion } from '../../drivers/last-conversion.js'
import { at } from './bench.js'

t.test('nothing is a measurement before the first conversion has ended', async t => {
  const conversion = new LastConversion(100)
  t.match(conversion.staleness(false, [1, 2], at(0)), { trouble: 'not-ready' })
  t.equal(conversion.staleness(true, [1, 2], at(50)), null)
})

t.test('the last one stands until the next must have ended', async t => {
  const conversion = new LastConversion(100)
  conversion.staleness(true, [1, 2], at(50))
  t.equal(conversion.staleness(false, [1, 2], at(149)), null)
  t.match(conversion.staleness(false, [1, 2], at(150)), { trouble: 'not-ready' })
  t.equal(conversion.staleness(true, [1, 2], at(200)), null, 'and again')
})

t.test('registers that changed without a conversion hold anything', async t => {
  const conversion = new LastConversion(100)
  conversion.staleness(true, [1, 2], at(0))
  t.match(conversion.staleness(false, [1, 3], at(10)), { trouble: 'not-ready' })
})

t.test('a converter that was configured has measured nothing yet', async t => {
  const conversion = new LastConversion(100)
  conversion.staleness(true, [1, 2], at(0))
  conversion.forget()
  t.match(conversion.staleness(false, [1, 2], at(10)), { trouble: 'not-ready' })
})
