import t from 'tap'
import { momentMs, momentText } from '../../../ota/release/moments.js'

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')

t.test(
  'moments are those of the calendar, on every day of four centuries and at the edges',
  async t => {
    let wrong = 0
    for (let day = 0; day < 160_000; day++) {
      const ms = day * 86_400_000 + (day % 86_400) * 1000
      const text = momentText(ms)
      if (text !== iso(ms) || momentMs(text) !== ms) wrong++
    }
    t.equal(wrong, 0)
    for (const text of [
      '1970-01-01T00:00:00Z',
      '2000-02-29T23:59:59Z',
      '2100-02-28T12:00:00Z',
      '9999-12-31T23:59:59Z',
    ])
      t.equal(momentText(momentMs(text)), text)
    t.equal(momentText(1999), '1970-01-01T00:00:01Z')
  },
)

t.test('what is no moment is none', async t => {
  for (const text of ['', '2026-11-23', '2026-11-23T00:00:00+01:00', 'soon'])
    t.ok(Number.isNaN(momentMs(text)), text)
})
