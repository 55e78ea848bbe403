import fc from 'fast-check'
import t from 'tap'
import { Histogram } from '../../runtime/core/histogram.js'

function of(values: Iterable<number>): Histogram {
  const histogram = new Histogram()
  for (const value of values) histogram.add(value)
  return histogram
}

t.test('an empty histogram reads as zeros', async t => {
  t.same(new Histogram().read(), { count: 0, p50: 0, p95: 0, p99: 0, max: 0 })
})

t.test('one value is all percentiles', async t => {
  t.same(of([3.7]).read(), { count: 1, p50: 3.7, p95: 3.7, p99: 3.7, max: 3.7 })
})

t.test('a percentile is at least the true one and at most 12.3 % more', async t => {
  const value = fc.double({ min: 0.001, max: 1e6, noNaN: true })
  const isNear = (values: readonly number[]): boolean => {
    const sorted = [...values].sort((a, b) => a - b)
    const read = of(values).read()
    return (
      [
        ['p50', 0.5],
        ['p95', 0.95],
        ['p99', 0.99],
      ] as const
    ).every(([name, share]) => {
      const exact = sorted[Math.ceil(sorted.length * share) - 1] ?? 0
      return read[name] >= exact * (1 - 1e-9) && read[name] <= exact * 1.123
    })
  }
  t.doesNotThrow(() =>
    fc.assert(fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), isNear), {
      numRuns: 300,
    }),
  )
})

t.test('the largest values are counted, and none is told smaller than it was', async t => {
  t.same(of([1e6]).read(), { count: 1, p50: 1e6, p95: 1e6, p99: 1e6, max: 1e6 })
  t.same(of([5e9]).read(), { count: 1, p50: 5e9, p95: 5e9, p99: 5e9, max: 5e9 })
})

t.test('early is not late: a negative value counts as zero', async t => {
  t.same(of([-5]).read(), { count: 1, p50: 0, p95: 0, p99: 0, max: 0 })
  t.equal(of([-5, -5, 10]).read().p50, 0.001)
})

t.test('what is not a number is not counted, and spoils nothing', async t => {
  t.same(of([Number.NaN, 2]).read(), { count: 1, p50: 2, p95: 2, p99: 2, max: 2 })
})

t.test('99 quick ones do not hide the slow one', async t => {
  const read = of([...Array.from({ length: 99 }, () => 1), 1000]).read()
  t.ok(read.p99 < 1.13)
  t.equal(read.max, 1000)
  t.equal(of([...Array.from({ length: 98 }, () => 1), 1000, 1000]).read().p99, 1000)
})
