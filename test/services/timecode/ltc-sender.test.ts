import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedSoundCard } from '../../../drivers/simulated/sound-card.js'
import { frameOfLabel, nsOfFrame, type TimecodeRate } from '../../../runtime/core/timecode.js'
import { LtcDecoder } from '../../../runtime/services/timecode/ltc-decode.js'
import { LtcSender } from '../../../runtime/services/timecode/ltc-sender.js'
import { stepShow } from '../tempo/step-show.js'

const SAMPLE_RATE = 48_000
const DAY_MS = 86_400_000
/** Ten seconds before ten in the morning. */
const START = DAY_MS + 10 * 3_600_000 - 10_000
const WARM_UP_MS = 6_000
const FULL = 32_767

interface Heard {
  /** When the word begins to be heard, and how far that is from where it belongs. */
  readonly showMs: number
  readonly offMs: number
  readonly frame: number
}

interface BenchOptions {
  readonly ppm?: number
  readonly rate?: TimecodeRate
  readonly runs?: 'clock' | 'armed'
  readonly latencyMs?: number
  readonly startMs?: number
}

async function bench(options: BenchOptions = {}) {
  const { ppm = 0, rate = '25', runs = 'clock', latencyMs = 0, startMs = START } = options
  const clock = new SimulatedClock({ showStartMs: startMs, driftPpm: 0 })
  const log = new SimulatedLog()
  const card = new SimulatedSoundCard(clock, {
    rate: SAMPLE_RATE,
    heldCount: 12_000,
    periodCount: 960,
    ppm,
  })
  const decoder = new LtcDecoder(SAMPLE_RATE)
  const times: number[] = []
  let block: number[] = []
  const heard: Heard[] = []
  let peak = 0
  /** Where the show begins when it is armed; the time of day otherwise. */
  let zeroMs = 0
  const read = (): void => {
    const frames = decoder.read(Int16Array.from(block))
    block = []
    for (const { label, fromSample, isReverse } of frames) {
      if (isReverse) throw new Error('it was heard backwards')
      const frame = frameOfLabel(label, rate)
      if (frame === null) throw new Error('no frame of this rate')
      const at = times[Math.round(fromSample)] ?? Number.NaN
      const dueMs = nsOfFrame(frame, rate) / 1e6 + zeroMs
      const apart = (at + latencyMs - dueMs) % DAY_MS
      const offMs = apart > DAY_MS / 2 ? apart - DAY_MS : apart
      heard.push({ showMs: at - startMs, offMs, frame })
    }
  }
  card.onSample = (sample, at) => {
    times.push(clock.monotonicToShow(at))
    block.push(Math.round(sample * FULL))
    peak = Math.max(peak, Math.abs(sample))
    if (block.length === 4_800) read()
  }
  const sender = new LtcSender(clock, log, card, {
    kind: 'ltc',
    device: 'default',
    rate,
    runs,
    offset: '00:00:00:00',
    volume: 0.25,
    latencyMs,
  })
  sender.start()
  await clock.advance(0)
  const from = (fromMs: number, untilMs = Number.POSITIVE_INFINITY): Heard[] =>
    heard.filter(({ showMs }) => showMs >= fromMs && showMs < untilMs)
  return {
    clock,
    log,
    card,
    sender,
    from,
    peak: () => peak,
    arm: (showMs: number) => {
      zeroMs = showMs
      sender.setArmed(showMs)
    },
  }
}

const worst = (heard: readonly Heard[]): number =>
  Math.max(...heard.map(({ offMs }) => Math.abs(offMs)))
const QUARTER_MS = 10

t.test(
  'each frame is heard when show time says, on cards that run too fast or too slow',
  async t => {
    for (const ppm of [100, -100]) {
      const { clock, from, peak } = await bench({ ppm })
      await clock.advance(60_000)
      const heard = from(WARM_UP_MS, 55_000)
      t.ok(heard.length >= 49 * 25 - 2, `${heard.length} frames at ${ppm} ppm`)
      t.ok(worst(heard) < QUARTER_MS / 2, `${worst(heard).toFixed(2)} ms at ${ppm} ppm`)
      t.ok(Math.abs(peak() - 0.25) < 1e-6, `as loud as it was told: ${peak()}`)
    }
  },
)

