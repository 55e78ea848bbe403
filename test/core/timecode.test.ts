import fc from 'fast-check'
import t from 'tap'
import {
  frameMs,
  frameOfDay,
  frameOfLabel,
  frameOfNs,
  framesBetween,
  framesPerDay,
  labelOf,
  nsOfFrame,
  readLabel,
  timecodeRates,
  timecodeText,
} from '../../runtime/core/timecode.js'

const anyRate = fc.constantFrom(...timecodeRates)
const anyFrame = anyRate.chain(rate =>
  fc.tuple(fc.constant(rate), fc.integer({ min: 0, max: framesPerDay(rate) - 1 })),
)

t.test('drop-frame counting leaves out two labels a minute, but none in each tenth', async t => {
  const text = (frame: number): string => timecodeText(frame, '29.97df')
  t.same([1799, 1800, 17_981, 17_982].map(text), [
    '00:00:59;29',
    '00:01:00;02',
    '00:09:59;29',
    '00:10:00;00',
  ])
  // An hour of labels is 107 892 frames: 3.6 ms from an hour of time.
  t.equal(frameOfLabel({ hours: 1, minutes: 0, seconds: 0, frames: 0 }, '29.97df'), 107_892)
  t.equal(nsOfFrame(107_892, '29.97df'), 3_599_996_400_000)
  t.equal(framesPerDay('29.97df'), 2_589_408)
})

t.test('what counting leaves out, or a rate does not have, is no frame', async t => {
  const at = (minutes: number, frames: number) => ({ hours: 0, minutes, seconds: 0, frames })
  t.equal(frameOfLabel(at(1, 0), '29.97df'), null)
  t.equal(frameOfLabel(at(1, 1), '29.97df'), null)
  t.equal(frameOfLabel(at(1, 2), '29.97df'), 1800)
  t.equal(frameOfLabel(at(20, 0), '29.97df'), 35_964)
  t.equal(frameOfLabel(at(1, 25), '25'), null)
  t.equal(frameOfLabel(at(1, 24), '24'), null)
})

t.test('frames, labels, texts and nanoseconds are the same frame, all day', async () => {
  fc.assert(
    fc.property(anyFrame, ([rate, frame]) => {
      const label = readLabel(timecodeText(frame, rate))
      return (
        label !== null &&
        frameOfLabel(label, rate) === frame &&
        frameOfLabel(labelOf(frame, rate), rate) === frame &&
        frameOfNs(nsOfFrame(frame, rate), rate) === frame &&
        frameOfNs(nsOfFrame(frame + 1, rate) - 1, rate) === frame
      )
    }),
    { numRuns: 2_000 },
  )
})

t.test('every label comes once, in order', async t => {
  for (const rate of timecodeRates) {
    let last = ''
    let wrong = 0
    for (let frame = 0; frame < 30 * 60 * 25; frame++) {
      const text = timecodeText(frame, rate)
      if (text <= last) wrong++
      last = text
    }
    t.equal(wrong, 0, rate)
  }
})

t.test('a frame lasts as long as its rate says', async t => {
  t.equal(frameMs('25'), 40)
  t.equal(nsOfFrame(24, '24'), 1e9)
  t.equal(nsOfFrame(30, '30'), 1e9)
  t.equal(nsOfFrame(30_000, '29.97df'), 1001e9)
})

t.test('midnight is one frame away from the last frame of a day', async t => {
  for (const rate of timecodeRates) {
    t.equal(framesBetween(framesPerDay(rate) - 1, 0, rate), 1)
    t.equal(framesBetween(0, framesPerDay(rate) - 1, rate), -1)
    t.equal(frameOfDay(-1, rate), framesPerDay(rate) - 1)
  }
})

t.test('what is no timecode is none', async t => {
  for (const text of ['', '1:00:00:00', '24:00:00:00', '10:60:00:00', '10:00:00:30', '10:00:00'])
    t.equal(readLabel(text), null, text)
  t.same(readLabel('23:59:59;29'), { hours: 23, minutes: 59, seconds: 59, frames: 29 })
})
