/**
 * Dots in ESC/POS: `GS v 0` in bands (Epson ESC/POS Application Programming Guide). Printers keep a band before they
 * print it, and small ones have little memory.
 */
import { blacken, blank, isBlack } from '../runtime/core/bitmap.js'
import type { Bitmap } from '../runtime/ports/ticket.js'
import { GS } from './escpos-text.js'

const BAND_ROWS_MAX = 64
/** GS v 0, the mode, width and height. */
const HEADER_BYTES = 8

const DLE = 0x10
/** EOT, ENQ and DC4. */
const AFTER_DLE: readonly number[] = [0x04, 0x05, 0x14]
/** The dot beside that of DLE, to its right. */
const NEIGHBOUR = 0x08

/** The bitmap, `leftDots` from the edge of the head. */
export function rasterBands(bitmap: Bitmap, leftDots: number): readonly Uint8Array[] {
  const image = shifted(bitmap, leftDots)
  const rowBytes = Math.ceil(image.width / 8)
  const bands: Uint8Array[] = []
  for (let top = 0; top < image.height; top += BAND_ROWS_MAX) {
    const rowCount = Math.min(BAND_ROWS_MAX, image.height - top)
    const dots = image.rows.slice(top * rowBytes, (top + rowCount) * rowBytes)
    withoutRealTime(dots)
    const size = [rowBytes & 0xff, rowBytes >> 8, rowCount & 0xff, rowCount >> 8]
    const band = new Uint8Array(HEADER_BYTES + dots.length)
    band.set([GS, 0x76, 0x30, 0, ...size])
    band.set(dots, HEADER_BYTES)
    bands.push(band)
  }
  return bands
}

/**
 * Printers carry out DLE EOT, DLE ENQ and DLE DC4 even in the middle of a picture: they answer, clear their buffers, open
 * the drawer. One dot more, beside one that is black already, makes another byte of DLE; nobody sees an eighth of a
 * millimetre.
 */
export function withoutRealTime(bytes: Uint8Array): void {
  for (let at = 0; at + 1 < bytes.length; at++)
    if (bytes[at] === DLE && AFTER_DLE.includes(bytes[at + 1] ?? 0)) bytes[at] = DLE | NEIGHBOUR
}

/** Whether a printer would take part of these bytes for a real-time command. */
export const hasRealTime = (bytes: ArrayLike<number>): boolean => {
  for (let at = 0; at + 1 < bytes.length; at++)
    if (bytes[at] === DLE && AFTER_DLE.includes(bytes[at + 1] ?? 0)) return true
  return false
}

/** Every dot of the bitmap as a square of so many dots; of a single row, as a bar of that height. */
export function enlarged(
  bitmap: Bitmap,
  { dotWidth, dotHeight }: { dotWidth: number; dotHeight: number },
): Bitmap {
  const large = blank(bitmap.width * dotWidth, bitmap.height * dotHeight)
  const rowBytes = Math.ceil(large.width / 8)
  for (let y = 0; y < bitmap.height; y++) {
    const row = blank(large.width, 1)
    for (let x = 0; x < large.width; x++)
      if (isBlack(bitmap, Math.floor(x / dotWidth), y)) blacken(row, x, 0)
    for (let copy = 0; copy < dotHeight; copy++)
      large.rows.set(row.rows, (y * dotHeight + copy) * rowBytes)
  }
  return large
}

/** White on the left; a printer's own alignment of pictures is not to be relied on. */
function shifted(bitmap: Bitmap, leftDots: number): Bitmap {
  const width = leftDots + bitmap.width
  const fromBytes = Math.ceil(bitmap.width / 8)
  const toBytes = Math.ceil(width / 8)
  const rows = new Uint8Array(toBytes * bitmap.height)
  const skip = leftDots >> 3
  const bits = leftDots & 7
  for (let y = 0; y < bitmap.height; y++)
    for (let x = 0; x < fromBytes; x++) {
      const to = y * toBytes + skip + x
      const dots = masked(bitmap, x, bitmap.rows[y * fromBytes + x] ?? 0)
      rows[to] = (rows[to] ?? 0) | (dots >> bits)
      if (bits > 0 && skip + x + 1 < toBytes) rows[to + 1] = (dots << (8 - bits)) & 0xff
    }
  return { width, height: bitmap.height, rows }
}

/** What stands beyond the width in the last byte of a row is nothing. */
function masked({ width }: Bitmap, x: number, dots: number): number {
  const beyond = (x + 1) * 8 - width
  return beyond > 0 ? dots & (0xff << beyond) & 0xff : dots
}
