/** When the contacts of a camera close and open: pure, so that bursts and overlaps can be tested by tables. */
import { after, later } from '../runtime/core/time.js'
import type { MonotonicMs } from '../runtime/ports/clock.js'

export interface CaptureTimes {
  /** How long the shutter contact stays closed. 10..5000 */
  readonly pulseMs: number
  /** How long the focus contact is closed before the shutter contact. 0..2000 */
  readonly focusLeadMs: number
  /** The least time between opening the shutter contact and closing it again. At least 20 */
  readonly minGapMs: number
  /** From the closing of the contact to the picture; the contact closes so much early. 0..2000 */
  readonly lagMs: number
}

export interface Span {
  readonly from: MonotonicMs
  readonly until: MonotonicMs
}

/** The shutter contact for a closing planned at `plannedMs`; from `now` on when that is past. */
export function shutterSpan(plannedMs: MonotonicMs, now: MonotonicMs, pulseMs: number): Span {
  const from = later(plannedMs, now)
  return { from, until: after(from, pulseMs) }
}

/** Two presses with less than the gap between them would reach the camera as one. */
export const isTooClose = (a: Span, b: Span, minGapMs: number): boolean =>
  a.from < after(b.until, minGapMs) && b.from < after(a.until, minGapMs)

/**
 * The focus contact for a list of shutter spans: closed from the lead before each until its end. Spans that meet become
 * one, since letting go between the shots of a burst would make the camera focus anew.
 */
export function focusSpans(shutter: readonly Span[], focusLeadMs: number): readonly Span[] {
  const merged: Span[] = []
  for (const { from, until } of [...shutter].sort((a, b) => a.from - b.from)) {
    const begin = after(from, -focusLeadMs)
    const last = merged.at(-1)
    if (last && begin <= last.until)
      merged[merged.length - 1] = { from: last.from, until: later(last.until, until) }
    else merged.push({ from: begin, until })
  }
  return merged
}
