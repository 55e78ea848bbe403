import t from 'tap'
import { curveNames, shape } from '../../../runtime/services/show/curves.js'

t.test('every named curve runs from 0 to 1, stays between and never turns back', async t => {
  for (const curve of curveNames) {
    t.equal(shape(curve, 0), 0, curve)
    t.equal(shape(curve, 1), 1, curve)
    t.equal(shape(curve, 2), 1, curve)
    let last = 0
    for (let step = 1; step <= 100; step++) {
      const now = shape(curve, step / 100)
      if (now < last || now > 1) t.fail(`${curve} at ${step}`)
      last = now
    }
  }
})

t.test('curves have the shapes of their names', async t => {
  t.equal(shape('linear', 0.25), 0.25)
  t.ok(Math.abs(shape('sine', 0.5) - 0.5) < 1e-12)
  t.equal(shape('quad-in', 0.5), 0.25)
  t.equal(shape('quad-out', 0.5), 0.75)
  t.equal(shape('cubic', 0.25), 0.0625)
})

t.test('points are joined by straight lines, down as well as up', async t => {
  const points = [
    [0, 0],
    [0.5, 1],
    [0.75, 0.2],
    [1, 1],
  ]
  t.equal(shape(points, 0.25), 0.5)
  t.equal(shape(points, 0.5), 1)
  t.ok(Math.abs(shape(points, 0.625) - 0.6) < 1e-12)
  t.equal(shape(points, 0.75), 0.2)
  t.equal(shape(points, 1), 1)
})
