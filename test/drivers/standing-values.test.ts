import t from 'tap'
import { gaugeReading } from '../../drivers/gauge-reading.js'
import { StandingValues } from '../../drivers/standing-values.js'
import type { GaugeReading } from '../../runtime/ports/gauge.js'
import { at } from './bench.js'

const MINUTE_MS = 60_000

/** One reading a minute, and the last of them. */
function lastOf(
  standing: StandingValues,
  minutes: number,
  reading: (minute: number) => Partial<GaugeReading>,
): GaugeReading {
  let last = gaugeReading(at(0), {})
  for (let minute = 0; minute <= minutes; minute++)
    last = standing.judge(gaugeReading(at(minute * MINUTE_MS), reading(minute)))
  return last
}

t.test('a pack at rest may stand still for a day', async t => {
  const last = lastOf(new StandingValues(50), 24 * 60, () => ({
    millivolts: 4_180,
    milliamps: 0,
    percent: 100,
  }))
  t.match(last, { millivolts: 4_180, percent: 100, troubles: [] })
})

t.test('voltage and current that stand still under load are stuck after ten minutes', async t => {
  const loaded = () => ({ millivolts: 3_700, milliamps: -900, percent: 50, secondsToEmpty: 900 })
  t.same(lastOf(new StandingValues(50), 9, loaded).troubles, [])
  t.match(lastOf(new StandingValues(50), 10, loaded), {
    millivolts: null,
    milliamps: null,
    percent: 50,
    secondsToEmpty: null,
    troubles: ['stuck'],
  })
})

t.test('where no current is measured, standing still under load proves nothing', async t => {
  const last = lastOf(new StandingValues(Number.POSITIVE_INFINITY), 60, () => ({
    millivolts: 3_700,
    milliamps: -900,
  }))
  t.match(last, { millivolts: 3_700, milliamps: -900, troubles: [] })
})

t.test('a charge that stands still while the voltage falls is stuck', async t => {
  const last = lastOf(new StandingValues(50), 40, minute => ({
    millivolts: 4_000 - minute * 10,
    percent: 80,
  }))
  t.match(last, { millivolts: 3_600, percent: null, troubles: ['stuck'] })
})

t.test('what troubled the reading before is still told', async t => {
  const last = lastOf(new StandingValues(50), 10, () => ({
    millivolts: 3_700,
    milliamps: -900,
    troubles: ['not-ready'],
  }))
  t.same(last.troubles, ['not-ready', 'stuck'])
})
