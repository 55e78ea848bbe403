/** The data of a QR code, model 2 (ISO/IEC 18004): which version holds it, and its codewords with their correction. */
import { BoxError } from './errors.js'

export type ErrorCorrection = 'low' | 'medium' | 'quartile' | 'high'

export interface QrCodewords {
  /** 1..40 */
  readonly version: number
  /** Blocks interleaved, data first, as they stand in the symbol. */
  readonly bytes: Uint8Array
}

interface Level {
  /** Codewords of correction in each block, by version. */
  readonly perBlock: readonly number[]
  readonly blocks: readonly number[]
}

/** ISO/IEC 18004, table 9. */
const levels: Readonly<Record<ErrorCorrection, Level>> = {
  low: {
    perBlock: [
      ...[7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28],
      ...[28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    ],
    blocks: [
      ...[1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8],
      ...[8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25],
    ],
  },
  medium: {
    perBlock: [
      ...[10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26],
      ...[26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28],
    ],
    blocks: [
      ...[1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16],
      ...[17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49],
    ],
  },
  quartile: {
    perBlock: [
      ...[13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30],
      ...[28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    ],
    blocks: [
      ...[1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20],
      ...[23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68],
    ],
  },
  high: {
    perBlock: [
      ...[17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28],
      ...[30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    ],
    blocks: [
      ...[1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25],
      ...[25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81],
    ],
  },
}

const VERSION_MAX = 40
const ALPHANUMERIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'

interface Mode {
  readonly indicator: number
  /** Bits of the count, for versions 1 to 9, 10 to 26 and 27 to 40. */
  readonly countBits: readonly [number, number, number]
}

const modes = {
  numeric: { indicator: 1, countBits: [10, 12, 14] },
  alphanumeric: { indicator: 2, countBits: [9, 11, 13] },
  byte: { indicator: 4, countBits: [8, 16, 16] },
} as const satisfies Record<string, Mode>

/** ECI 26, UTF-8 (AIM ITS/04-023): without it readers guess, and one takes accents for Japanese. */
const UTF_8 = { indicator: 7, value: 26, bits: 12 } as const

interface Segment {
  /** Says in what the letters are written. */
  readonly isUtf8: boolean
  readonly mode: Mode
  /** Letters, or bytes. */
  readonly count: number
  readonly bits: Bits
}

/** Ones and zeros in the order in which they stand in the symbol. */
class Bits {
  readonly values: number[] = []

  push(value: number, length: number): void {
    for (let bit = length - 1; bit >= 0; bit--) this.values.push((value >>> bit) & 1)
  }
}

/**
 * In one mode, the densest that has all letters; the smallest version that holds it.
 * @throws BoxError `ticket.invalid` for more than version 40 holds
 */
export function qrCodewords(content: string, correction: ErrorCorrection): QrCodewords {
  const segment = segmentOf(content)
  for (let version = 1; version <= VERSION_MAX; version++) {
    const capacity = dataBytes(version, correction)
    if (headerBits(segment, version) + segment.bits.values.length <= capacity * 8)
      return {
        version,
        bytes: interleaved(padded(segment, version, capacity), version, correction),
      }
  }
  throw new BoxError('ticket.invalid', 'this is more than a QR code holds')
}

function segmentOf(content: string): Segment {
  const bits = new Bits()
  if (/^\d+$/.test(content)) {
    for (const digits of content.match(/\d{1,3}/g) ?? [])
      bits.push(Number(digits), 1 + 3 * digits.length)
    return { isUtf8: false, mode: modes.numeric, count: content.length, bits }
  }
  if ([...content].every(letter => ALPHANUMERIC.includes(letter))) {
    const value = (letter: string): number => ALPHANUMERIC.indexOf(letter)
    for (let at = 0; at + 1 < content.length; at += 2)
      bits.push(value(content.charAt(at)) * 45 + value(content.charAt(at + 1)), 11)
    if (content.length % 2 === 1) bits.push(value(content.charAt(content.length - 1)), 6)
    return { isUtf8: false, mode: modes.alphanumeric, count: content.length, bits }
  }
  const bytes = new TextEncoder().encode(content)
  for (const byte of bytes) bits.push(byte, 8)
  return { isUtf8: bytes.length > content.length, mode: modes.byte, count: bytes.length, bits }
}

const countBits = ({ countBits: [few, some, many] }: Mode, version: number): number =>
  version < 10 ? few : version < 27 ? some : many

const headerBits = ({ isUtf8, mode }: Segment, version: number): number =>
  (isUtf8 ? UTF_8.bits : 0) + 4 + countBits(mode, version)

/** Terminator, zeros up to a byte, and the two pad codewords in turn. */
function padded(
  { isUtf8, mode, count, bits }: Segment,
  version: number,
  capacity: number,
): Uint8Array {
  const all = new Bits()
  if (isUtf8) all.push((UTF_8.indicator << 8) | UTF_8.value, UTF_8.bits)
  all.push(mode.indicator, 4)
  all.push(count, countBits(mode, version))
  all.values.push(...bits.values)
  all.push(0, Math.min(4, capacity * 8 - all.values.length))
  const data = new Uint8Array(capacity)
  for (const [at, bit] of all.values.entries())
    data[at >> 3] = (data[at >> 3] ?? 0) | (bit << (7 - (at & 7)))
  const used = Math.ceil(all.values.length / 8)
  for (let at = used; at < capacity; at++) data[at] = (at - used) % 2 === 0 ? 0xec : 0x11
  return data
}

/** Modules that are neither finder, timing, alignment, format nor version, as whole bytes. */
function symbolBytes(version: number): number {
  let modules = (16 * version + 128) * version + 64
  if (version >= 2) {
    const aligned = Math.floor(version / 7) + 2
    modules -= (25 * aligned - 10) * aligned - 55
  }
  if (version >= 7) modules -= 36
  return Math.floor(modules / 8)
}

const blockCount = (version: number, correction: ErrorCorrection): number =>
  levels[correction].blocks[version - 1] ?? 0

const correctionBytes = (version: number, correction: ErrorCorrection): number =>
  levels[correction].perBlock[version - 1] ?? 0

const dataBytes = (version: number, correction: ErrorCorrection): number =>
  symbolBytes(version) - correctionBytes(version, correction) * blockCount(version, correction)

/** Short blocks first; then byte by byte through all of them, data and then correction. */
function interleaved(data: Uint8Array, version: number, correction: ErrorCorrection): Uint8Array {
  const count = blockCount(version, correction)
  const divisor = reedSolomonDivisor(correctionBytes(version, correction))
  const shortLength = Math.floor(data.length / count)
  const shortCount = count - (data.length % count)
  const blocks: Uint8Array[] = []
  for (let at = 0, index = 0; index < count; index++) {
    const length = shortLength + (index < shortCount ? 0 : 1)
    blocks.push(data.subarray(at, at + length))
    at += length
  }
  const corrections = blocks.map(block => reedSolomonRemainder(block, divisor))
  const columns = (rows: readonly Uint8Array[], width: number): number[] =>
    Array.from({ length: width }, (_, column) =>
      rows.flatMap(row => (column < row.length ? [row[column] ?? 0] : [])),
    ).flat()
  return Uint8Array.from([
    ...columns(blocks, shortLength + 1),
    ...columns(corrections, divisor.length),
  ])
}

/** In GF(256) modulo x⁸ + x⁴ + x³ + x² + 1. */
function times(a: number, b: number): number {
  let product = 0
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d)
    product ^= ((b >>> bit) & 1) * a
  }
  return product
}

/** Coefficients of (x - 1)(x - 2)(x - 4)…, the highest one left out. */
function reedSolomonDivisor(degree: number): Uint8Array {
  const divisor = new Uint8Array(degree)
  divisor[degree - 1] = 1
  for (let root = 1, step = 0; step < degree; step++, root = times(root, 2))
    for (let at = 0; at < degree; at++)
      divisor[at] = times(divisor[at] ?? 0, root) ^ (divisor[at + 1] ?? 0)
  return divisor
}

function reedSolomonRemainder(data: Uint8Array, divisor: Uint8Array): Uint8Array {
  const remainder = new Uint8Array(divisor.length)
  for (const byte of data) {
    const factor = byte ^ (remainder[0] ?? 0)
    remainder.copyWithin(0, 1)
    remainder[remainder.length - 1] = 0
    for (const [at, coefficient] of divisor.entries())
      remainder[at] = (remainder[at] ?? 0) ^ times(coefficient, factor)
  }
  return remainder
}
