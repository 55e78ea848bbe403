/** The service on a simulated network: what it follows, what it sends, and what it says of both. */
import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedTimecodeLinks } from '../../../drivers/simulated/timecode-links.js'
import { Bus } from '../../../runtime/core/bus.js'
import { check } from '../../../runtime/core/schema.js'
import { after } from '../../../runtime/core/time.js'
import { frameMs, type TimecodeRate } from '../../../runtime/core/timecode.js'
import { timecodeConfig } from '../../../runtime/core/timecode-config.js'
import {
  readArtTimeCode,
  writeArtTimeCode,
} from '../../../runtime/services/timecode/art-timecode.js'
import { LtcDecoder } from '../../../runtime/services/timecode/ltc-decode.js'
import { ltcSamples } from '../../../runtime/services/timecode/ltc-encode.js'
import { type MtcHeard, MtcReader, quarterFrame } from '../../../runtime/services/timecode/mtc.js'
import { Timecode } from '../../../runtime/services/timecode/timecode.js'
import type { Messages, Payload } from '../../../runtime/topics.js'
import { arm } from '../arm.js'
import { stepShow } from '../tempo/step-show.js'

const HOUR_10 = 10 * 3600 * 25
/** 2026-05-01T20:00:00Z */
const SHOW_START_MS = 1_777_665_600_000

class Bench {
  readonly clock = new SimulatedClock({ showStartMs: SHOW_START_MS, driftPpm: 40 })
  readonly log = new SimulatedLog()
  readonly bus = new Bus<Messages>()
  readonly links = new SimulatedTimecodeLinks(this.clock)
  readonly passed: { position: string; atMs: number; heardMs: number }[] = []
  readonly states: Payload<'timecode/state'>[] = []
  readonly service: Timecode
  readonly startMs: number

  constructor(config: unknown, positions: readonly string[] = [], files = new SimulatedFiles()) {
    const { clock, log, bus, links } = this
    this.startMs = clock.monotonicMs()
    bus.subscribe('timecode/passed', ({ position, atShowMs }) =>
      this.passed.push({
        position,
        atMs: atShowMs - SHOW_START_MS,
        heardMs: clock.showTimeMs() - SHOW_START_MS,
      }),
    )
    bus.subscribe('timecode/state', state => this.states.push(state))
    this.service = new Timecode(
      { clock, log, bus, files, links },
      check(timecodeConfig, config, 'timecode'),
      positions,
    )
  }

  /** A foreign sender, by this box's oscillator. */
  play(fromFrame: number, count: number, rate: TimecodeRate = '25'): void {
    const now = this.clock.monotonicMs()
    for (let index = 0; index < count; index++)
      this.clock.runAt(after(now, index * frameMs(rate)), () =>
        this.links.network.carry(writeArtTimeCode(fromFrame + index, rate), '10.0.0.1', 6454),
      )
  }

  get state(): Payload<'timecode/state'> | undefined {
    return this.states.at(-1)
  }

  /** What was sent, as text of frame and show time since the start. */
  get sent(): { frame: number; atShowMs: number }[] {
    return this.links.network.sent.flatMap(({ bytes, atMs }) => {
      const found = readArtTimeCode(bytes)
      const show = SHOW_START_MS + atMs * (1 + 40e-6)
      return found ? [{ frame: found.frame, atShowMs: show }] : []
    })
  }
}

t.test('a position is told ahead, with the show time at which the tape comes to it', async t => {
  const bench = new Bench({ in: { kind: 'artnet' } }, ['10:00:01:00', '10:00:02:00'])
  await bench.service.start()
  bench.play(HOUR_10, 100)
  await bench.clock.advance(4_000)
  t.same(
    bench.passed.map(({ position, atMs }) => [position, Math.round(atMs * 10) / 10]),
    [
      ['10:00:01:00', 1000],
      ['10:00:02:00', 2000.1],
    ],
  )
  for (const { atMs, heardMs } of bench.passed) t.ok(atMs - heardMs >= 190, `${atMs - heardMs}`)
  await bench.service.stop()
})

t.test('latency of the source is taken off', async t => {
  const bench = new Bench({ in: { kind: 'artnet', latencyMs: 25 } }, ['10:00:01:00'])
  await bench.service.start()
  bench.play(HOUR_10, 50)
  await bench.clock.advance(2_000)
  t.equal(Math.round(bench.passed[0]?.atMs ?? 0), 975)
  await bench.service.stop()
})

t.test('a position is passed on the flywheel too, and not after it', async t => {
  for (const [flywheelMs, count] of [
    [2_000, 1],
    [100, 0],
  ] as const) {
    const bench = new Bench({ in: { kind: 'artnet', flywheelMs } }, ['10:00:02:00'])
    await bench.service.start()
    bench.play(HOUR_10, 25)
    await bench.clock.advance(3_000)
    t.equal(bench.passed.length, count, `${flywheelMs}`)
    await bench.service.stop()
  }
})

