/** A source of timecode as tests play it: frame by frame, some of them late or lost. */

import { monotonicMs } from '../../../runtime/core/time.js'
import { frameMs, frameOfDay, type TimecodeRate } from '../../../runtime/core/timecode.js'
import type { Sighting } from '../../../runtime/services/timecode/sighting.js'

export interface Play {
  readonly rate?: TimecodeRate
  readonly fromFrame: number
  readonly atMs: number
  readonly count: number
  readonly speed?: number
  /** How late each one is. */
  readonly lateMs?: (index: number) => number
  readonly isLost?: (index: number) => boolean
}

export function play({
  rate = '25',
  fromFrame,
  atMs,
  count,
  speed = 1,
  lateMs = () => 0,
  isLost = () => false,
}: Play): Sighting[] {
  return Array.from({ length: count }, (_, index) => ({
    rate,
    frame: frameOfDay(fromFrame + index, rate),
    at: monotonicMs(atMs + (index * frameMs(rate)) / speed + lateMs(index)),
  })).filter((_, index) => !isLost(index))
}
