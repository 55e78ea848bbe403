import t from 'tap'
import { utcText } from '../../../ota/release/utc.js'

t.test('a moment is written as every other calendar writes it', async t => {
  const expected = (seconds: number): string =>
    new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
  const wrong: number[] = []
  for (let day = 0; day < 366 * 450; day++) {
    const seconds = day * 86_400 + ((day * 7919) % 86_400)
    if (utcText(seconds) !== expected(seconds)) wrong.push(seconds)
  }
  t.same(wrong, [])
  t.equal(utcText(0), '1970-01-01T00:00:00Z')
  t.equal(utcText(951_868_799), '2000-02-29T23:59:59Z')
})
