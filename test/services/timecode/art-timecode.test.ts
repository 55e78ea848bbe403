import fc from 'fast-check'
import t from 'tap'
import { framesPerDay, timecodeRates } from '../../../runtime/core/timecode.js'
import {
  readArtTimeCode,
  writeArtTimeCode,
} from '../../../runtime/services/timecode/art-timecode.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

t.test('a packet is as Art-Net 4 lays it out, field by field', async t => {
  // 10:11:12:13 at 25 frames: id, opcode low byte first, version 14, filler, stream, then frames before hours, type.
  const frame = ((10 * 60 + 11) * 60 + 12) * 25 + 13
  t.equal(hex(writeArtTimeCode(frame, '25')), '4172742d4e6574000097000e00000d0c0b0a01')
})

t.test('what was written is read as it was', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc
          .constantFrom(...timecodeRates)
          .chain(rate =>
            fc.tuple(fc.constant(rate), fc.integer({ min: 0, max: framesPerDay(rate) - 1 })),
          ),
        ([rate, frame]) => {
          const found = readArtTimeCode(writeArtTimeCode(frame, rate))
          return found?.frame === frame && found.rate === rate
        },
      ),
    ),
  )
})

t.test('whatever comes is a timecode or none, and harms nobody', async t => {
  const good = writeArtTimeCode(1, '25')
  t.doesNotThrow(() => {
    fc.assert(
      fc.property(fc.uint8Array({ max: 64 }), bytes => {
        readArtTimeCode(bytes)
        const spoilt = Uint8Array.of(...good.subarray(0, 12), ...bytes)
        const found = readArtTimeCode(spoilt)
        return found === null || (found.frame >= 0 && found.frame < framesPerDay(found.rate))
      }),
    )
  })
  const with_ = (index: number, value: number) =>
    good.map((byte, at) => (at === index ? value : byte))
  for (const [why, bytes] of [
    ['short', good.subarray(0, 18)],
    ['another opcode', with_(9, 0x50)],
    ['an old version', with_(11, 13)],
    ['another stream', with_(13, 1)],
    ['25 frames at 25', with_(14, 25)],
    ['an hour that is none', with_(17, 24)],
    ['a rate that is none', with_(18, 4)],
  ] as const)
    t.equal(readArtTimeCode(bytes), null, why)
})

t.test('a label that drop-frame counting leaves out means the next one', async t => {
  const bytes = writeArtTimeCode(1800, '29.97df')
  t.equal(readArtTimeCode(bytes.map((byte, at) => (at === 14 ? 0 : byte)))?.frame, 1800)
})
