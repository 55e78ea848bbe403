import t from 'tap'
import type { GrayImage } from '../../../runtime/ports/pictures.js'
import type { Bitmap } from '../../../runtime/ports/ticket.js'
import {
  blackAndWhite,
  type Dither,
  scaledHeight,
} from '../../../runtime/services/printing/dither.js'

const kinds: readonly Dither[] = ['floyd-steinberg', 'atkinson', 'bayer', 'threshold']

const flat = (width: number, height: number, value: number): GrayImage => ({
  width,
  height,
  pixels: new Uint8Array(width * height).fill(value),
})

const textOf = ({ width, height, rows }: Bitmap): string[] =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_x, x) =>
      (rows[y * Math.ceil(width / 8) + (x >> 3)] ?? 0) & (0x80 >> (x & 7)) ? '#' : '.',
    ).join(''),
  )

const blackShare = (bitmap: Bitmap): number =>
  [...textOf(bitmap).join('')].filter(sign => sign === '#').length / (bitmap.width * bitmap.height)

t.test('black stays black and white stays white, however it is made', async t => {
  for (const kind of kinds) {
    t.equal(blackShare(blackAndWhite(flat(50, 20, 0), 100, kind)), 1, kind)
    t.equal(blackShare(blackAndWhite(flat(50, 20, 255), 33, kind)), 0, kind)
  }
})

t.test('a logo in black and white passes as it is', async t => {
  const rows = ['#..#.', '.##..', '#...#']
  const logo: GrayImage = {
    width: 5,
    height: 3,
    pixels: Uint8Array.from([...rows.join('')].map(sign => (sign === '#' ? 0 : 255))),
  }
  for (const kind of kinds) t.same(textOf(blackAndWhite(logo, 5, kind)), rows, kind)
  const doubled = rows.flatMap(row => {
    const wide = [...row].map(sign => sign.repeat(2)).join('')
    return [wide, wide]
  })
  t.same(textOf(blackAndWhite(logo, 10, 'threshold')), doubled)
})

t.test('grays have as many dots as thermal paper wants, fewer than the eye would say', async t => {
  // 1 - (128 / 255) ** (2.2 / 1.7)
  const wanted = 0.59
  for (const kind of ['floyd-steinberg', 'bayer'] as const) {
    const share = blackShare(blackAndWhite(flat(64, 64, 128), 64, kind))
    t.ok(Math.abs(share - wanted) < 0.02, `${kind}: ${share}`)
  }
  t.equal(blackShare(blackAndWhite(flat(8, 8, 127), 8, 'threshold')), 1)
  t.equal(blackShare(blackAndWhite(flat(8, 8, 128), 8, 'threshold')), 0)
})

t.test('darker is never fewer dots', async t => {
  for (const kind of kinds) {
    const shares = Array.from({ length: 18 }, (_, step) =>
      blackShare(blackAndWhite(flat(64, 64, step * 15), 64, kind)),
    )
    t.same(
      shares,
      shares.toSorted((a, b) => b - a),
      kind,
    )
  }
})

t.test('the matrix of Bayer has each of its 64 steps once', async t => {
  const counts = new Set<number>()
  for (let value = 0; value <= 255; value++)
    counts.add(Math.round(blackShare(blackAndWhite(flat(8, 8, value), 8, 'bayer')) * 64))
  t.equal(counts.size, 65)
})

t.test('a smaller picture is the mean of the larger one, not some of its dots', async t => {
  const stripes: GrayImage = {
    width: 400,
    height: 200,
    pixels: Uint8Array.from({ length: 80_000 }, (_, at) => (at % 4 === 0 ? 0 : 255)),
  }
  for (const width of [100, 130, 77]) {
    const share = blackShare(blackAndWhite(stripes, width, 'floyd-steinberg'))
    t.ok(Math.abs(share - 0.25) < 0.02, `${width}: ${share}`)
  }
})

t.test('proportions stay, and no picture is nothing', async t => {
  t.equal(scaledHeight(flat(200, 100, 0), 384), 192)
  t.equal(scaledHeight(flat(4096, 1, 0), 100), 1)
  const { width, height, rows } = blackAndWhite(flat(3, 7, 0), 9, 'threshold')
  t.same([width, height, rows.length], [9, 21, 42])
})

t.test('what was made of an image is not made again', async t => {
  const image = flat(10, 10, 100)
  t.equal(blackAndWhite(image, 20, 'bayer'), blackAndWhite(image, 20, 'bayer'))
  t.not(blackAndWhite(image, 20, 'bayer'), blackAndWhite(image, 21, 'bayer'))
})
