/**
 * Goal: beats and linear timecode are heard through ALSA's own player. Method: aplay writes what it is given to a file
 * instead of a card, and the file holds clicks where the beats are, and timecode that libltc reads. How long a card holds
 * them is not seen here: there is none.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Aplay } from '../../drivers/linux/aplay.js'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { changed } from '../../runtime/core/beat-grid.js'
import { Bus } from '../../runtime/core/bus.js'
import { after } from '../../runtime/core/time.js'
import { frameOfLabel, readLabel } from '../../runtime/core/timecode.js'
import { Click } from '../../runtime/services/tempo/click.js'
import { LtcSender } from '../../runtime/services/timecode/ltc-sender.js'
import type { Messages } from '../../runtime/topics.js'
import { Libltc } from './libltc.js'
import { skipWithout } from './peer.js'

const BPM = 240
const RATE = 48_000
const SECONDS = 8
const FRAME_BYTES = 8
const LOUD = 0.05
/** Of the stream: what was fed to a player that takes everything is a thousandth faster than time. */
const SPACING_SHARE_MAX = 0.004

const needs = skipWithout('aplay')
const missing = Libltc.missing()
const needsBoth = missing === null ? needs : { skip: missing }
const clock = new LinuxClock(ownAnchor())
const pause = (ms: number): Promise<void> =>
  new Promise(resolve => void clock.runAt(after(clock.monotonicMs(), ms), resolve))

/** The frames at which sound follows on silence. */
function onsetsIn(bytes: Buffer): number[] {
  const onsets: number[] = []
  let last = Number.NEGATIVE_INFINITY
  for (let frame = 0; (frame + 1) * FRAME_BYTES <= bytes.length; frame++) {
    const level = Math.abs(bytes.readInt32LE(frame * FRAME_BYTES)) / 0x7fff_ffff
    if (level < LOUD) continue
    if (frame - last > 0.05 * RATE) onsets.push(frame)
    last = frame
  }
  return onsets
}

function frameOfText(text: string): number {
  const label = readLabel(text)
  return (label && frameOfLabel(label, '25')) ?? Number.NaN
}

t.test('aplay is given a click for each beat, as far apart as the beats', needs, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'heard.raw')
  const bus = new Bus<Messages>()
  const log = new SimulatedLog()
  const click = new Click(clock, log, bus, new Aplay(clock, `file:${file},raw`), {
    volume: 0.5,
    latencyMs: 0,
  })
  await click.start()
  t.teardown(() => click.stop())
  const grid = changed(null, { bpm: BPM, beatsPerBar: 4, isRestart: true }, clock.showTimeMs())
  bus.publish('tempo/state', { pieces: [{ fromMs: grid.fromMs, grid }] })
  await pause(SECONDS * 1_000)
  await click.stop()
  t.same(log.events(), ['tempo.sound'])
  const onsets = onsetsIn(readFileSync(file))
  t.ok(onsets.length >= 8, `${onsets.length} clicks`)
  const beat = (60 * RATE) / BPM
  const spacings = onsets.slice(1).map((onset, index) => onset - (onsets[index] ?? 0))
  const good = spacings.filter(spacing => Math.abs(spacing - beat) < SPACING_SHARE_MAX * beat)
  // A machine that stood still has a gap where the stream begins anew.
  t.ok(good.length >= spacings.length - 2, `${good.length} of ${spacings.length} are a beat apart`)
})

/** The left channel in 16 bits. */
function leftOf(bytes: Buffer): Uint8Array {
  const samples = new Int16Array(Math.floor(bytes.length / FRAME_BYTES))
  for (const index of samples.keys()) samples[index] = bytes.readInt32LE(index * FRAME_BYTES) >> 16
  return new Uint8Array(samples.buffer)
}

t.test('libltc reads every frame of the timecode that aplay is given', needsBoth, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'heard.raw')
  const sender = new LtcSender(clock, new SimulatedLog(), new Aplay(clock, `file:${file},raw`), {
    kind: 'ltc',
    device: 'default',
    rate: '25',
    runs: 'armed',
    offset: '10:00:00:00',
    volume: 0.5,
    latencyMs: 0,
  })
  sender.setArmed(clock.showTimeMs())
  sender.start()
  await pause(SECONDS * 1_000)
  await sender.stop()
  const found = new Libltc(folder).decode(leftOf(readFileSync(file)), RATE, 25)
  // Three seconds, less what a busy machine takes to start aplay.
  t.ok(found.length >= 25, `${found.length} frames`)
  const frames = found.map(({ text }) => frameOfText(text))
  const lengths = found.slice(1).map(({ fromSample }, index) => ({
    samples: fromSample - (found[index]?.fromSample ?? 0),
    frames: (frames[index + 1] ?? 0) - (frames[index] ?? 0),
  }))
  const good = lengths.filter(
    ({ samples, frames: count }) => count === 1 && Math.abs(samples / (RATE / 25) - 1) < 0.02,
  )
  // A machine that stood still has a gap where the stream begins anew.
  t.ok(good.length >= lengths.length - 4, `${good.length} of ${lengths.length} follow each other`)
  t.ok((frames[0] ?? 0) >= 10 * 3_600 * 25 && (frames[0] ?? 0) < (10 * 3_600 + SECONDS) * 25)
})

t.test('a player that does not start says why', needs, async t => {
  const sound = new Aplay(clock, 'nosuchcard')
  await t.rejects(sound.start(), { code: 'device.absent', message: /nosuchcard/ })
  await sound.stop()
})

t.test('a player that ends is told once, and can be started again', needs, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const sound = new Aplay(clock, `file:${join(folder, 'heard.raw')},raw`)
  const losses: Error[] = []
  sound.onLost(why => void losses.push(why))
  await sound.start()
  t.ok(sound.write(new Float32Array(480)) > 0)
  const pid = sound.pid
  t.ok(pid !== null)
  if (pid !== null) process.kill(pid, 'SIGKILL')
  for (let wait = 0; wait < 200 && losses.length === 0; wait++) await pause(20)
  t.match(losses, [{ code: 'device.absent' }])
  t.equal(sound.write(new Float32Array(480)), 0, 'takes nothing')
  await sound.start()
  t.ok(sound.write(new Float32Array(480)) > 0)
  await sound.stop()
})
