import t from 'tap'
import {
  type BeatGrid,
  BPM_MAX,
  BPM_MIN,
  beatMs,
  beatsAt,
  changed,
  firstBeatFrom,
  placeOf,
} from '../../runtime/core/beat-grid.js'
import { randomFrom } from '../../runtime/core/random.js'

const start = (bpm: number, fromMs = 0, beatsPerBar = 4): BeatGrid =>
  changed(null, { bpm, beatsPerBar, isRestart: true }, fromMs)

t.test('bars and beats count from one, where the grid was laid', async t => {
  const grid = start(120, 10_000)
  t.equal(beatMs(grid, 0), 10_000)
  t.equal(beatMs(grid, 5), 12_500)
  t.same(placeOf(grid, 0), { bar: 1, beat: 1 })
  t.same(placeOf(grid, 3), { bar: 1, beat: 4 })
  t.same(placeOf(grid, 4), { bar: 2, beat: 1 })
  t.equal(beatsAt(grid, 10_250), 0.5)
})

t.test('twelve hours later the beat is where it must be, to the microsecond', async t => {
  const grid = start(127.3, 1_700_000_000_000)
  const beat = Math.round(12 * 60 * 127.3)
  t.ok(Math.abs(beatMs(grid, beat) - (1_700_000_000_000 + (beat * 60_000) / 127.3)) < 1e-3)
  t.ok(Math.abs(beatsAt(grid, beatMs(grid, beat)) - beat) < 1e-6)
})

t.test('a beat that is just now is the next one, and one that is over is not', async t => {
  const grid = start(60, 1_000)
  t.equal(firstBeatFrom(grid, 0), 0, 'not before it begins')
  t.equal(firstBeatFrom(grid, 3_000), 2)
  t.equal(firstBeatFrom(grid, 3_000.01), 3)
  const odd = start(127.3, 1_700_000_000_000)
  for (let beat = 0; beat < 10_000; beat++)
    if (firstBeatFrom(odd, beatMs(odd, beat)) !== beat) t.fail(`beat ${beat} is left out`)
})

t.test('another tempo goes on in the middle of a beat, and a restart begins the bar', async t => {
  const before = start(60)
  const faster = changed(before, { bpm: 120, beatsPerBar: null, isRestart: false }, 2_500)
  t.equal(beatsAt(faster, 2_500), 2.5)
  t.equal(beatMs(faster, 3), 2_750)
  t.same(placeOf(faster, 4), { bar: 2, beat: 1 })
  const again = changed(before, { bpm: 120, beatsPerBar: null, isRestart: true }, 2_500)
  t.match(again, { beats: 0, bars: 0, fromMs: 2_500, beatsPerBar: 4 })
})

t.test('with another metre the beat under way becomes the first of a bar', async t => {
  const waltz = changed(start(60), { bpm: 60, beatsPerBar: 3, isRestart: false }, 6_500)
  t.same(placeOf(waltz, 0), { bar: 3, beat: 1 }, 'six beats were a bar and a half')
  t.equal(beatMs(waltz, 1), 7_000)
  t.same(placeOf(waltz, 3), { bar: 4, beat: 1 })
  const onBar = changed(start(60), { bpm: 60, beatsPerBar: 3, isRestart: false }, 8_000)
  t.same(placeOf(onBar, 0), { bar: 3, beat: 1 }, 'eight beats were two bars')
})

/** Every beat of a grid that is changed again and again, at moments and to tempos of a seed. */
function* wildBeats(seed: number): Generator<{ bar: number; beat: number; atMs: number }> {
  const random = randomFrom(seed)
  const anyBpm = (): number => BPM_MIN + random() * (BPM_MAX - BPM_MIN)
  let at = 1_000_000 * random()
  let grid = start(anyBpm(), at)
  for (let change = 0; change < 8; change++) {
    const until = at + 10_000 * random()
    for (let beat = firstBeatFrom(grid, at); beatMs(grid, beat) < until; beat++)
      yield { ...placeOf(grid, beat), atMs: beatMs(grid, beat) }
    at = until
    grid = changed(grid, { bpm: anyBpm(), beatsPerBar: null, isRestart: false }, at)
  }
}

t.test('whatever is changed and when, beats never go back, and each comes once', async t => {
  let count = 0
  for (let seed = 1; seed <= 300; seed++) {
    let last = { bar: 1, beat: 0, atMs: Number.NEGATIVE_INFINITY }
    for (const next of wildBeats(seed)) {
      const isSameBar = next.bar === last.bar && next.beat === last.beat + 1
      const isNextBar = next.bar === last.bar + 1 && next.beat === 1 && last.beat === 4
      if (!(isSameBar || isNextBar) || next.atMs <= last.atMs)
        t.fail(`seed ${seed}: ${JSON.stringify(last)} was followed by ${JSON.stringify(next)}`)
      last = next
      count++
    }
  }
  t.ok(count > 10_000, `${count} beats`)
})
