import t from 'tap'
import { LastConversion } from '../../drivers/last-conversion.js'
import { at } from './bench.js'

t.test('a zero is none before the first conversion has ended, and one afterwards', async t => {
  const conversion = new LastConversion()
  t.notOk(conversion.isZeroMeasured())
  conversion.note(false, [0, 0], at(0))
  t.notOk(conversion.isZeroMeasured())
  conversion.note(true, [0, 0], at(50))
  t.ok(conversion.isZeroMeasured())
  conversion.note(false, [0, 0], at(60))
  t.ok(conversion.isZeroMeasured(), 'the flag is looked at, the measurement stands')
  conversion.forget()
  t.notOk(conversion.isZeroMeasured(), 'it was configured')
})

t.test(
  'a converter that shows no flag and changes nothing for ten seconds has stopped',
  async t => {
    const conversion = new LastConversion()
    conversion.note(true, [1, 2], at(50))
    conversion.note(false, [1, 2], at(10_049))
    t.notOk(conversion.hasStopped(at(10_049)))
    t.ok(conversion.hasStopped(at(10_050)))
    conversion.note(true, [1, 2], at(10_060))
    t.notOk(conversion.hasStopped(at(10_060)), 'and again')
  },
)

t.test('one whose flag somebody else clears has not, as long as its values change', async t => {
  const conversion = new LastConversion()
  conversion.note(true, [1, 2], at(0))
  conversion.note(false, [1, 3], at(9_000))
  t.notOk(conversion.hasStopped(at(18_999)))
  t.ok(conversion.hasStopped(at(19_000)))
})

t.test('one whose flag was never seen says nothing by not showing it', async t => {
  const conversion = new LastConversion()
  conversion.note(false, [1, 2], at(0))
  t.notOk(conversion.hasStopped(at(1_000_000)))
})
