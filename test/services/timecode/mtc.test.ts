/** MIDI timecode, as it comes on a wire with everything else. */
import fc from 'fast-check'
import t from 'tap'
import { randomFrom } from '../../../runtime/core/random.js'
import { monotonicMs } from '../../../runtime/core/time.js'
import {
  frameMs,
  frameOfLabel,
  framesPerDay,
  type TimecodeRate,
  timecodeRates,
} from '../../../runtime/core/timecode.js'
import {
  fullFrame,
  type MtcHeard,
  MtcReader,
  quarterFrame,
} from '../../../runtime/services/timecode/mtc.js'

const HOUR_10 = 10 * 3600 * 25
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

interface Byte {
  readonly atMs: number
  readonly bytes: Uint8Array
}

/** So many quarter frames from the beginning of a frame on. */
const wire = (rate: TimecodeRate, fromFrame: number, count: number): Byte[] =>
  Array.from({ length: count }, (_, index) => ({
    atMs: (index * frameMs(rate)) / 4,
    bytes: quarterFrame(fromFrame + index / 4, rate),
  }))

const hear = (all: readonly Byte[], reader = new MtcReader()): MtcHeard[] =>
  all.flatMap(({ atMs, bytes }) => reader.read(bytes, monotonicMs(atMs)))

/** How far each is from where the source was, in frames. */
const off = (heard: readonly MtcHeard[], rate: TimecodeRate, fromFrame: number): number =>
  Math.max(
    ...heard.map(({ sighting: { frame, at } }) => Math.abs(frame - fromFrame - at / frameMs(rate))),
  )

t.test('eight quarter frames tell a position, as the specification lays them out', async t => {
  // 23:58:57:23 at 25: rate 01, hours 17h.
  const frame = frameOfLabel({ hours: 23, minutes: 58, seconds: 57, frames: 23 }, '25') ?? 0
  t.equal(
    wire('25', frame, 8)
      .map(({ bytes }) => hex(bytes))
      .join(' '),
    'f107 f111 f129 f133 f14a f153 f167 f173',
  )
  t.equal(hex(fullFrame(frame, '25')), 'f07f7f0101373a3917f7')
})

t.test('a source is where it was when the first piece came, and two frames further', async t => {
  for (const rate of timecodeRates) {
    const heard = hear(wire(rate, 1000, 40))
    // The first seven pieces tell nothing yet; from the eighth on each one does.
    t.equal(heard.length, 33, rate)
    t.ok(off(heard, rate, 1000) < 1e-6, `${rate} ${off(heard, rate, 1000)}`)
    t.ok(heard.every(({ sighting }) => sighting.rate === rate))
  }
})

t.test('who begins to listen in the middle knows after the next whole telling', async t => {
  for (let skipped = 0; skipped < 8; skipped++) {
    const heard = hear(wire('30', 500, 40).slice(skipped))
    t.ok(heard.length >= 40 - skipped - 15, `${skipped}`)
    t.ok(off(heard, '30', 500) < 1e-6, `${skipped}`)
  }
})

t.test('clock bytes in between, notes and foreign messages change nothing', async t => {
  const random = randomFrom(2)
  const noise = [
    [0x90, 60, 100, 60, 0],
    [0xf0, 0x7e, 1, 2, 3, 0xf7],
    [0xf2, 1, 2],
    [0xc0, 5],
  ]
  const messy = wire('25', HOUR_10, 400).map(({ atMs, bytes: [status = 0, value = 0] }) => ({
    atMs,
    bytes: Uint8Array.of(
      ...(noise[Math.floor(random() * 6)] ?? []),
      ...(random() < 0.5 ? [0xf8] : []),
      status,
      ...(random() < 0.5 ? [0xfe, 0xf8] : []),
      value,
    ),
  }))
  const heard = hear(messy)
  t.equal(heard.length, 393)
  t.ok(off(heard, '25', HOUR_10) < 1e-6)
})

t.test('the bytes may come in any portions', async t => {
  const all = Uint8Array.from(wire('25', HOUR_10, 80).flatMap(({ bytes }) => [...bytes]))
  const last = (size: number): number | undefined => {
    const reader = new MtcReader()
    const heard: MtcHeard[] = []
    for (let at = 0; at < all.length; at += size)
      heard.push(...reader.read(all.subarray(at, at + size), monotonicMs(0)))
    return heard.at(-1)?.sighting.frame
  }
  for (const size of [1, 2, 3, 7, 160]) t.equal(last(size), HOUR_10 + 79 / 4, `${size}`)
})

t.test('a lost piece costs a telling, and no wrong position', async t => {
  for (let lost = 8; lost < 24; lost++) {
    const heard = hear(wire('25', HOUR_10, 80).filter((_, index) => index !== lost))
    t.ok(off(heard, '25', HOUR_10) < 1e-6, `${lost}`)
    t.ok(heard.length >= 55, `${lost} ${heard.length}`)
  }
})

t.test('a full message tells a place, and that nothing runs there yet', async t => {
  const heard = hear([
    ...wire('25', 100, 16),
    { atMs: 200, bytes: fullFrame(HOUR_10, '25') },
    ...wire('25', HOUR_10, 7).map(({ atMs, bytes }) => ({ atMs: atMs + 300, bytes })),
  ])
  t.match(heard.at(-1), { kind: 'located', sighting: { frame: HOUR_10, rate: '25' } })
})

t.test('a source that goes backwards is told as such', async t => {
  const back = wire('25', HOUR_10, 80)
    .map(({ bytes }) => bytes)
    .reverse()
    .map((bytes, index) => ({ atMs: index * 10, bytes }))
  const heard = hear(back)
  t.ok(heard.length > 60)
  t.ok(heard.every(({ isReverse }) => isReverse))
  const frames = heard.map(({ sighting }) => sighting.frame)
  t.same(
    frames,
    [...frames].sort((a, b) => b - a),
  )
})

t.test('whatever bytes come, every position is one of a day', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constant(0xf1))), all =>
        hear([{ atMs: 0, bytes: Uint8Array.from(all) }]).every(
          ({ sighting: { frame, rate } }) => frame >= 0 && frame < framesPerDay(rate),
        ),
      ),
      { numRuns: 1_000 },
    ),
  )
})
