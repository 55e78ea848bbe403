/** Timecode that the box makes: which frame is on at a show time, and when the next one is due. Pure. */

import { NS_PER_MS, showTimeMs } from '../../core/time.js'
import { frameOfNs, nsOfFrame, type TimecodeRate } from '../../core/timecode.js'
import type { ShowTimeMs } from '../../ports/clock.js'

const DAY_MS = 86_400_000

/** It shows `startFrame` at `startShowMs`, and runs from there. */
export interface Running {
  readonly startFrame: number
  readonly startShowMs: number
}

export interface DueFrame {
  /** Counted on over midnight. */
  readonly frame: number
  readonly atShowMs: ShowTimeMs
}

/** The time of day on the venue's timeline, `offsetFrame` frames later: the same on every box, whenever it is started. */
export function timeOfDay(show: ShowTimeMs, offsetFrame: number): Running {
  return { startFrame: offsetFrame, startShowMs: Math.floor(show / DAY_MS) * DAY_MS }
}

/** The frame that is on at `show`, down to which of so many equal parts of it. */
export function frameOnAt(
  { startFrame, startShowMs }: Running,
  rate: TimecodeRate,
  show: number,
  parts = 1,
): number {
  const ns = Math.round((show - startShowMs) * NS_PER_MS) + nsOfFrame(startFrame, rate)
  const frame = frameOfNs(ns, rate)
  let part = parts - 1
  while (part > 0 && nsOfFrame(frame + part / parts, rate) > ns) part--
  return frame + part / parts
}

/** When a frame, or a part of one, begins. */
export const showOfFrame = (running: Running, rate: TimecodeRate, frame: number): ShowTimeMs =>
  showTimeMs(
    running.startShowMs +
      (nsOfFrame(frame, rate) - nsOfFrame(running.startFrame, rate)) / NS_PER_MS,
  )

/** The first frame, or part of one, that begins after `show`. */
export function dueAfter(
  running: Running,
  rate: TimecodeRate,
  show: ShowTimeMs,
  parts = 1,
): DueFrame {
  const next = Math.max(running.startFrame, frameOnAt(running, rate, show, parts) + 1 / parts)
  return { frame: next, atShowMs: showOfFrame(running, rate, next) }
}
