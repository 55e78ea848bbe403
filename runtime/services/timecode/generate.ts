/** Timecode that the box makes: which frame is on at a show time, and when the next one is due. Pure. */

import { showTimeMs } from '../../core/time.js'
import { frameOfNs, nsOfFrame, type TimecodeRate } from '../../core/timecode.js'
import type { ShowTimeMs } from '../../ports/clock.js'

const NS_PER_MS = 1e6
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

/** The frame that is on at `show`. */
export function frameOnAt({ startFrame, startShowMs }: Running, rate: TimecodeRate, show: number) {
  const ns = Math.round((show - startShowMs) * NS_PER_MS) + nsOfFrame(startFrame, rate)
  return frameOfNs(ns, rate)
}

/** When a frame begins. */
export const showOfFrame = (running: Running, rate: TimecodeRate, frame: number): ShowTimeMs =>
  showTimeMs(
    running.startShowMs +
      (nsOfFrame(frame, rate) - nsOfFrame(running.startFrame, rate)) / NS_PER_MS,
  )

/** The first frame that begins after `show`. */
export function dueAfter(running: Running, rate: TimecodeRate, show: ShowTimeMs): DueFrame {
  const next = Math.max(running.startFrame, frameOnAt(running, rate, show) + 1)
  return { frame: next, atShowMs: showOfFrame(running, rate, next) }
}
