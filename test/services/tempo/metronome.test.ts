import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { changed } from '../../../runtime/core/beat-grid.js'
import { Bus } from '../../../runtime/core/bus.js'
import { beatsBetween, type Pieces } from '../../../runtime/services/tempo/beats.js'
import { Metronome } from '../../../runtime/services/tempo/metronome.js'
import type { Messages, Payload } from '../../../runtime/topics.js'
import { RecordingLight } from '../show/stage.js'
import { stepShow } from './step-show.js'

const START = 1_000_000
const OPTIONS = { planAheadMs: 1_000, flashMs: 60, accentLevel: 1, level: 0.4 }

const piece = (fromMs: number, bpm: number | null, beatsPerBar = 4): Pieces[number] => ({
  fromMs,
  grid: bpm === null ? null : changed(null, { bpm, beatsPerBar, isRestart: true }, fromMs),
})

async function bench({ isDimmable = true } = {}) {
  const clock = new SimulatedClock({ showStartMs: START, driftPpm: 0 })
  const bus = new Bus<Messages>()
  const lamp = new RecordingLight(clock, 'metronome', { channelCount: 1, isDimmable })
  const service = new Metronome(clock, new SimulatedLog(), bus, lamp, OPTIONS)
  const beats: Payload<'tempo/beat'>[] = []
  bus.subscribe('tempo/beat', beat => void beats.push(beat))
  await service.start()
  const began = clock.monotonicMs()
  /** Every change of the lamp: how long after the beginning, and to what. */
  const shown = (): (readonly [number, number | undefined])[] => {
    let last: number | undefined = 0
    return lamp.applied.flatMap(({ atMs, levels: [level] }) => {
      const isNews = level !== last
      last = level
      return isNews ? [[Math.round((atMs - began) * 1e3) / 1e3, level] as const] : []
    })
  }
  return { clock, bus, lamp, service, beats, shown }
}

t.test('the lamp flashes on each beat, brighter on the first of a bar', async t => {
  const { clock, bus, lamp, shown } = await bench()
  bus.publish('tempo/state', { pieces: [piece(START + 100, 120, 3)] })
  await clock.advance(2_000)
  t.equal(lamp.applied.length, 1 + 2 * 4, 'dark, and each flash once')
  t.same(shown(), [
    [100, 1],
    [160, 0],
    [600, 0.4],
    [660, 0],
    [1_100, 0.4],
    [1_160, 0],
    [1_600, 1],
    [1_660, 0],
  ])
})

t.test('it goes on for hours by itself, and never a beat is lost or doubled', async t => {
  const { clock, bus, shown, beats } = await bench()
  bus.publish('tempo/state', { pieces: [piece(START, 128)] })
  await clock.advance(3 * 3_600_000)
  const on = shown().filter(([, level]) => level !== 0)
  t.equal(on.length, 3 * 60 * 128 + 1)
  for (const [beat, [at]] of on.entries())
    if (Math.abs(at - (beat * 60_000) / 128) > 0.01) t.fail(`beat ${beat} at ${at}`)
  t.equal(beats.length, on.length)
  t.match(beats.at(-1), { bar: 5_761, beat: 1 })
})

t.test('another tempo takes the place of what was planned, at its own moment', async t => {
  const { clock, bus, shown } = await bench()
  bus.publish('tempo/state', { pieces: [piece(START, 60)] })
  await clock.advance(500)
  bus.publish('tempo/state', { pieces: [piece(START, 60), piece(START + 700, 240)] })
  await clock.advance(700)
  t.same(
    shown().filter(([, level]) => level !== 0),
    [
      [0, 1],
      [700, 1],
      [950, 0.4],
      [1_200, 0.4],
    ],
  )
})

t.test('when the beats end the lamp is dark at once, also in the middle of a flash', async t => {
  const { clock, bus, lamp, beats } = await bench()
  bus.publish('tempo/state', { pieces: [piece(START, 60)] })
  await clock.advance(1_020)
  t.same(lamp.shown, [0.4])
  bus.publish('tempo/state', { pieces: [piece(0, null)] })
  await clock.advance(0)
  t.same(lamp.shown, [0])
  await clock.advance(5_000)
  t.same(lamp.shown, [0])
  t.equal(beats.length, 2)
})

t.test('a lamp that is only on or off is on for every beat', async t => {
  const { clock, bus, shown } = await bench({ isDimmable: false })
  bus.publish('tempo/state', { pieces: [piece(START, 60)] })
  await clock.advance(1_500)
  t.same(shown(), [
    [0, 1],
    [60, 0],
    [1_000, 1],
    [1_060, 0],
  ])
})

t.test('a flash is never longer than half a beat', async t => {
  const { clock, bus, shown } = await bench()
  bus.publish('tempo/state', { pieces: [piece(START, 400)] })
  await clock.advance(200)
  t.same(shown(), [
    [0, 1],
    [60, 0],
    [150, 0.4],
  ])
  t.ok(OPTIONS.flashMs <= 30_000 / 400)
})

t.test('after a step of the timeline the beats are where they are now', async t => {
  const { clock, bus, shown } = await bench()
  bus.publish('tempo/state', { pieces: [piece(START, 60)] })
  await clock.advance(500)
  stepShow(clock, 250)
  bus.publish('clock/stepped', { byMs: 250 })
  await clock.advance(1_500)
  t.same(
    shown()
      .filter(([, level]) => level !== 0)
      .map(([at]) => at),
    [0, 750, 1_750],
  )
})

t.test('after the stop it is dark and says nothing more', async t => {
  const { clock, bus, lamp, beats, service } = await bench()
  bus.publish('tempo/state', { pieces: [piece(START, 120)] })
  await clock.advance(1_010)
  await service.stop()
  const told = beats.length
  t.same(lamp.shown, [0])
  await clock.advance(3_000)
  t.same(lamp.shown, [0])
  t.equal(beats.length, told)
})

t.test('a beat between two pieces belongs to the one that has begun', async t => {
  const pieces = [piece(START, 60), piece(START + 1_000, null), piece(START + 1_500, 60)]
  t.same(
    beatsBetween(pieces, START, START + 3_000).map(({ atShowMs }) => atShowMs - START),
    [0, 1_500, 2_500],
  )
})

t.test(
  'after a step back beats are told on, not only once the time that was is come again',
  async t => {
    const { clock, bus, beats } = await bench()
    bus.publish('tempo/state', { pieces: [piece(START - 7_200_000, 60)] })
    await clock.advance(5_500)
    const before = beats.length
    stepShow(clock, -3_600_000)
    bus.publish('clock/stepped', { byMs: -3_600_000 })
    await clock.advance(10_000)
    t.equal(beats.length, before + 10)
  },
)
