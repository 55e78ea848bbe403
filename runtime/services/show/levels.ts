/**
 * What every output shows: a pure function of show, state and time, so that a restart, a late join, a standby and a
 * simulation give the same levels. Layers from below: cues, where outputs go without a leader, levels set by hand,
 * blackout, panic, and each output's cap.
 */
import { showTimeMs } from '../../core/time.js'
import type { ShowTimeMs } from '../../ports/clock.js'
import { chaseChange } from './chase.js'
import type { CheckedShow, Output } from './checked-show.js'
import { stateAt } from './fold.js'
import { lostEnds, rampLevel, writeHandLevels } from './layers.js'
import { endOf, playing } from './segments.js'
import type { Segment, ShowState } from './state.js'

/** One number per component, 0..1; an output's begin at its `offset`. */
export type Levels = Float64Array

/** @param t at or after the last event of `state` */
export function levels(show: CheckedShow, state: ShowState, t: ShowTimeMs): Levels {
  const found = new Float64Array(show.componentCount)
  writeLevels(show, stateAt(show, state, t), t, show.outputs, found)
  return found
}

/** Writes the levels of some outputs; `state` must have been advanced to `t`. */
export function writeLevels(
  show: CheckedShow,
  state: ShowState,
  t: ShowTimeMs,
  outputs: readonly Output[],
  into: Levels,
): void {
  const strengths = {
    panic: rampLevel(state.panic, t),
    light: 1 - rampLevel(state.blackout, t),
  }
  for (const output of outputs) writeOutput(show, state, t, output, strengths, into)
}

function writeOutput(
  show: CheckedShow,
  state: ShowState,
  t: ShowTimeMs,
  output: Output,
  strengths: { readonly panic: number; readonly light: number },
  into: Levels,
): void {
  const { panic, light } = strengths
  // Nothing beneath a full panic or blackout is worth computing.
  const isSeen = panic < 1 && light > 0
  if (isSeen) writeHandLevels(show, state, output, t, into, output.offset)
  const top = show.panic.levels[output.index]
  let brightest = 0
  for (let component = 0; component < output.componentCount; component++) {
    const below = isSeen ? light * (into[output.offset + component] ?? 0) : 0
    const level = Math.min(1, Math.max(0, below + ((top?.[component] ?? 0) - below) * panic))
    into[output.offset + component] = level
    if (level > brightest) brightest = level
  }
  if (brightest > output.max) scale(into, output, output.max / brightest)
}

/** The cap keeps the hue: all components shrink alike. */
function scale(into: Levels, output: Output, factor: number): void {
  for (let index = output.offset; index < output.offset + output.componentCount; index++)
    into[index] = Math.min(output.max, (into[index] ?? 0) * factor)
}

/** When levels change next: at a moment, all the time (until that moment at the earliest), or not at all. */
export type Change =
  | { readonly kind: 'at'; readonly atShowMs: ShowTimeMs }
  | { readonly kind: 'fading'; readonly boundaryShowMs: ShowTimeMs }

/**
 * Never later than the first change of any of the outputs after `t`; may be earlier than that. A boundary is a moment at
 * which levels must be computed exactly: a fade's end, a chase's step.
 */
export function nextChange(
  show: CheckedShow,
  state: ShowState,
  t: ShowTimeMs,
  outputs: readonly Output[] = show.outputs,
): Change | null {
  const at = stateAt(show, state, t)
  const coming = new Coming(t)
  coming.boundary(at.waiting[0]?.t0Ms ?? Number.POSITIVE_INFINITY)
  coming.fade(at.panic, true)
  if (!isFull(at.panic, t)) coming.fade(at.blackout, true)
  if (!isFull(at.panic, t) && !isFull(at.blackout, t))
    for (const output of outputs) noteOutput(coming, show, at, output, t)
  return coming.read()
}

const isFull = (ramp: ShowState['panic'], t: number): boolean => ramp.isOn && t >= endOf(ramp)

function noteOutput(
  coming: Coming,
  show: CheckedShow,
  state: ShowState,
  output: Output,
  t: number,
): void {
  const hand = state.manual[output.index]
  if (hand) coming.fade(hand, true)
  if (hand?.to && t >= endOf(hand)) return
  if (output.lost && state.lost.from.length > 0)
    for (const part of lostEnds(state, output)) coming.fade(part, part.isMoving)
  const segments = state.segments[output.index] ?? []
  for (const segment of segments) coming.boundary(segment.startMs)
  const active = playing(segments, t)
  if (active) noteSegment(coming, show, active, t)
}

function noteSegment(coming: Coming, show: CheckedShow, segment: Segment, t: number): void {
  if (t < endOf(segment)) coming.fade(segment, isMoving(segment))
  const chase =
    segment.to || segment.cue === null ? null : (show.cuesById.get(segment.cue)?.chase ?? null)
  const change = chase ? chaseChange(chase, segment.t0Ms, t) : null
  if (change) coming.step(change)
}

function isMoving({ from, to }: Segment): boolean {
  if (to === null) return true
  for (let component = 0; component < to.length; component++)
    if (to[component] !== from[component]) return true
  return false
}

/** The earliest of many moments after `t`, and whether anything moves until then. */
class Coming {
  readonly #t: number
  #isFading = false
  #boundaryMs = Number.POSITIVE_INFINITY

  constructor(t: number) {
    this.#t = t
  }

  boundary(atMs: number): void {
    if (atMs > this.#t && atMs < this.#boundaryMs) this.#boundaryMs = atMs
  }

  fade(fade: { startMs: number; durationMs: number }, isMoving: boolean): void {
    this.boundary(fade.startMs)
    this.boundary(endOf(fade))
    if (isMoving && this.#t >= fade.startMs && this.#t < endOf(fade)) this.#isFading = true
  }

  step(change: { isFading: boolean; boundaryMs: number }): void {
    this.boundary(change.boundaryMs)
    if (change.isFading) this.#isFading = true
  }

  read(): Change | null {
    if (this.#isFading) return { kind: 'fading', boundaryShowMs: showTimeMs(this.#boundaryMs) }
    if (this.#boundaryMs === Number.POSITIVE_INFINITY) return null
    return { kind: 'at', atShowMs: showTimeMs(this.#boundaryMs) }
  }
}
