/** A QR code, model 2, as dots (ISO/IEC 18004, clauses 6.3 and 7.7 to 7.10). */
import type { Bitmap } from '../ports/ticket.js'
import { blacken, blank } from './bitmap.js'
import { type ErrorCorrection, qrCodewords } from './qr-codewords.js'

/** @throws BoxError `ticket.invalid` for more than a QR code holds */
export function qrCode(content: string, correction: ErrorCorrection): Bitmap {
  const { version, bytes } = qrCodewords(content, correction)
  const plain = new Matrix(version)
  plain.drawFunctions()
  plain.drawCodewords(bytes)
  const masked = masks.map((isFlipped, mask) => plain.masked(isFlipped, mask, correction))
  const penalties = masked.map(matrix => matrix.penalty())
  const best = masked[penalties.indexOf(Math.min(...penalties))] ?? plain
  return best.bitmap()
}

/** Table 10; by row and column. */
const masks: readonly ((y: number, x: number) => boolean)[] = [
  (y, x) => (y + x) % 2 === 0,
  y => y % 2 === 0,
  (_, x) => x % 3 === 0,
  (y, x) => (y + x) % 3 === 0,
  (y, x) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (y, x) => ((y * x) % 2) + ((y * x) % 3) === 0,
  (y, x) => (((y * x) % 2) + ((y * x) % 3)) % 2 === 0,
  (y, x) => (((y + x) % 2) + ((y * x) % 3)) % 2 === 0,
]

const correctionBits: Readonly<Record<ErrorCorrection, number>> = {
  ...{ low: 1, medium: 0, quartile: 3, high: 2 },
}

/** BCH codes of the format and of the version, with the format's mask. */
const FORMAT_DIVISOR = 0x537
const FORMAT_MASK = 0x5412
const VERSION_DIVISOR = 0x1f25

/** Column and row of each bit of the format beside the first finder. */
const formatPlaces: readonly (readonly [x: number, y: number])[] = [
  ...[0, 1, 2, 3, 4, 5, 7, 8].map(y => [8, y] as const),
  ...[7, 5, 4, 3, 2, 1, 0].map(x => [x, 8] as const),
]

/** One and a half finder patterns with their white, as rule 3 looks for them. */
const FINDER_LIKE = [0b10111010000, 0b00001011101] as const

class Matrix {
  readonly #version: number
  readonly #size: number
  readonly #dark: Uint8Array
  /** What no mask may touch. */
  readonly #fixed: Uint8Array

  constructor(version: number, dark?: Uint8Array, fixed?: Uint8Array) {
    this.#version = version
    this.#size = version * 4 + 17
    this.#dark = dark ?? new Uint8Array(this.#size ** 2)
    this.#fixed = fixed ?? new Uint8Array(this.#size ** 2)
  }

  drawFunctions(): void {
    const far = this.#size - 7
    for (let at = 0; at < this.#size; at++) {
      this.#fix(at, 6, at % 2 === 0)
      this.#fix(6, at, at % 2 === 0)
    }
    this.#drawAlignments()
    for (const [x, y] of [
      [0, 0],
      [far, 0],
      [0, far],
    ] as const)
      this.#drawFinder(x + 3, y + 3)
    this.#drawFormat(0)
    this.#drawVersion()
  }

