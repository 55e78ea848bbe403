import t from 'tap'
import {
  after,
  earlier,
  later,
  monotonicMs,
  publishedMs,
  showTimeMs,
  wallTimeMs,
} from '../../runtime/core/time.js'

t.test('a moment moves by a duration, forwards and backwards', async t => {
  t.equal(after(monotonicMs(100), 25.5), 125.5)
  t.equal(after(showTimeMs(100), -250), -150)
})

t.test('a difference is plain subtraction', async t => {
  t.equal(after(wallTimeMs(1_777_000_000_000), 42) - wallTimeMs(1_777_000_000_000), 42)
})

t.test('the later and the earlier of two moments', async t => {
  t.equal(later(monotonicMs(1), monotonicMs(2)), 2)
  t.equal(earlier(monotonicMs(1), monotonicMs(2)), 1)
  t.equal(later(monotonicMs(2), monotonicMs(2)), 2)
})

t.test('two scales are never mixed', async t => {
  // @ts-expect-error Show time and monotonic time are compared by mistake only.
  t.equal(later(showTimeMs(1), monotonicMs(2)), 2)
})

t.test('what is published is rounded to the microsecond', async t => {
  const table: [number, number][] = [
    [1.2345678901, 1.235],
    [-0.0004, 0],
    [1_777_000_000_000.2502, 1_777_000_000_000.25],
    [0.1 + 0.2, 0.3],
  ]
  for (const [ms, published] of table) t.equal(publishedMs(ms) + 0, published)
})
