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
  const at = stateAt(show, state, t)
  const strengths = strengthsOf(at, t)
  for (const output of show.outputs) {
    if (isSeen(strengths)) writeHandLevels(show, at, output, t, found, output.offset)
    cover(show, output, strengths, found)
  }
  return found
}

/** How strong panic is, and how much light blackout leaves. 0..1 */
export interface Strengths {
  readonly panic: number
  readonly light: number
}

export const strengthsOf = (state: ShowState, t: ShowTimeMs): Strengths => ({
  panic: rampLevel(state.panic, t),
  light: 1 - rampLevel(state.blackout, t),
})

/** Nothing beneath a full panic or blackout is worth computing. */
export const isSeen = ({ panic, light }: Strengths): boolean => panic < 1 && light > 0

/** Puts blackout, panic and the cap over what `into` has of an output. */
export function cover(show: CheckedShow, output: Output, strengths: Strengths, into: Levels): void {
  const { panic, light } = strengths
  const seen = isSeen(strengths)
  const top = panic > 0 ? show.panic.levels[output.index] : undefined
  let brightest = 0
  for (let index = output.offset; index < output.offset + output.componentCount; index++) {
    const below = seen ? light * (into[index] ?? 0) : 0
    const mixed = top ? below + ((top[index - output.offset] ?? 0) - below) * panic : below
    const level = Math.min(1, Math.max(0, mixed))
    into[index] = level
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
