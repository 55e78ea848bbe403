import t from 'tap'
import { randomFrom } from '../../../runtime/core/random.js'
import { monotonicMs } from '../../../runtime/core/time.js'
import { frameMs, framesPerDay, timecodeRates } from '../../../runtime/core/timecode.js'
import {
  Chase,
  type ChaseOptions,
  frameAt,
  momentOf,
} from '../../../runtime/services/timecode/chase.js'
import { type Play, play } from './tape.js'

const HOUR_10 = 10 * 3600 * 25

const chase = (options: Partial<ChaseOptions> = {}): Chase =>
  new Chase({ lockFrames: 3, flywheelMs: 1_000, onLoss: 'stop', ...options })

function watch(follower: Chase, what: Play): number {
  let jumps = 0
  for (const sighting of play(what)) if (follower.see(sighting) !== null) jumps++
  return jumps
}

/** How far the chase is off at a moment, in milliseconds. */
function offMs(follower: Chase, atMs: number, trueFrame: number): number {
  const { run } = follower
  if (run === null) return Number.NaN
  return (frameAt(run, monotonicMs(atMs)) - trueFrame) * frameMs(run.rate)
}

t.test('nothing heard is nothing, three frames in a row are a source', async t => {
  const follower = chase()
  t.equal(follower.state(monotonicMs(0)), 'none')
  watch(follower, { fromFrame: HOUR_10, atMs: 1000, count: 2 })
  t.equal(follower.state(monotonicMs(1041)), 'locking')
  t.equal(follower.run, null)
  watch(follower, { fromFrame: HOUR_10 + 2, atMs: 1080, count: 1 })
  t.equal(follower.state(monotonicMs(1081)), 'locked')
  t.equal(follower.run?.firstFrame, HOUR_10)
})

t.test('at every rate the position between frames is known to a part of a millisecond', async t => {
  const random = randomFrom(1)
  for (const rate of timecodeRates) {
    const follower = chase()
    watch(follower, { rate, fromFrame: 1000, atMs: 0, count: 200, lateMs: () => random() })
    const at = 200.5 * frameMs(rate)
    // Half of the spread of what is late is late on average.
    t.ok(
      Math.abs(offMs(follower, at, 1200.5) + 0.5) < 0.3,
      `${rate} ${offMs(follower, at, 1200.5)}`,
    )
  }
})

t.test('a frame that was held up on its way moves nothing', async t => {
  const follower = chase()
  const lateMs = (index: number) => (index % 10 === 9 ? 30 : 0)
  t.equal(watch(follower, { fromFrame: 0, atMs: 0, count: 150, lateMs }), 0)
  t.ok(Math.abs(offMs(follower, 6_000, 150)) < 0.2)
})

t.test('a tape that runs a fifth too fast or too slow is followed', async t => {
  for (const speed of [0.8, 0.95, 1.05, 1.2]) {
    const follower = chase()
    t.equal(watch(follower, { fromFrame: 0, atMs: 0, count: 250, speed }), 0, `${speed}`)
    t.ok(Math.abs(offMs(follower, (250 * 40) / speed, 250)) < 1, `${speed}`)
    t.ok(Math.abs((follower.run?.line.speed ?? 0) - speed) < 0.002, `${speed}`)
  }
})

t.test('what is wound, plays backwards or at half speed is heard, and not followed', async t => {
  for (const speed of [0.5, 4, 32]) {
    const follower = chase()
    watch(follower, { fromFrame: 0, atMs: 0, count: 60, speed })
    t.equal(follower.run, null, `${speed}`)
    t.equal(follower.state(monotonicMs((60 * 40) / speed)), 'locking', `${speed}`)
  }
  const backwards = chase()
  for (const sighting of play({ fromFrame: 0, atMs: 0, count: 60 }))
    backwards.see({ ...sighting, frame: 5000 - sighting.frame })
  t.equal(backwards.run, null)
})

t.test('a lost frame is not missed; a silent source is flown on without', async t => {
  const follower = chase()
  watch(follower, { fromFrame: 0, atMs: 0, count: 50, isLost: index => index % 5 === 4 })
  t.equal(follower.state(monotonicMs(2_000)), 'locked')
  t.equal(follower.state(monotonicMs(2_500)), 'flywheel')
  t.ok(Math.abs(offMs(follower, 2_500, 62.5)) < 0.1)
  watch(follower, { fromFrame: 65, atMs: 2_600, count: 1 })
  t.equal(follower.state(monotonicMs(2_600)), 'locked')
  t.equal(follower.lostCount, 0)
})

t.test('after the flywheel it stops, or goes on, as it was told', async t => {
  for (const onLoss of ['stop', 'freewheel'] as const) {
    const follower = chase({ onLoss })
    watch(follower, { fromFrame: 0, atMs: 0, count: 50 })
    t.equal(follower.state(monotonicMs(3_000)), 'flywheel')
    t.equal(follower.state(monotonicMs(3_200)), 'lost')
    t.equal(follower.lostCount, 1)
    t.equal(follower.run === null, onLoss === 'stop')
    if (onLoss === 'freewheel') t.ok(Math.abs(offMs(follower, 60_000, 1500)) < 0.1)
    watch(follower, { fromFrame: 1500, atMs: 60_000, count: 4 })
    t.equal(follower.state(monotonicMs(60_160)), 'locked')
  }
})

t.test('a jump is told once, when three frames prove it, and one stray frame is none', async t => {
  const follower = chase()
  watch(follower, { fromFrame: 0, atMs: 0, count: 50 })
  t.equal(watch(follower, { fromFrame: 9000, atMs: 2_000, count: 1 }), 0)
  t.equal(watch(follower, { fromFrame: 51, atMs: 2_040, count: 10 }), 0)
  t.equal(follower.run?.firstFrame, 0)
  t.equal(watch(follower, { fromFrame: HOUR_10, atMs: 2_440, count: 10 }), 1)
  t.equal(follower.run?.firstFrame, HOUR_10)
  t.ok(Math.abs(offMs(follower, 2_840, HOUR_10 + 10)) < 0.1)
})

t.test('a source that stands still stops the chase without a flywheel', async t => {
  const follower = chase()
  watch(follower, { fromFrame: 0, atMs: 0, count: 50 })
  for (let at = 2_000; at < 2_400; at += 40)
    follower.see({ rate: '25', frame: 49, at: monotonicMs(at) })
  t.equal(follower.run, null)
  t.equal(follower.state(monotonicMs(2_400)), 'locking')
  t.equal(follower.lostCount, 0)
  watch(follower, { fromFrame: 50, atMs: 2_400, count: 4 })
  t.equal(follower.state(monotonicMs(2_520)), 'locked')
})

t.test('a sender that says everything twice is one source', async t => {
  const follower = chase()
  for (const sighting of play({ fromFrame: 0, atMs: 0, count: 50 })) {
    follower.see(sighting)
    follower.see({ ...sighting, at: monotonicMs(sighting.at + 0.3) })
  }
  t.equal(follower.state(monotonicMs(2_000)), 'locked')
  t.ok(Math.abs(offMs(follower, 2_000, 50)) < 0.1)
})

t.test('midnight is no jump', async t => {
  for (const rate of timecodeRates) {
    const follower = chase()
    const day = framesPerDay(rate)
    const jumps = watch(follower, { rate, fromFrame: day - 20, atMs: 0, count: 60 })
    t.equal(jumps, 0, rate)
    const { run } = follower
    t.ok(run !== null && Math.abs(momentOf(run, day) - 20 * frameMs(rate)) < 0.1, rate)
  }
})
