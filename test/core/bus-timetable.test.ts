import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { BusTimetable } from '../../runtime/core/bus-timetable.js'
import { monotonicMs } from '../../runtime/core/time.js'

function makeTimetable() {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const timetable = new BusTimetable(clock)
  const reserve = (owner: number, durationMs: number, until: number) =>
    timetable.reserve(owner, durationMs, monotonicMs(until))
  const from = (owner: number, durationMs: number, until: number): number =>
    reserve(owner, durationMs, until).from
  return { clock, reserve, from }
}

t.test('whoever asks first is on time, the next one right before it', async t => {
  const { from } = makeTimetable()
  t.equal(from(1, 6, 100), 94)
  t.equal(from(2, 6, 100), 88)
  t.equal(from(3, 6, 100), 82)
  t.equal(from(4, 1, 99), 81)
})

t.test('a gap that is long enough is used, one that is not is left', async t => {
  const { from } = makeTimetable()
  t.equal(from(1, 5, 100), 95)
  t.equal(from(2, 5, 92), 87)
  t.equal(from(3, 3, 100), 92)
  t.equal(from(4, 1, 100), 86, 'between 92 and 100 nothing is left')
})

t.test('a gap too short for one may do for another', async t => {
  const { from } = makeTimetable()
  t.equal(from(1, 5, 100), 95)
  t.equal(from(2, 5, 92), 87)
  t.equal(from(3, 4, 100), 83)
  t.equal(from(4, 2, 100), 93)
})

t.test('nobody waits for himself', async t => {
  const { from } = makeTimetable()
  t.equal(from(1, 6, 100), 94)
  t.equal(from(1, 6, 101), 95)
  t.equal(from(2, 6, 101), 88, 'others wait for both')
})

t.test('what was given back is free again', async t => {
  const { reserve, from } = makeTimetable()
  const { release } = reserve(1, 6, 100)
  release()
  release()
  t.equal(from(2, 6, 100), 94)
  t.equal(from(3, 6, 100), 88)
})

t.test(
  'on a bus that is too slow they meet after all, rather than one be far too early',
  async t => {
    const { from } = makeTimetable()
    const begins = [1, 2, 3, 4, 5].map(owner => from(owner, 6, 100))
    t.same(begins, [94, 88, 82, 76, 94])
  },
)

t.test('what is late asks nobody, and what would have to begin in the past begins now', async t => {
  const { clock, from } = makeTimetable()
  await clock.advance(90)
  t.equal(from(1, 6, 92), 86)
  t.equal(from(2, 6, 100), 94)
  t.equal(from(3, 6, 100), 90)
})

t.test('an evening of frames leaves nothing behind', async t => {
  const { clock, from } = makeTimetable()
  const odd: number[] = []
  for (let frame = 0; frame < 10_000; frame++) {
    const until = clock.monotonicMs() + 50
    if (from(1, 6, until) !== until - 6 || from(2, 6, until) !== until - 12) odd.push(frame)
    await clock.advance(25)
  }
  t.same(odd, [])
})
