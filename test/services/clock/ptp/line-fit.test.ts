import t from 'tap'
import { fitLine } from '../../../../runtime/services/clock/ptp/line-fit.js'

const unknown = { slope: 0, deviation: 30 }
const points = (count: number, slope: number): { atMs: number; value: number; width: number }[] =>
  Array.from({ length: count }, (_, index) => ({
    atMs: index * 1000,
    value: 70 + slope * index * 1000,
    width: 1000,
  }))

t.test('points on a line give the line, at the last of them', async t => {
  const line = fitLine(points(30, 25), unknown)
  t.equal(line.atMs, 29_000)
  t.ok(Math.abs(line.value - (70 + 25 * 29_000)) < 1e-6)
  t.ok(Math.abs(line.slope - 25) < 1e-9)
  t.equal(line.widthMin, 1000)
})

t.test('one point has the slope that was known before', async t => {
  const line = fitLine(points(1, 25), { slope: 12, deviation: 1 })
  t.equal(line.slope, 12)
  t.equal(line.slopeDeviation > 0.9 && line.slopeDeviation < 1.1, true)
})

t.test('what was known before counts less with each point, and from ten on not at all', async t => {
  const wrong = { slope: -40, deviation: 0.001 }
  const [two = 0, nine = 0, ten = 0] = [2, 9, 10].map(
    count => fitLine(points(count, 25), wrong).slope,
  )
  t.ok(two < -39)
  t.ok(nine > two)
  t.ok(Math.abs(ten - 25) < 1e-9)
})

t.test('a point that a queue made wide counts for little', async t => {
  const queued = points(20, 25).map((point, index) =>
    index % 3 === 0 ? { ...point, value: point.value + 40_000, width: 81_000 } : point,
  )
  const line = fitLine(queued, unknown)
  t.ok(Math.abs(line.value - (70 + 25 * 19_000)) < 200, `${line.value - 475_070}`)
})

t.test('few points are less sure than many, and a noisy path less than a quiet one', async t => {
  const [few, many] = [fitLine(points(3, 25), unknown), fitLine(points(30, 25), unknown)]
  t.ok(few.deviation > 3 * many.deviation)
  t.ok(few.slopeDeviation > many.slopeDeviation)
  const noisy = points(30, 25).map((point, index) => ({
    ...point,
    width: 1000 + (index % 7) * 9000,
  }))
  t.ok(fitLine(noisy, unknown).deviation > 3 * many.deviation)
})
