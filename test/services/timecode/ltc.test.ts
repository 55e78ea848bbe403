/** What is encoded is decoded, through everything that a cable and a tape do to it. */
import fc from 'fast-check'
import t from 'tap'
import { randomFrom } from '../../../runtime/core/random.js'
import {
  frameOfLabel,
  framesPerDay,
  type TimecodeRate,
  timecodeRates,
} from '../../../runtime/core/timecode.js'
import { LtcDecoder, type LtcFrame } from '../../../runtime/services/timecode/ltc-decode.js'
import { ltcSamples, sampleOfFrame } from '../../../runtime/services/timecode/ltc-encode.js'
import { ltcWord, readLtcWord } from '../../../runtime/services/timecode/ltc-word.js'

const SAMPLE_RATES = [44_100, 48_000, 96_000]

function tape(rate: TimecodeRate, sampleRate: number, fromFrame: number, count: number): number[] {
  const form = { rate, sampleRate }
  return Array.from({ length: count }, (_, index) => [
    ...ltcSamples(fromFrame + index, form),
  ]).flat()
}

/** The same at another speed, by the straight line between samples. */
function atSpeed(samples: readonly number[], speed: number): number[] {
  return Array.from({ length: Math.floor((samples.length - 1) / speed) }, (_, index) => {
    const at = index * speed
    const [a = 0, b = 0] = samples.slice(Math.floor(at), Math.floor(at) + 2)
    return a + (b - a) * (at - Math.floor(at))
  })
}

function decode(samples: readonly number[], sampleRate: number, blockLength = 1024): LtcFrame[] {
  const decoder = new LtcDecoder(sampleRate)
  const found: LtcFrame[] = []
  for (let from = 0; from < samples.length; from += blockLength)
    found.push(...decoder.read(Int16Array.from(samples.slice(from, from + blockLength))))
  return found
}

const numbers = (frames: readonly LtcFrame[], rate: TimecodeRate): (number | null)[] =>
  frames.map(({ label }) => frameOfLabel(label, rate))

const counted = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index)

t.test('a word has the bits of ST 12-1, and an even number of zeros', async t => {
  // 23:59:58:24 at 25 frames.
  const bits = [...ltcWord(24 * 3600 * 25 - 26, '25')].join('')
  t.equal(
    bits.match(/.{8}/g)?.join(' '),
    [
      ...['00100000', '01000000', '00010000', '10100000'],
      ...['10010000', '10100000', '11000000', '01010000'],
      ...['00111111', '11111101'],
    ].join(' '),
  )
  for (const rate of timecodeRates)
    for (const frame of counted(0, 2_000))
      if (ltcWord(frame, rate).filter(bit => bit === 0).length % 2 !== 0) t.fail(`${rate} ${frame}`)
})

t.test(
  'a word is read as it was written, and none that is spoilt is read as what is none',
  async t => {
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(
          fc
            .constantFrom(...timecodeRates)
            .chain(rate =>
              fc.tuple(fc.constant(rate), fc.integer({ min: 0, max: framesPerDay(rate) - 1 })),
            ),
          fc.uint8Array({ minLength: 80, maxLength: 80 }),
          ([rate, frame], noise) => {
            const label = readLtcWord(ltcWord(frame, rate))
            const spoilt = readLtcWord(noise.map(byte => byte & 1))
            return (
              label !== null &&
              frameOfLabel(label, rate) === frame &&
              label.isDropFrame === (rate === '29.97df') &&
              (spoilt === null || (spoilt.hours < 24 && spoilt.minutes < 60 && spoilt.seconds < 60))
            )
          },
        ),
      ),
    )
  },
)

t.test('every rate at every sample rate is read, frame by frame, where it is', async t => {
  for (const rate of timecodeRates)
    for (const sampleRate of SAMPLE_RATES) {
      const from = frameOfLabel({ hours: 10, minutes: 0, seconds: 59, frames: 0 }, rate) ?? 0
      const frames = decode(tape(rate, sampleRate, from, 60), sampleRate)
      // The first may be read on its own; the last ends with the first edge after it.
      const seen = numbers(frames, rate)
      t.same(seen, counted(seen[0] ?? 0, seen.length), `${rate} ${sampleRate}`)
      t.ok(seen.length >= 58, `${rate} ${sampleRate} ${seen.length}`)
      t.ok(offSamples(frames, rate, sampleRate, from) < 1, `${rate} ${sampleRate}`)
    }
})

/** How far the beginnings and ends of frames are from where they were put, at most. */
function offSamples(
  frames: readonly LtcFrame[],
  rate: TimecodeRate,
  sampleRate: number,
  from: number,
): number {
  const start = Math.ceil(sampleOfFrame(from, { rate, sampleRate }))
  const place = (frame: number): number => sampleOfFrame(frame, { rate, sampleRate }) - start
  return Math.max(
    ...frames.flatMap(({ label, fromSample, toSample }) => {
      const frame = frameOfLabel(label, rate) ?? 0
      return [Math.abs(fromSample - place(frame)), Math.abs(toSample - place(frame + 1))]
    }),
  )
}