t.test('every rate is read back, through midnight too', async t => {
  for (const rate of ['24', '29.97df', '30'] as const) {
    const { clock, from } = await bench({ rate, startMs: 2 * DAY_MS - 12_000 })
    await clock.advance(20_000)
    const before = from(WARM_UP_MS, 11_900)
    t.ok(before.length > 130 && worst(before) < QUARTER_MS / 2, `${rate}: ${worst(before)} ms`)
    const later = from(12_200, 18_000)
    t.ok(later.length > 130 && worst(later) < QUARTER_MS / 2, `${rate}: ${worst(later)} ms`)
  }
})

t.test('after a step of the timeline, forward or back, it is where the timeline is', async t => {
  for (const byMs of [1_234, -1_234, 15]) {
    const { clock, from } = await bench()
    await clock.advance(10_000)
    const steppedAt = clock.showTimeMs() + byMs - START
    stepShow(clock, byMs)
    await clock.advance(10_000)
    const later = from(steppedAt + 2_500, steppedAt + 9_000)
    t.ok(later.length > 150, `${later.length} frames after ${byMs} ms`)
    t.ok(worst(later) < QUARTER_MS / 2, `${worst(later).toFixed(2)} ms after ${byMs} ms`)
  }
})

t.test(
  'what is off by little is made up for without a cut, and what is off by more at once',
  async t => {
    for (const [byMs, cuts] of [
      [15, 0],
      [-15, 0],
      [1_234, 1],
    ] as const) {
      const { clock, from } = await bench()
      await clock.advance(10_000)
      stepShow(clock, byMs)
      await clock.advance(10_000)
      const heard = from(WARM_UP_MS, 18_000)
      const leaps = heard
        .slice(1)
        .filter(({ frame }, index) => frame !== (heard[index]?.frame ?? 0) + 1)
      t.equal(leaps.length, cuts, `${byMs} ms`)
    }
  },
)

t.test('a stream that ran dry is in its place again', async t => {
  const { clock, card, from } = await bench()
  await clock.advance(15_000)
  card.stall(700)
  await clock.advance(20_000)
  const later = from(21_000, 33_000)
  t.ok(later.length >= 12 * 25 - 2, `${later.length} frames`)
  t.ok(worst(later) < QUARTER_MS, `${worst(later).toFixed(2)} ms`)
})

t.test('what the way behind the card takes is played earlier', async t => {
  const { clock, from } = await bench({ latencyMs: 80 })
  await clock.advance(15_000)
  const heard = from(WARM_UP_MS, 14_000)
  t.ok(heard.length > 190)
  t.ok(worst(heard) < QUARTER_MS / 2)
})

t.test('what runs with the show is silent until it is armed, and after', async t => {
  const { clock, from, arm, sender } = await bench({ runs: 'armed' })
  await clock.advance(10_000)
  t.same(from(0), [])
  t.equal(sender.read().position, null)
  arm(clock.showTimeMs())
  await clock.advance(5_000)
  t.equal(sender.read().position, '00:00:05:00')
  sender.setArmed(null)
  await clock.advance(5_000)
  const heard = from(0)
  t.ok(heard.length > 100 && worst(heard) < QUARTER_MS / 2, `${worst(heard).toFixed(2)} ms`)
  t.same(from(15_500), [])
})

t.test('without a card it says why once, and plays when there is one', async t => {
  const { clock, log, card, sender, from } = await bench()
  card.isMissing = true
  card.lose()
  await clock.advance(60_000)
  t.match(sender.read().trouble, /gone|no sound card/)
  t.equal(log.lines.filter(({ event }) => event === 'timecode.link-lost').length, 2)
  card.isMissing = false
  await clock.advance(60_000)
  t.equal(sender.read().trouble, null)
  const heard = from(100_000, 115_000)
  t.ok(heard.length > 350 && worst(heard) < QUARTER_MS / 2)
  await sender.stop()
  const count = from(0).length
  await clock.advance(5_000)
  t.equal(from(0).length, count)
})
