import t from 'tap'
import { monotonicMs } from '../../../../runtime/core/time.js'
import { NtpFilter, type Sample } from '../../../../runtime/services/clock/wall/ntp-filter.js'

const sample = (atMs: number, differenceMs: number, delayMs: number): Sample => ({
  at: monotonicMs(atMs),
  differenceMs,
  delayMs,
  dispersionMs: 0.01,
})

function filterOf(...samples: readonly Sample[]): NtpFilter {
  const filter = new NtpFilter()
  for (const one of samples) filter.add(one)
  return filter
}

t.test('the exchange with the least delay tells best', async t => {
  const filter = filterOf(sample(0, 5, 12), sample(1_000, 1, 2), sample(2_000, 9, 20))
  t.match(filter.at(monotonicMs(2_000))?.best, { differenceMs: 1, delayMs: 2 })
})

t.test(
  'an old one is no better than a new one, once the oscillator may have drifted so far',
  async t => {
    const filter = filterOf(sample(0, 1, 2), sample(1_000_000, 9, 20))
    t.equal(filter.at(monotonicMs(1_000_000))?.best.delayMs, 20, '15 ms in the meantime')
  },
)

t.test('only the last eight count', async t => {
  const filter = filterOf(sample(0, 1, 0.1))
  for (let index = 1; index <= 8; index++) filter.add(sample(index, 5, 3))
  t.equal(filter.at(monotonicMs(8))?.best.differenceMs, 5)
})

t.test('dispersion grows with time, jitter is what they differ by', async t => {
  const filter = filterOf(sample(0, 10, 2), sample(1, 13, 4))
  const early = filter.at(monotonicMs(1))
  const late = filter.at(monotonicMs(1_000_001))
  t.equal(early?.jitterMs, 3)
  t.ok((late?.dispersionMs ?? 0) - (early?.dispersionMs ?? 0) > 11, '15 ms, each half as much')
})

t.test(
  'one that contradicts the others is left out, two are a server whose date was set',
  async t => {
    const filter = filterOf(sample(0, 0, 2), sample(1, 1, 2), sample(2, 5_000, 1))
    t.ok((filter.at(monotonicMs(2))?.best.differenceMs ?? 9) <= 1)
    filter.add(sample(3, 1, 2))
    filter.add(sample(4, 5_000, 1))
    t.ok((filter.at(monotonicMs(4))?.best.differenceMs ?? 9) <= 1, 'one again')
    filter.add(sample(5, 5_001, 1))
    const set = filter.at(monotonicMs(5))
    t.ok((set?.best.differenceMs ?? 0) >= 5_000)
    t.ok((set?.jitterMs ?? 9) <= 1, 'and nothing of what was before is in it')
  },
)

t.test('nothing is known before the first', async t => {
  t.equal(filterOf().at(monotonicMs(0)), null)
})
