/** Dots of a bitmap, one by one. */
import type { Bitmap } from '../ports/ticket.js'

export const blank = (width: number, height: number): Bitmap => ({
  width,
  height,
  rows: new Uint8Array(Math.ceil(width / 8) * height),
})

/** @param x within the width, as y is within the height */
export const isBlack = ({ width, rows }: Bitmap, x: number, y: number): boolean =>
  ((rows[y * Math.ceil(width / 8) + (x >> 3)] ?? 0) & (0x80 >> (x & 7))) !== 0

export function blacken({ width, rows }: Bitmap, x: number, y: number): void {
  const at = y * Math.ceil(width / 8) + (x >> 3)
  rows[at] = (rows[at] ?? 0) | (0x80 >> (x & 7))
}
