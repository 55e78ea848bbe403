/**
 * Goal: beats are heard through ALSA's own player. Method: aplay writes what it is given to a file instead of a card, and
 * the file holds clicks where the beats are. How long a card holds them is not seen here: there is none.
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
import { Click } from '../../runtime/services/tempo/click.js'
import type { Messages } from '../../runtime/topics.js'
import { skipWithout } from './peer.js'

const BPM = 240
const RATE = 48_000
const SECONDS = 8
const FRAME_BYTES = 8
const LOUD = 0.05
/** Of the stream: what was fed to a player that takes everything is a thousandth faster than time. */
const SPACING_SHARE_MAX = 0.004

const needs = skipWithout('aplay')
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
