import t from 'tap'
import { monotonicMs } from '../../../runtime/core/time.js'
import { Chase, type Run } from '../../../runtime/services/timecode/chase.js'
import { Passing } from '../../../runtime/services/timecode/passing.js'
import { play } from './tape.js'

const HOUR_10 = 10 * 3600 * 25

function runFrom(fromFrame: number, atMs = 0, count = 3): Run {
  const chase = new Chase({ lockFrames: 3, flywheelMs: 1_000, onLoss: 'stop' })
  for (const sighting of play({ fromFrame, atMs, count })) chase.see(sighting)
  const { run } = chase
  if (run === null) throw new Error('not locked')
  return run
}

const next = (passing: Passing, run: Run, sinceMs: number, untilMs: number): string[] =>
  passing
    .next(run, monotonicMs(sinceMs), monotonicMs(untilMs))
    .map(({ position, at }) => `${position}@${Math.round(at)}`)

t.test('each position is told once, with its moment, in order', async t => {
  const passing = new Passing(['10:00:02:00', '10:00:01:00', '10:00:01:05'])
  const run = runFrom(HOUR_10)
  t.same(next(passing, run, -170, 80), [])
  t.same(next(passing, run, 0, 1_100), ['10:00:01:00@1000'])
  t.same(next(passing, run, 0, 2_100), ['10:00:01:05@1200', '10:00:02:00@2000'])
  t.same(next(passing, run, 0, 5_000), [])
})

t.test('the first frame of a run counts, what lies before it was jumped over', async t => {
  const passing = new Passing(['09:59:59:24', '10:00:00:00', '10:00:00:01'])
  t.same(next(passing, runFrom(HOUR_10), -170, 80), ['10:00:00:00@0', '10:00:00:01@40'])
})

t.test('what was passed too long before the source was found is not told', async t => {
  const passing = new Passing(['10:00:00:00', '10:00:00:20'])
  t.same(next(passing, runFrom(HOUR_10, 0, 25), 750, 1_000), ['10:00:00:20@800'])
})

t.test('a jump to before a position arms it again; one over it tells nothing', async t => {
  const passing = new Passing(['10:00:01:00'])
  t.same(next(passing, runFrom(HOUR_10), 0, 1_000), ['10:00:01:00@1000'])
  t.same(next(passing, runFrom(HOUR_10 + 100, 2_000), 1_900, 2_080), [])
  t.same(next(passing, runFrom(HOUR_10 + 1, 3_000), 2_900, 4_000), ['10:00:01:00@3960'])
})

t.test('the same start again is another pass', async t => {
  const passing = new Passing(['10:00:00:02'])
  t.same(next(passing, runFrom(HOUR_10), -200, 80), ['10:00:00:02@80'])
  t.same(next(passing, runFrom(HOUR_10, 9_000), 8_800, 9_080), ['10:00:00:02@9080'])
})

t.test('midnight is passed like any other position, each time', async t => {
  const passing = new Passing(['00:00:00:00', '23:59:59:24'])
  const run = runFrom(24 * 3600 * 25 - 10)
  t.same(next(passing, run, -200, 500), ['23:59:59:24@360', '00:00:00:00@400'])
  t.same(next(passing, run, 0, 86_400_400 - 1), ['23:59:59:24@86400360'])
})

t.test('a frame that there is not at the rate is told as absent, and never passed', async t => {
  const passing = new Passing(['10:00:00:27', '10:00:00:24'])
  t.same(passing.absent('25'), ['10:00:00:27'])
  t.same(passing.absent('30'), [])
  t.same(next(passing, runFrom(HOUR_10), -200, 10_000), ['10:00:00:24@960'])
})
