/** Grays as black and white dots. Pure. */

import { blacken, blank } from '../../core/bitmap.js'
import { forgetOldest } from '../../core/oldest.js'
import type { GrayImage } from '../../ports/pictures.js'
import type { Bitmap } from '../../ports/ticket.js'
import { atOnce, type Steps } from './slices.js'

export type Dither = 'floyd-steinberg' | 'atkinson' | 'bayer' | 'threshold'

/**
 * Dots of a thermal head are larger than their squares and the paper scatters light beneath their edges, so grays come
 * out darker than the share of black dots. By the model of Yule and Nielsen the white that is needed is the reflectance
 * to the power of 1/n, n = 1.7 where nothing is measured; and the reflectance is the value to the power of 2.2.
 */
const TONE_EXPONENT = 2.2 / 1.7
const MIDDLE = tone(0.5)

/**
 * What has been made of an image, for as long as the image is kept: the logo of a thousand tickets is worked out once.
 * One image on two widths of paper in two kinds has four.
 */
const made = new WeakMap<GrayImage, Map<string, Bitmap>>()
const MADE_MAX = 8

/** @param widthDots of the bitmap; its height keeps the proportions, and is at least one dot */
export function blackAndWhite(image: GrayImage, widthDots: number, dither: Dither): Bitmap {
  return atOnce(blackAndWhiteByRows(image, widthDots, dither))
}

/** The same, a row of dots or of the image at a step. */
export function* blackAndWhiteByRows(
  image: GrayImage,
  widthDots: number,
  dither: Dither,
): Steps<Bitmap> {
  const key = `${widthDots} ${dither}`
  const known = made.get(image)?.get(key)
  if (known !== undefined) return known
  const bitmap = yield* make(image, widthDots, dither)
  keep(image, key, bitmap)
  return bitmap
}

/** In the place of the one that was made first, where there are too many. */
function keep(image: GrayImage, key: string, bitmap: Bitmap): void {
  const known = made.get(image) ?? new Map<string, Bitmap>()
  made.set(image, known.set(key, bitmap))
  forgetOldest(known, MADE_MAX)
}

function* make(image: GrayImage, widthDots: number, dither: Dither): Steps<Bitmap> {
  const height = scaledHeight(image, widthDots)
  const tones = yield* scaled(image, widthDots, height)
  const bitmap = blank(widthDots, height)
  switch (dither) {
    case 'floyd-steinberg':
      yield* diffuse(tones, bitmap, floydSteinberg)
      break
    case 'atkinson':
      yield* diffuse(tones, bitmap, atkinson)
      break
    case 'bayer':
      yield* compare(tones, bitmap, (x, y) => bayerThreshold(x, y))
      break
    case 'threshold':
      yield* compare(tones, bitmap, () => MIDDLE)
  }
  return bitmap
}

export const scaledHeight = (image: GrayImage, widthDots: number): number =>
  Math.max(1, Math.round((image.height * widthDots) / image.width))

function tone(value: number): number {
  return value ** TONE_EXPONENT
}

/** Each dot is the mean of the area of the image that it covers, in tones of 0 to 1. */
function* scaled(image: GrayImage, width: number, height: number): Steps<Float32Array> {
  const tones = Float32Array.from({ length: 256 }, (_, value) => tone(value / 255))
  const rows = yield* narrowed(image, width, tones)
  const result = new Float32Array(width * height)
  const { first, last, weights } = shares(image.height, height)
  for (let y = 0, part = 0; y < height; y++)
    for (let from = first[y] ?? 0; from <= (last[y] ?? 0); from++) {
      const weight = weights[part++] ?? 0
      for (let x = 0; x < width; x++)
        add(result, y * width + x, weight * (rows[from * width + x] ?? 0))
      yield
    }
  return result
}

/** As high as the image. */
function* narrowed(image: GrayImage, width: number, tones: Float32Array): Steps<Float32Array> {
  const rows = new Float32Array(width * image.height)
  const { first, last, weights } = shares(image.width, width)
  for (let y = 0; y < image.height; y++) {
    for (let x = 0, part = 0; x < width; x++) {
      let sum = 0
      for (let from = first[x] ?? 0; from <= (last[x] ?? 0); from++)
        sum += (weights[part++] ?? 0) * (tones[image.pixels[y * image.width + from] ?? 0] ?? 0)
      rows[y * width + x] = sum
    }
    yield
  }
  return rows
}

