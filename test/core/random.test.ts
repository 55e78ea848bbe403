import t from 'tap'
import { randomFrom } from '../../runtime/core/random.js'

const draw = (seed: number, count: number): readonly number[] =>
  Array.from({ length: count }, randomFrom(seed))

t.test('the same seed gives the same numbers, here and on any machine', async t => {
  t.same(draw(42, 5), draw(42, 5))
  t.same(draw(1, 3), [0.6270739405881613, 0.002735721180215478, 0.5274470399599522])
})

t.test('another seed gives other numbers', async t => {
  t.not(draw(1, 1)[0], draw(2, 1)[0])
  t.not(draw(0, 1)[0], draw(-1, 1)[0])
})

t.test('numbers are in [0, 1) and even', async t => {
  const numbers = draw(7, 100_000)
  t.ok(numbers.every(number => number >= 0 && number < 1))
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length
  t.ok(Math.abs(mean - 0.5) < 0.01, `mean ${mean}`)
  const tenths = new Set(numbers.map(number => Math.floor(number * 10)))
  t.equal(tenths.size, 10)
})
