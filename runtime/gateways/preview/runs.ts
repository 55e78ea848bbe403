/** Black dots as the horizontal runs of an SVG path: one stroke of width 1 through the middle of each row. */
import { isBlack } from '../../core/bitmap.js'
import type { Bitmap } from '../../ports/ticket.js'

/** For a stroke of one unit in the bitmap's own units, moved down by half a dot. */
export function runs(bitmap: Bitmap): string {
  const parts: string[] = []
  for (let y = 0; y < bitmap.height; y++) {
    let start = -1
    for (let x = 0; x <= bitmap.width; x++) {
      const isDot = x < bitmap.width && isBlack(bitmap, x, y)
      if (isDot && start < 0) start = x
      if (isDot || start < 0) continue
      parts.push(`M${start} ${y}h${x - start}`)
      start = -1
    }
  }
  return parts.join('')
}