/** Which pixels make each dot, and how much of it each makes, one after the other. */
interface Shares {
  readonly first: Int32Array
  readonly last: Int32Array
  /** Of one dot they add up to 1. */
  readonly weights: readonly number[]
}

function shares(from: number, to: number): Shares {
  const first = new Int32Array(to)
  const last = new Int32Array(to)
  const weights: number[] = []
  for (let dot = 0; dot < to; dot++) {
    const start = (dot * from) / to
    const end = ((dot + 1) * from) / to
    first[dot] = Math.min(from - 1, Math.floor(start))
    last[dot] = Math.max(first[dot] ?? 0, Math.min(from, Math.ceil(end)) - 1)
    for (let pixel = first[dot] ?? 0; pixel <= (last[dot] ?? 0); pixel++)
      weights.push((Math.min(end, pixel + 1) - Math.max(start, pixel)) / (end - start))
  }
  return { first, last, weights }
}

function add(values: Float32Array, at: number, value: number): void {
  values[at] = (values[at] ?? 0) + value
}

interface Neighbour {
  readonly x: number
  readonly y: number
  readonly share: number
}

const neighbour = (x: number, y: number, share: number): Neighbour => ({ x, y, share })

/** Floyd and Steinberg, 1976. */
const floydSteinberg = [
  neighbour(1, 0, 7 / 16),
  neighbour(-1, 1, 3 / 16),
  neighbour(0, 1, 5 / 16),
  neighbour(1, 1, 1 / 16),
]

/** Bill Atkinson's for the Macintosh: a quarter of the error is let go, which keeps lights white and shadows black. */
const atkinson = [
  ...[neighbour(1, 0, 1 / 8), neighbour(2, 0, 1 / 8), neighbour(-1, 1, 1 / 8)],
  ...[neighbour(0, 1, 1 / 8), neighbour(1, 1, 1 / 8), neighbour(0, 2, 1 / 8)],
]

/** Rows in turn from the left and from the right, which draws no worms. */
function* diffuse(
  tones: Float32Array,
  bitmap: Bitmap,
  neighbours: readonly Neighbour[],
): Steps<void> {
  for (let y = 0; y < bitmap.height; y++) {
    const step = y % 2 === 0 ? 1 : -1
    for (let index = 0; index < bitmap.width; index++) {
      const x = step === 1 ? index : bitmap.width - 1 - index
      spread(tones, bitmap, { x, y, step }, neighbours)
    }
    yield
  }
}

function spread(
  tones: Float32Array,
  bitmap: Bitmap,
  { x, y, step }: { x: number; y: number; step: number },
  neighbours: readonly Neighbour[],
): void {
  const value = tones[y * bitmap.width + x] ?? 0
  const isDark = value < 0.5
  if (isDark) blacken(bitmap, x, y)
  const error = value - (isDark ? 0 : 1)
  for (const next of neighbours) {
    const nextX = x + next.x * step
    const nextY = y + next.y
    if (nextX >= 0 && nextX < bitmap.width && nextY < bitmap.height)
      add(tones, nextY * bitmap.width + nextX, error * next.share)
  }
}

function* compare(
  tones: Float32Array,
  bitmap: Bitmap,
  threshold: (x: number, y: number) => number,
): Steps<void> {
  for (let y = 0; y < bitmap.height; y++) {
    for (let x = 0; x < bitmap.width; x++)
      if ((tones[y * bitmap.width + x] ?? 0) < threshold(x, y)) blacken(bitmap, x, y)
    yield
  }
}

/** Bayer's matrix of 8 by 8, by interleaving the bits of the place; never 0, so that white stays white. */
function bayerThreshold(x: number, y: number): number {
  let rank = 0
  for (let bit = 0; bit < 3; bit++) {
    const right = (x >> bit) & 1
    const below = (y >> bit) & 1
    rank |= (((right ^ below) << 1) | below) << (2 * (2 - bit))
  }
  return (rank + 0.5) / 64
}
