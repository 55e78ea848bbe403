/** What we write, libltc reads; what libltc writes, we read. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  frameOfLabel,
  labelOf,
  labelsPerSecond,
  type TimecodeRate,
  timecodeRates,
  timecodeText,
} from '../../runtime/core/timecode.js'
import { LtcDecoder } from '../../runtime/services/timecode/ltc-decode.js'
import { ltcSamples, sampleOfFrame } from '../../runtime/services/timecode/ltc-encode.js'
import { bytesOf, channelOf } from '../../runtime/services/timecode/wav.js'
import { Libltc } from './libltc.js'

const missing = Libltc.missing()
if (missing !== null && process.env['CI']) throw new Error(missing)
const skip = missing ?? false
const folder = mkdtempSync(join(tmpdir(), 'libltc-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const peer = skip === false ? new Libltc(folder) : null

const COUNT = 150
const nominal: Readonly<Record<TimecodeRate, number>> = {
  '24': 24,
  '25': 25,
  '29.97df': 30_000 / 1001,
  '30': 30,
}
const startOf = (rate: TimecodeRate): number =>
  frameOfLabel({ hours: 10, minutes: 0, seconds: 58, frames: 0 }, rate) ?? 0

function pcm(rate: TimecodeRate, sampleRate: number, isReverse = false): Uint8Array {
  const start = startOf(rate)
  const samples = Array.from({ length: COUNT }, (_, index) => [
    ...ltcSamples(start + index, { rate, sampleRate }),
  ]).flat()
  return bytesOf(Int16Array.from(isReverse ? samples.reverse() : samples))
}

t.test('libltc reads every frame that we write, at its place', { skip }, async t => {
  for (const rate of timecodeRates)
    for (const sampleRate of [44_100, 48_000, 96_000]) {
      const heard = peer?.decode(pcm(rate, sampleRate), sampleRate, nominal[rate]) ?? []
      const start = startOf(rate)
      const first = heard[0]?.text === timecodeText(start, rate) ? 0 : 1
      t.ok(heard.length >= COUNT - 2, `${rate} ${sampleRate}: ${heard.length}`)
      t.same(
        heard.map(({ text }) => text),
        heard.map((_, index) => timecodeText(start + first + index, rate)),
        `${rate} ${sampleRate}`,
      )
      const begin = Math.ceil(sampleOfFrame(start, { rate, sampleRate }))
      const off = heard.map(({ fromSample }, index) =>
        Math.abs(fromSample - (sampleOfFrame(start + first + index, { rate, sampleRate }) - begin)),
      )
      // It counts whole bits, and says "approximately" of its places.
      t.ok(Math.max(...off.slice(2)) < sampleRate / 2_000, `${rate} ${Math.max(...off.slice(2))}`)
    }
})

t.test('libltc reads what we write backwards', { skip }, async t => {
  const heard = peer?.decode(pcm('25', 48_000, true), 48_000, 25) ?? []
  t.ok(heard.length >= COUNT - 4, `${heard.length}`)
  t.ok(heard.every(({ isReverse }) => isReverse))
})

t.test('we read every frame that libltc writes', { skip }, async t => {
  for (const rate of timecodeRates)
    for (const sampleRate of [44_100, 48_000, 96_000]) {
      const start = startOf(rate)
      const { hours, minutes, seconds, frames } = labelOf(start, rate)
      const written = peer?.encode({
        sampleRate,
        framesPerSecond: nominal[rate],
        isDropFrame: rate === '29.97df',
        start: [hours, minutes, seconds, frames],
        count: COUNT,
      })
      const found = new LtcDecoder(sampleRate).read(channelOf(written ?? new Uint8Array(0), 1))
      t.ok(found.length >= COUNT - 2, `${rate} ${sampleRate}: ${found.length}`)
      const numbers = found.map(({ label }) => frameOfLabel(label, rate))
      t.same(
        numbers,
        found.map((_, index) => (numbers[0] ?? 0) + index),
        `${rate} ${sampleRate}`,
      )
      t.ok(Math.max(...found.map(({ label }) => label.frames)) === labelsPerSecond(rate) - 1)
    }
})
