import t from 'tap'
import { dateMs, timeliness } from '../../../ota/tuf/dates.js'

t.test('dates are those of the system', async t => {
  for (
    let ms = Date.UTC(1899, 11, 31);
    ms < Date.UTC(2401, 2, 2);
    ms += 86_400_000 * 13 + 3_661_000
  ) {
    const text = `${new Date(ms).toISOString().slice(0, 19)}Z`
    if (dateMs(text) !== ms) t.equal(dateMs(text), ms, text)
  }
  t.equal(dateMs('2028-02-29T23:59:60Z'), Date.UTC(2028, 2, 1))
})

t.test('what is no such date is none', async t => {
  for (const text of [
    '2027-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:00.5Z',
    '2026-01-01 00:00:00Z',
    '',
  ])
    t.equal(dateMs(text), null, text)
})

t.test('who does not know the time knows only what is surely over', async t => {
  t.equal(timeliness(10, { nowMs: 9, floorMs: 0 }), 'timely')
  t.equal(timeliness(10, { nowMs: 10, floorMs: 0 }), 'expired')
  t.equal(timeliness(10, { nowMs: null, floorMs: 9 }), 'unknown')
  t.equal(timeliness(10, { nowMs: null, floorMs: 10 }), 'expired')
})