  drawCodewords(bytes: Uint8Array): void {
    let bit = 0
    for (const at of this.#places())
      if (this.#fixed[at] !== 1) {
        this.#dark[at] = ((bytes[bit >> 3] ?? 0) >>> (7 - (bit & 7))) & 1
        bit++
      }
  }

  /** 7.7.3: two columns at a time, from the right, up and down in turn; the column of the timing is left out. */
  *#places(): Generator<number> {
    for (let pair = 0, right = this.#size - 1; right >= 1; pair++, right -= right === 8 ? 3 : 2)
      for (let step = 0; step < this.#size; step++) {
        const y = pair % 2 === 0 ? this.#size - 1 - step : step
        yield y * this.#size + right
        yield y * this.#size + right - 1
      }
  }

  masked(
    isFlipped: (y: number, x: number) => boolean,
    mask: number,
    correction: ErrorCorrection,
  ): Matrix {
    const dark = this.#dark.slice()
    for (let y = 0, at = 0; y < this.#size; y++)
      for (let x = 0; x < this.#size; x++, at++)
        if (this.#fixed[at] !== 1 && isFlipped(y, x)) dark[at] = (dark[at] ?? 0) ^ 1
    const matrix = new Matrix(this.#version, dark, this.#fixed.slice())
    matrix.#drawFormat((correctionBits[correction] << 3) | mask)
    return matrix
  }

  /** 7.8.3.1: the less, the better it is read. */
  penalty(): number {
    let penalty = 0
    for (let line = 0; line < this.#size; line++)
      penalty += this.#linePenalty(line, this.#size, 1) + this.#linePenalty(line, 1, this.#size)
    const darkCount = this.#dark.reduce((sum, value) => sum + value, 0)
    const percent = (darkCount * 100) / this.#size ** 2
    return penalty + this.#blockPenalty() + Math.floor(Math.abs(percent - 50) / 5) * 10
  }

  bitmap(): Bitmap {
    const bitmap = blank(this.#size, this.#size)
    for (const [at, value] of this.#dark.entries())
      if (value === 1) blacken(bitmap, at % this.#size, Math.floor(at / this.#size))
    return bitmap
  }

  /** Rules 1 and 3, along a row or a column. */
  #linePenalty(line: number, lineStep: number, step: number): number {
    let penalty = 0
    let run = 0
    let last = -1
    let window = 0
    for (let at = 0; at < this.#size; at++) {
      const value = this.#dark[line * lineStep + at * step] ?? 0
      run = value === last ? run + 1 : 1
      last = value
      if (run === 5) penalty += 3
      else if (run > 5) penalty += 1
      window = ((window << 1) | value) & 0x7ff
      if (at >= 10 && (window === FINDER_LIKE[0] || window === FINDER_LIKE[1])) penalty += 40
    }
    return penalty
  }

  /** Rule 2. */
  #blockPenalty(): number {
    let blocks = 0
    for (let y = 1; y < this.#size; y++)
      for (let x = 1; x < this.#size; x++) {
        const at = y * this.#size + x
        const above = at - this.#size
        const value = this.#dark[at]
        if (value === this.#dark[at - 1] && value === this.#dark[above])
          blocks += Number(value === this.#dark[above - 1])
      }
    return blocks * 3
  }

  #fix(x: number, y: number, isDark: boolean): void {
    if (x < 0 || y < 0 || x >= this.#size || y >= this.#size) return
    this.#dark[y * this.#size + x] = Number(isDark)
    this.#fixed[y * this.#size + x] = 1
  }

  /** With the white around it. */
  #drawFinder(centerX: number, centerY: number): void {
    for (let y = -4; y <= 4; y++)
      for (let x = -4; x <= 4; x++) {
        const ring = Math.max(Math.abs(x), Math.abs(y))
        this.#fix(centerX + x, centerY + y, ring !== 2 && ring !== 4)
      }
  }

  #drawAlignments(): void {
    const places = alignmentPlaces(this.#version)
    const last = places.length - 1
    for (const [row, y] of places.entries())
      for (const [column, x] of places.entries()) {
        const isFinder =
          (row === 0 && column === 0) ||
          (row === 0 && column === last) ||
          (row === last && column === 0)
        if (!isFinder) this.#drawAlignment(x, y)
      }
  }

  #drawAlignment(centerX: number, centerY: number): void {
    for (let y = -2; y <= 2; y++)
      for (let x = -2; x <= 2; x++)
        this.#fix(centerX + x, centerY + y, Math.max(Math.abs(x), Math.abs(y)) !== 1)
  }

  /** 7.9: twice, so that one finder may be dirty; around the timing, which has its own. */
  #drawFormat(format: number): void {
    const bits = ((format << 10) | remainderOf(format, 10, FORMAT_DIVISOR)) ^ FORMAT_MASK
    for (let bit = 0; bit < 15; bit++) {
      const isDark = ((bits >>> bit) & 1) === 1
      const [x, y] = formatPlaces[bit] ?? [0, 0]
      this.#fix(x, y, isDark)
      if (bit < 8) this.#fix(this.#size - 1 - bit, 8, isDark)
      else this.#fix(8, this.#size - 15 + bit, isDark)
    }
    this.#fix(8, this.#size - 8, true)
  }

  /** 7.10 */
  #drawVersion(): void {
    if (this.#version < 7) return
    const bits = (this.#version << 12) | remainderOf(this.#version, 12, VERSION_DIVISOR)
    for (let bit = 0; bit < 18; bit++) {
      const isDark = ((bits >>> bit) & 1) === 1
      const far = this.#size - 11 + (bit % 3)
      const near = Math.floor(bit / 3)
      this.#fix(far, near, isDark)
      this.#fix(near, far, isDark)
    }
  }
}

/** Annex E. */
function alignmentPlaces(version: number): readonly number[] {
  if (version === 1) return []
  const count = Math.floor(version / 7) + 2
  const step = Math.floor((version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2
  const last = version * 4 + 10
  return [6, ...Array.from({ length: count - 1 }, (_, at) => last - (count - 2 - at) * step)]
}

/** Of the polynomial division of `value`, moved up by `degree`. */
function remainderOf(value: number, degree: number, divisor: number): number {
  let remainder = value
  for (let step = 0; step < degree; step++)
    remainder = (remainder << 1) ^ ((remainder >>> (degree - 1)) * divisor)
  return remainder
}
