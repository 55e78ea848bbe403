/** The 80 bits of a frame of linear timecode, SMPTE ST 12-1 section 9. Pure. */
import {
  frameOfLabel,
  isDropFrame,
  labelOf,
  type TimecodeLabel,
  type TimecodeRate,
} from '../../core/timecode.js'

export const LTC_BITS = 80
/** Bits 64 to 79, the first one first. */
export const SYNC_WORD = [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1] as const
const DATA_BITS = LTC_BITS - SYNC_WORD.length
const DROP_FRAME_BIT = 10
/** Makes the number of zeros even, so that each frame begins with the same polarity. */
const polarityBit = (rate: TimecodeRate): number => (rate === '25' ? 59 : 27)

/** Digits of the label: where each begins, and how many bits it has, the lowest first. */
const digits = [
  { part: 'frames', units: [0, 4], tens: [8, 2] },
  { part: 'seconds', units: [16, 4], tens: [24, 3] },
  { part: 'minutes', units: [32, 4], tens: [40, 3] },
  { part: 'hours', units: [48, 4], tens: [56, 2] },
] as const

export function ltcWord(frame: number, rate: TimecodeRate): Uint8Array {
  const bits = new Uint8Array(LTC_BITS)
  const label = labelOf(frame, rate)
  for (const { part, units, tens } of digits) {
    put(bits, units, label[part] % 10)
    put(bits, tens, Math.floor(label[part] / 10))
  }
  if (isDropFrame(rate)) bits[DROP_FRAME_BIT] = 1
  bits.set(SYNC_WORD, DATA_BITS)
  const ones = bits.reduce((sum, bit) => sum + bit, 0)
  bits[polarityBit(rate)] = ones % 2
  return bits
}

export interface LtcLabel extends TimecodeLabel {
  readonly isDropFrame: boolean
}

/** Null for digits that are none, or a label that there is not at any rate. @param bits at least the first 64 */
export function readLtcWord(bits: ArrayLike<number>): LtcLabel | null {
  const [frames, seconds, minutes, hours] = digits.map(({ units, tens }) => {
    const [unit, ten] = [get(bits, units), get(bits, tens)]
    return unit > 9 ? Number.NaN : 10 * ten + unit
  })
  const label = {
    hours: hours ?? Number.NaN,
    minutes: minutes ?? Number.NaN,
    seconds: seconds ?? Number.NaN,
    frames: frames ?? Number.NaN,
    isDropFrame: bits[DROP_FRAME_BIT] === 1,
  }
  const isWhole = Object.values(label).every(part => !Number.isNaN(Number(part)))
  return isWhole && frameOfLabel(label, label.isDropFrame ? '29.97df' : '30') !== null
    ? label
    : null
}

type Digit = readonly [first: number, count: number]

function put(bits: Uint8Array, [first, count]: Digit, value: number): void {
  for (let bit = 0; bit < count; bit++) bits[first + bit] = (value >> bit) & 1
}

function get(bits: ArrayLike<number>, [first, count]: Digit): number {
  let value = 0
  for (let bit = 0; bit < count; bit++) value |= (bits[first + bit] ?? 0) << bit
  return value
}
