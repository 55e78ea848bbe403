import t from 'tap'
import { randomFrom } from '../../../../runtime/core/random.js'
import { monotonicMs } from '../../../../runtime/core/time.js'
import { RateFit, WallScale } from '../../../../runtime/services/clock/wall/wall-scale.js'

const FLOOR_MS = Date.UTC(2026, 10, 22)
const START_MS = FLOOR_MS + 1_000_000

const scale = (wallMs = START_MS): WallScale => new WallScale(monotonicMs(0), wallMs, FLOOR_MS)
const at = monotonicMs

t.test('it runs as the oscillator does', async t => {
  t.equal(scale().wallAt(at(5_000)), START_MS + 5_000)
})

t.test('it begins at the floor where it would be less, and goes on from there', async t => {
  const low = scale(0)
  t.equal(low.wallAt(at(0)), FLOOR_MS)
  t.equal(low.wallAt(at(5_000)), FLOOR_MS + 5_000)
})

t.test('whatever happens to it, it is never less than the floor', async t => {
  const random = randomFrom(9)
  const one = scale()
  let now = 0
  for (let step = 0; step < 5_000; step++) {
    now += random() * 10_000
    const wallMs = START_MS + (random() - 0.5) * 1e9
    const what = random()
    if (what < 0.4) one.correct(at(now), wallMs, (random() - 0.5) * 1_000, random() < 0.1)
    else if (what < 0.6) one.set(at(now), wallMs)
    else if (what < 0.8) one.freeze(at(now), random() < 0.5)
    if (one.wallAt(at(now)) < FLOOR_MS) t.fail(`at step ${step}`)
  }
  t.pass('never')
})

t.test('a small error is made up at half a millisecond a second, a great one at once', async t => {
  const small = scale()
  t.equal(small.correct(at(0), START_MS + 100, 0, false), 'slewed')
  t.equal(small.wallAt(at(0)), START_MS, 'it does not jump')
  t.ok(Math.abs(small.wallAt(at(1_000)) - START_MS - 1_000.5) < 0.01)
  t.equal(small.wallAt(at(200_000)), START_MS + 100 + 200_000, 'and is there in the end')
  t.ok(small.wallAt(at(100_000)) > small.wallAt(at(99_999)), 'it never goes back meanwhile')
  const great = scale()
  t.equal(great.correct(at(0), START_MS + 129, 0, false), 'stepped')
  t.equal(great.wallAt(at(0)), START_MS + 129)
  const first = scale()
  t.equal(first.correct(at(0), START_MS + 1, 0, true), 'stepped', 'nobody relies on it yet')
})

t.test('frozen, nothing moves it, nor goes on moving it', async t => {
  const one = scale()
  one.correct(at(0), START_MS + 100, 0, false)
  one.freeze(at(10_000), true)
  const shown = one.wallAt(at(10_000))
  t.equal(one.correct(at(11_000), START_MS + 9_000, 0, false), 'held')
  t.equal(one.wallAt(at(70_000)), shown + 60_000)
  one.freeze(at(70_000), false)
  t.equal(one.wallAt(at(70_000)), shown + 60_000, 'to thaw is not to jump')
})

t.test('a later floor moves it only where it is behind', async t => {
  const one = scale()
  t.equal(one.raiseFloor(at(0), START_MS - 1), false)
  t.equal(one.wallAt(at(0)), START_MS)
  t.equal(one.raiseFloor(at(0), START_MS + 50), true)
  t.equal(one.wallAt(at(10)), START_MS + 60)
  t.equal(one.raiseFloor(at(10), 0), false, 'and an earlier one is none')
  t.equal(one.floorMs, START_MS + 50)
})

t.test('the rate is found, the better the longer it is watched', async t => {
  for (const ppm of [-80, -5, 0, 20, 300]) {
    const random = randomFrom(ppm + 100)
    const fit = new RateFit()
    for (let count = 0; count < 32; count++) {
      const atMs = count * 64_000
      fit.add(at(atMs), START_MS + atMs * ppm * 1e-6 + (random() - 0.5))
    }
    t.ok(Math.abs(fit.ratePpm(0.5) - ppm) < 1, `${ppm} ppm, found ${fit.ratePpm(0.5)}`)
  }
})

t.test('two points that scatter tell nothing of the rate', async t => {
  const fit = new RateFit()
  for (const [atMs, offMs] of [
    [0, 0],
    [1_000, 5],
    [2_000, -4],
  ] as const)
    fit.add(at(atMs), START_MS + offMs)
  t.ok(Math.abs(fit.ratePpm(5)) < 10, `${fit.ratePpm(5)} ppm`)
  fit.clear()
  t.equal(fit.ratePpm(5), 0)
})