t.test('samples of frames one after the other are one signal, without a click', async t => {
  const samples = tape('29.97df', 48_000, 0, 300)
  t.equal(samples.length, Math.ceil(sampleOfFrame(300, { rate: '29.97df', sampleRate: 48_000 })))
  t.equal(decode(samples, 48_000, 7).length, decode(samples, 48_000, 100_000).length)
})

t.test('a tape is read from an eighth of its speed to four times of it', async t => {
  for (const speed of [0.125, 0.5, 0.8, 0.9, 1.1, 1.2, 2, 4]) {
    const frames = decode(atSpeed(tape('25', 48_000, 90_000, 40), speed), 48_000)
    const seen = numbers(frames, '25')
    t.same(seen, counted(seen[0] ?? 0, seen.length), `${speed}`)
    t.ok(seen.length >= 34, `${speed}: ${seen.length}`)
  }
})

t.test('a tape that runs backwards is read backwards', async t => {
  for (const rate of timecodeRates) {
    const frames = decode(tape(rate, 48_000, 5_000, 30).reverse(), 48_000)
    t.ok(frames.length >= 27, `${rate} ${frames.length}`)
    t.ok(frames.every(({ isReverse }) => isReverse))
    const seen = numbers(frames, rate).reverse()
    t.same(seen, counted(seen[0] ?? 0, seen.length))
  }
})

t.test('level, polarity, direct current and noise change nothing', async t => {
  const random = randomFrom(7)
  const clean = tape('30', 48_000, 1_000, 60)
  const noisy = (share: number) => clean.map(value => value + (random() - 0.5) * 2 * 16_384 * share)
  for (const [what, samples] of [
    ['quiet', clean.map(value => value / 40)],
    ['turned over', clean.map(value => -value)],
    ['off the middle', clean.map(value => value / 2 + 9_000)],
    ['clipped', clean.map(value => Math.max(-32_768, Math.min(32_767, value * 8)))],
    ['noisy, 14 dB', noisy(0.2)],
    ['fading', clean.map((value, index) => value * (1 - (0.95 * index) / clean.length))],
    ['swelling', clean.map((value, index) => value * (0.02 + (0.98 * index) / clean.length))],
  ] as const) {
    const seen = numbers(decode(samples.map(Math.round), 48_000), '30')
    t.same(seen, counted(seen[0] ?? 0, seen.length), what)
    t.ok(seen.length >= 57, `${what} ${seen.length}`)
  }
})

t.test('a dull cable rounds the edges, and the frames are read', async t => {
  let level = 0
  const dull = tape('25', 48_000, 0, 40).map(value => {
    level += (value - level) * 0.35
    return level
  })
  t.ok(decode(dull, 48_000).length >= 38)
})

t.test('a dull cable with hum and noise on it is read all the same', async t => {
  const random = randomFrom(5)
  let level = 0
  const dull = tape('25', 48_000, 0, 60).map((value, index) => {
    level += (value - level) * 0.25
    return level + 3_000 * Math.sin(index / 152.8) + (random() - 0.5) * 3_000
  })
  t.ok(decode(dull, 48_000).length >= 57, `${decode(dull, 48_000).length}`)
})

t.test('a tape that spins up is read on its way', async t => {
  const samples = tape('25', 48_000, 0, 100)
  const bent: number[] = []
  for (let at = 0; at < samples.length - 1; at += 0.5 + (1.5 * at) / samples.length) {
    const [a = 0, b = 0] = samples.slice(Math.floor(at), Math.floor(at) + 2)
    bent.push(a + (b - a) * (at - Math.floor(at)))
  }
  const seen = numbers(decode(bent, 48_000), '25')
  t.same(seen, counted(seen[0] ?? 0, seen.length))
  t.ok(seen.length >= 95, `${seen.length}`)
})

t.test('a drop-out costs the frames that it hits and one more, no others', async t => {
  const samples = tape('25', 48_000, 0, 50)
  for (let index = 20_000; index < 22_000; index++) samples[index] = 0
  const seen = numbers(decode(samples, 48_000), '25')
  t.ok(seen.length >= 45, `${seen.length}`)
  t.same(
    seen,
    [...seen].sort((a, b) => (a ?? 0) - (b ?? 0)),
  )
})

t.test('noise, music and silence are no timecode', async t => {
  const random = randomFrom(3)
  const noise = Array.from({ length: 480_000 }, () => Math.round((random() - 0.5) * 40_000))
  const chord = Array.from({ length: 480_000 }, (_, index) =>
    Math.round(8_000 * (Math.sin(index / 17) + Math.sin(index / 23.1) + Math.sin(index / 5.3))),
  )
  t.same(decode(noise, 48_000), [])
  t.same(decode(chord, 48_000), [])
  t.same(decode(new Array<number>(48_000).fill(0), 48_000), [])
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.int16Array({ maxLength: 4_000 }), samples => {
        new LtcDecoder(48_000).read(samples)
      }),
    ),
  )
})