t.test('state tells the source, where it is, and what became of it', async t => {
  const bench = new Bench({ in: { kind: 'artnet', flywheelMs: 1_000 } })
  await bench.service.start()
  t.match(bench.state, { source: 'artnet', state: 'none', position: null, isRunning: false })
  bench.play(HOUR_10, 100)
  await bench.clock.advance(3_000)
  t.match(bench.state, { state: 'locked', isRunning: true, rate: '25', lostCount: 0 })
  t.match(bench.state?.position, /^10:00:0[23]:\d\d$/)
  t.ok(Math.abs((bench.state?.speed ?? 0) - 1) < 1e-6)
  await bench.clock.advance(2_000)
  t.match(bench.state, { state: 'flywheel', isRunning: true })
  await bench.clock.advance(1_000)
  t.match(bench.state, { state: 'lost', isRunning: false, lostCount: 1, position: null })
  t.same(
    bench.log.lines.flatMap(({ event, facts }) =>
      event === 'timecode.state' ? [facts['state']] : [],
    ),
    ['locking', 'locked', 'flywheel', 'lost'],
  )
  await bench.service.stop()
})

t.test('who is not the sender that was named is not followed', async t => {
  const bench = new Bench({ in: { kind: 'artnet', from: '10.0.0.9' } })
  await bench.service.start()
  bench.play(HOUR_10, 25)
  await bench.clock.advance(1_000)
  t.equal(bench.state?.state, 'none')
  await bench.service.stop()
})

t.test('the time of day leaves frame by frame, each when it begins', async t => {
  for (const rate of ['24', '25', '29.97df', '30'] as const) {
    const bench = new Bench({ out: [{ kind: 'artnet', rate, offset: '01:00:00:00' }] })
    await bench.service.start()
    await bench.clock.advance(10_000)
    const { sent } = bench
    t.equal(sent.length, Math.floor(10_000.4 / frameMs(rate)), rate)
    const first = sent[0]
    for (const [index, { frame, atShowMs }] of sent.entries()) {
      t.equal(frame, (first?.frame ?? 0) + index)
      const dueMs = (first?.atShowMs ?? 0) + index * frameMs(rate)
      if (Math.abs(atShowMs - dueMs) > 0.1) t.fail(`frame ${index} at ${atShowMs}, due ${dueMs}`)
    }
    await bench.service.stop()
  }
})

t.test('timecode of an armed show begins at its offset and goes on after a restart', async t => {
  const config = { out: [{ kind: 'artnet', rate: '25', runs: 'armed', offset: '10:00:00:00' }] }
  const files = new SimulatedFiles()
  const bench = new Bench(config, [], files)
  await bench.service.start()
  await bench.clock.advance(1_000)
  t.same(bench.sent, [])
  arm(bench.bus, true)
  await bench.clock.advance(1_020)
  t.same([bench.sent[0]?.frame, bench.sent.length], [HOUR_10 + 1, 25])
  await bench.service.stop()
  const again = new Bench(config, [], files)
  await again.clock.advance(5_000)
  await again.service.start()
  arm(again.bus, true)
  await again.clock.advance(100)
  t.equal(again.sent[0]?.frame, HOUR_10 + 101)
  arm(again.bus, false)
  const count = again.sent.length
  await again.clock.advance(1_000)
  t.equal(again.sent.length, count)
  await again.service.stop()
})

t.test('timecode of an armed show goes on as the show does when the timeline is set', async t => {
  for (const byMs of [-3_600_000, 3_600_000]) {
    const out = [{ kind: 'artnet', rate: '25', runs: 'armed', offset: '10:00:00:00' }]
    const bench = new Bench({ out })
    await bench.service.start()
    arm(bench.bus, true)
    await bench.clock.advance(1_010)
    stepShow(bench.clock, byMs)
    bench.bus.publish('clock/stepped', { byMs })
    await bench.clock.advance(1_010)
    const last = bench.sent.at(-1)?.frame ?? 0
    t.ok(Math.abs(last - (HOUR_10 + 50)) <= 1, `${last - HOUR_10} frames in two seconds, ${byMs}`)
    t.ok(bench.sent.length >= 49, `${bench.sent.length} were sent`)
    await bench.service.stop()
  }
})

t.test('MIDI timecode is followed between its frames, and a cue at a position is told', async t => {
  const device = '/dev/snd/midiC1D0'
  const bench = new Bench({ in: { kind: 'mtc', device } }, ['10:00:01:00'])
  await bench.service.start()
  await bench.clock.advance(10)
  const far = bench.links.midiPort(device)
  const now = bench.clock.monotonicMs()
  for (let quarter = 0; quarter < 400; quarter++)
    bench.clock.runAt(after(now, quarter * 10), () =>
      far.receive(quarterFrame(HOUR_10 + quarter / 4, '25')),
    )
  await bench.clock.advance(3_900)
  t.match(bench.state, { source: 'mtc', state: 'locked', rate: '25' })
  t.equal(bench.passed.length, 1)
  t.ok(Math.abs((bench.passed[0]?.atMs ?? 0) - 1_010) < 1, `${bench.passed[0]?.atMs}`)
  await bench.service.stop()
})

