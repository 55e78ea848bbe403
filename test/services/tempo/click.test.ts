import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedSoundCard } from '../../../drivers/simulated/sound-card.js'
import { changed } from '../../../runtime/core/beat-grid.js'
import { Bus } from '../../../runtime/core/bus.js'
import { DeviceError } from '../../../runtime/core/errors.js'
import { after } from '../../../runtime/core/time.js'
import { Click } from '../../../runtime/services/tempo/click.js'
import type { Messages, Payload } from '../../../runtime/topics.js'
import { stepShow } from './step-show.js'

type Pieces = Payload<'tempo/state'>['pieces']

const START = 1_000_000
/** What it takes to know where the card stands. */
const WARM_UP_MS = 10_000
/** Of the line through the card's lumps. */
const OFF_MS_MAX = 3

const piece = (fromMs: number, bpm: number | null, beatsPerBar = 4): Pieces[number] => ({
  fromMs,
  grid: bpm === null ? null : changed(null, { bpm, beatsPerBar, isRestart: true }, fromMs),
})

async function bench({ ppm = 0, latencyMs = 0, isMissing = false } = {}) {
  const clock = new SimulatedClock({ showStartMs: START, driftPpm: 0 })
  const bus = new Bus<Messages>()
  const log = new SimulatedLog()
  const sound = new SimulatedSoundCard(clock, {
    rate: 8_000,
    heldCount: 2_000,
    periodCount: 160,
    ppm,
  })
  sound.isMissing = isMissing
  const service = new Click(clock, log, bus, sound, { volume: 0.5, latencyMs })
  await service.start()
  await clock.advance(0)
  /** What was heard from a moment on, in show time since the beginning. */
  const heard = (fromMs = WARM_UP_MS): number[] =>
    sound.onsets.map(({ at }) => clock.monotonicToShow(at) - START).filter(at => at >= fromMs)
  return { clock, bus, log, sound, service, heard }
}

/** How far each is from the beats of a grid that began at 0; they must be all that there are. */
function off(heard: readonly number[], beatMs: number): number[] {
  const first = Math.round((heard[0] ?? 0) / beatMs)
  return heard.map((at, index) => at - (first + index) * beatMs)
}

t.test('each beat is heard, also on a card that runs too fast, or too slow', async t => {
  for (const ppm of [0, 100, -100]) {
    const { clock, bus, heard } = await bench({ ppm })
    bus.publish('tempo/state', { pieces: [piece(START, 120)] })
    await clock.advance(240_000)
    const found = heard()
    t.ok(found.length > 450, `${found.length} clicks at ${ppm} ppm`)
    const worst = Math.max(...off(found, 500).map(Math.abs))
    t.ok(worst < OFF_MS_MAX, `${worst.toFixed(2)} ms at ${ppm} ppm`)
  }
})

t.test('another tempo is heard from its moment on, and beats that end are silent', async t => {
  const { clock, bus, heard } = await bench()
  await clock.advance(WARM_UP_MS)
  bus.publish('tempo/state', { pieces: [piece(START, 120), piece(START + 12_000, 60)] })
  await clock.advance(5_000)
  bus.publish('tempo/state', {
    pieces: [piece(START + 12_000, 60), piece(START + 16_000, null)],
  })
  await clock.advance(5_000)
  t.same(
    heard(10_400).map(at => Math.round(at / 100) * 100),
    [10_500, 11_000, 11_500, 12_000, 13_000, 14_000, 15_000],
  )
})

t.test('what the ear hears later is played earlier', async t => {
  const { clock, bus, heard } = await bench({ latencyMs: 40 })
  bus.publish('tempo/state', { pieces: [piece(START, 120)] })
  await clock.advance(20_000)
  for (const ms of off(
    heard().map(at => at + 40),
    500,
  ))
    if (Math.abs(ms) > OFF_MS_MAX) t.fail(`${ms} ms`)
  t.ok(heard().length > 15)
})

t.test('after a step of the timeline clicks are where the beats are now', async t => {
  const { clock, bus, heard } = await bench()
  bus.publish('tempo/state', { pieces: [piece(START, 60)] })
  await clock.advance(12_500)
  stepShow(clock, 250)
  bus.publish('clock/stepped', { byMs: 250 })
  await clock.advance(10_000)
  const later = heard(14_000)
  t.ok(later.length >= 8)
  t.ok(Math.max(...off(later, 1_000).map(Math.abs)) < OFF_MS_MAX)
})

t.test('without a card it says so once, goes on asking, and plays when there is one', async t => {
  const { clock, bus, log, sound, heard } = await bench({ isMissing: true })
  bus.publish('tempo/state', { pieces: [piece(START, 120)] })
  await clock.advance(300_000)
  t.equal(log.lines.filter(({ event }) => event === 'tempo.no-sound').length, 1)
  sound.isMissing = false
  await clock.advance(60_000)
  t.ok(heard().length > 40)
  sound.lose()
  const before = heard().length
  await clock.advance(30_000)
  t.ok(heard().length > before + 30, 'a card that was gone and is back')
  t.ok(Math.max(...off(heard().slice(-20), 500).map(Math.abs)) < OFF_MS_MAX)
})

t.test('a stall of the box does not leave the clicks beside the beats', async t => {
  const { clock, bus, sound, heard } = await bench()
  bus.publish('tempo/state', { pieces: [piece(START, 120)] })
  await clock.advance(20_000)
  sound.stall(700)
  await clock.advance(20_000)
  const later = heard(30_000)
  t.ok(later.length > 15)
  t.ok(Math.max(...off(later, 500).map(Math.abs)) < OFF_MS_MAX)
})

t.test('after the stop nothing more is played', async t => {
  const { clock, bus, sound, service } = await bench()
  bus.publish('tempo/state', { pieces: [piece(START, 120)] })
  await clock.advance(15_000)
  await service.stop()
  const count = sound.onsets.length
  await clock.advance(5_000)
  t.equal(sound.onsets.length, count)
})

t.test(
  'a card that is there and gone again and again is asked ever more rarely, and told of once',
  async t => {
    const { clock, log, sound } = await bench()
    let starts = 0
    const start = sound.start.bind(sound)
    sound.start = async () => {
      starts++
      await start()
      clock.runAt(after(clock.monotonicMs(), 50), () => sound.lose())
    }
    sound.lose()
    await clock.advance(600_000)
    t.ok(starts > 5 && starts < 40, `${starts} starts in ten minutes`)
    const told = log.lines.filter(({ event }) => event === 'tempo.no-sound').length
    t.ok(told <= 2, `${told} lines`)
  },
)

t.test('one that is stopped while it asks for a card asks no more', async t => {
  const { clock, sound, service } = await bench({ isMissing: true })
  let starts = 0
  sound.start = () => {
    starts++
    return new Promise((_, reject) => {
      const gone = new DeviceError('device.absent', 'there is no sound card')
      clock.runAt(after(clock.monotonicMs(), 100), () => reject(gone))
    })
  }
  await clock.advance(1_050)
  t.equal(starts, 1)
  const stopped = service.stop()
  await clock.advance(60_000)
  await stopped
  await clock.advance(60_000)
  t.equal(starts, 1)
})
