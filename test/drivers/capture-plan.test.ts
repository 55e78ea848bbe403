import t from 'tap'
import { focusSpans, isTooClose, type Span, shutterSpan } from '../../drivers/capture-plan.js'
import { at } from './bench.js'

const span = (from: number, until: number): Span => ({ from: at(from), until: at(until) })

t.test('a shutter that is asked for too late closes now and for its full time', async t => {
  t.same(shutterSpan(at(100), at(50), 80), span(100, 180))
  t.same(shutterSpan(at(100), at(150), 80), span(150, 230))
})

t.test('two presses need the gap between them, in either order', async t => {
  const first = span(100, 200)
  for (const [second, isClose] of [
    [span(219, 319), true],
    [span(220, 320), false],
    [span(150, 250), true],
    [span(0, 81), true],
    [span(0, 80), false],
  ] as const)
    t.equal(isTooClose(first, second, 20), isClose, `${second.from}`)
})

t.test('focus is closed ahead of each shot and held through a burst', async t => {
  t.same(focusSpans([], 400), [])
  t.same(focusSpans([span(1000, 1100)], 400), [span(600, 1100)])
  t.same(focusSpans([span(1500, 1600), span(1000, 1100)], 400), [span(600, 1600)])
  t.same(focusSpans([span(1000, 1100), span(1501, 1600)], 400), [span(600, 1100), span(1101, 1600)])
})