t.test(
  'MIDI timecode that is sent can be followed: a full message first, then quarters',
  async t => {
    const device = '/dev/snd/midiC1D0'
    const bench = new Bench({ out: [{ kind: 'mtc', device, rate: '30', offset: '02:00:00:00' }] })
    const far = bench.links.midiPort(device)
    const heard: MtcHeard[] = []
    const reader = new MtcReader()
    far.sent.listen(bytes => heard.push(...reader.read(bytes, bench.clock.monotonicMs())))
    await bench.service.start()
    await bench.clock.advance(2_000)
    t.equal(heard[0]?.kind, 'located')
    const running = heard.filter(({ kind }) => kind === 'running')
    t.ok(running.length > 200, `${running.length}`)
    for (const { sighting } of running) {
      const show = SHOW_START_MS + sighting.at * (1 + 40e-6)
      const due = ((show % 86_400_000) / 1_000) * 30 + 2 * 3600 * 30
      if (Math.abs(sighting.frame - due) > 0.01) t.fail(`${sighting.frame}, should be ${due}`)
    }
    await bench.service.stop()
  },
)

t.test('linear timecode is followed, its rate found, and a lost card opened again', async t => {
  const bench = new Bench({ in: { kind: 'ltc' } }, ['10:00:03:00'])
  const { sound } = bench.links
  sound.isAbsent = true
  await bench.service.start()
  await bench.clock.advance(600)
  t.match(bench.state?.trouble, /no such sound card/)
  sound.isAbsent = false
  await bench.clock.advance(2_000)
  t.equal(bench.state?.trouble, null)
  const form = { rate: '25', sampleRate: 48_000 } as const
  const beganMs = bench.clock.monotonicMs()
  for (let frame = 0; frame < 100; frame++) {
    await bench.clock.advance(40)
    sound.hear({ samples: ltcSamples(HOUR_10 + frame, form), at: bench.clock.monotonicMs() })
  }
  t.match(bench.state, { source: 'ltc', state: 'locked', rate: '25' })
  t.ok(Math.abs((bench.passed[0]?.atMs ?? 0) - (beganMs + 3_000) * (1 + 40e-6)) < 0.5)
  sound.unplug()
  await bench.clock.advance(600)
  t.match(bench.state?.trouble, /is gone/)
  await bench.service.stop()
})

t.test('linear timecode is played on the card that box.json names, and told of', async t => {
  const bench = new Bench({ out: [{ kind: 'ltc', rate: '25', offset: '01:00:00:00' }] })
  const decoder = new LtcDecoder(bench.links.soundCard.rate)
  const heard: number[] = []
  bench.links.soundCard.onSample = sample => void heard.push(Math.round(sample * 32_767))
  await bench.service.start()
  await bench.clock.advance(6_000)
  t.match(bench.state?.outputs, [{ kind: 'ltc', rate: '25', trouble: null }])
  t.match(bench.state?.outputs[0]?.position, /^21:00:0[56]:/)
  await bench.service.stop()
  const frames = decoder.read(Int16Array.from(heard))
  t.ok(frames.length > 50, `${frames.length} frames`)
  t.match(frames[0]?.label, { hours: 21, minutes: 0 })
})

t.test('a box does not follow what it sends to everybody itself', async t => {
  t.throws(
    () => new Bench({ in: { kind: 'artnet' }, out: [{ kind: 'artnet', rate: '25' }] }),
    /follow itself/,
  )
  t.throws(
    () => new Bench({ out: [{ kind: 'artnet', rate: '25', offset: '01:00:00:27' }] }),
    /no frame at this rate/,
  )
})

t.test('a source that jumps about and is lost all the time does not fill the log', async t => {
  const bench = new Bench({ in: { kind: 'artnet', flywheelMs: 0 } }, ['10:00:00:29'])
  await bench.service.start()
  for (let round = 0; round < 1_000; round++) {
    bench.play(HOUR_10, 5, '25')
    await bench.clock.advance(200)
    bench.play(HOUR_10, 5, '30')
    await bench.clock.advance(200)
    bench.play(HOUR_10 + 7_777, 4, '30')
    await bench.clock.advance(round % 2 === 0 ? 150 : 400)
  }
  const count = bench.log.lines.length
  t.ok(count > 20 && count < 150, `${count} lines in ten minutes`)
  const leftOut = bench.log.lines.reduce((sum, { facts }) => sum + Number(facts['leftOut'] ?? 0), 0)
  t.ok(leftOut > 1_000, `${leftOut} others are counted`)
  await bench.service.stop()
})
