/**
 * What plays on one output, looked up once for as long as nothing begins or ends there, so that a moment costs little.
 * To the bit what `writeHandLevels` gives, whose words it uses.
 */
import { type Turn, turnOf } from './chase.js'
import type { Chase, CheckedShow, Components, Cue, Output } from './checked-show.js'
import { type Curve, shape } from './curves.js'
import { writeHandLevels } from './layers.js'
import { endOf, type Into, playing } from './segments.js'
import type { Segment, ShowState } from './state.js'

/** A rounded sum of moments is past by then. */
const MARGIN_MS = 1

/** Outputs of one cue are as far as each other: what was computed for one is there for the next. */
export class Unison {
  #curve: Curve = 'linear'
  #share = 0
  #way = 0
  #chase: Chase | null = null
  #t0Ms = 0
  #tMs = 0
  #turn: Turn = { from: 0, to: 0, share: 1 }

  wayOf(curve: Curve, share: number): number {
    if (share !== this.#share || curve !== this.#curve) {
      this.#curve = curve
      this.#share = share
      this.#way = shape(curve, share)
    }
    return this.#way
  }

  turnOf(chase: Chase, count: number, t0Ms: number, tMs: number): Turn {
    if (tMs !== this.#tMs || t0Ms !== this.#t0Ms || chase !== this.#chase) {
      this.#chase = chase
      this.#t0Ms = t0Ms
      this.#tMs = tMs
      this.#turn = turnOf(chase, count, t0Ms, tMs)
    }
    return this.#turn
  }
}

/** The steps of a chase on one output, one after the other. */
interface Round {
  readonly chase: Chase
  readonly count: number
  readonly levels: Float64Array
}

export class Track {
  readonly output: Output
  readonly #show: CheckedShow
  readonly #unison: Unison
  /** What was looked up, and the time for which that holds. */
  #segments: ShowState['segments'][number] | undefined
  #hand: ShowState['manual'][number] | undefined
  #lost: ShowState['lost'] | null = null
  #sinceMs = Number.POSITIVE_INFINITY
  #untilMs = Number.NEGATIVE_INFINITY
  #isStill = false
  /** More than a cue has a say. */
  #isLayered = false
  /** The fade that is under way, from `#begun`. */
  #fade: Segment | null = null
  #curve: Curve = 'linear'
  #chase: Round | null = null
  #chaseT0Ms = 0
  #known: Round | null = null
  readonly #begun: Float64Array
  readonly #goal: Float64Array

  constructor(show: CheckedShow, output: Output, unison: Unison) {
    this.#show = show
    this.output = output
    this.#unison = unison
    this.#begun = new Float64Array(output.componentCount)
    this.#goal = new Float64Array(output.componentCount)
  }

  /** Finds out what plays at `tMs`. False when it is at rest, and was so at the last moment: its levels are the same. */
  look(state: ShowState, tMs: number): boolean {
    if (this.#holds(state, tMs)) return !this.#isStill
    this.#prepare(state, tMs)
    return true
  }

  /** What is beneath blackout and panic; `look` was asked about the same moment. */
  write(state: ShowState, tMs: number, into: Into): void {
    const { offset, componentCount } = this.output
    if (this.#isLayered) {
      writeHandLevels(this.#show, state, this.output, tMs, into, offset)
      return
    }
    if (this.#chase) this.#writeChase(this.#chase, tMs, into)
    else
      for (let component = 0; component < componentCount; component++)
        into[offset + component] = this.#goal[component] ?? 0
    if (!this.#fade) return
    const { startMs, durationMs } = this.#fade
    const way = this.#unison.wayOf(this.#curve, (tMs - startMs) / durationMs)
    for (let component = 0; component < componentCount; component++) {
      const from = this.#begun[component] ?? 0
      into[offset + component] = from + ((into[offset + component] ?? 0) - from) * way
    }
  }

  /** A step that has come is its own beginning, so that its levels are exact. */
  #writeChase({ chase, count, levels }: Round, tMs: number, into: Into): void {
    const { offset, componentCount } = this.output
    const { from, to, share } = this.#unison.turnOf(chase, count, this.#chaseT0Ms, tMs)
    for (let component = 0; component < componentCount; component++) {
      const goal = levels[to * componentCount + component] ?? 0
      const begun =
        (from === null ? this.#begun[component] : levels[from * componentCount + component]) ?? 0
      into[offset + component] = begun + (goal - begun) * share
    }
  }

  #holds(state: ShowState, tMs: number): boolean {
    const { index } = this.output
    return (
      tMs >= this.#sinceMs &&
      tMs < this.#untilMs &&
      state.segments[index] === this.#segments &&
      state.manual[index] === this.#hand &&
      state.lost === this.#lost
    )
  }

  #prepare(state: ShowState, tMs: number): void {
    const { index } = this.output
    const [segments, hand] = [state.segments[index], state.manual[index]]
    this.#segments = segments
    this.#hand = hand
    this.#lost = state.lost
    this.#sinceMs = Number.NEGATIVE_INFINITY
    this.#untilMs = Number.POSITIVE_INFINITY
    for (const segment of segments ?? []) this.#noteEnds(segment, tMs)
    if (hand) this.#noteEnds(hand, tMs)
    const isLost = this.#isAstray(state.lost, tMs)
    const isOver = !hand || tMs >= endOf(hand)
    this.#isLayered = isLost || !isOver || Boolean(hand?.to)
    this.#isStill = isOver && Boolean(hand?.to)
    if (!this.#isLayered) this.#prepareCue(segments ?? [], tMs)
  }

  #noteEnds(fade: { readonly startMs: number; readonly durationMs: number }, tMs: number): void {
    this.#note(fade.startMs, tMs)
    this.#note(endOf(fade), tMs)
  }

  /** A moment at which something begins or ends: what is found at `tMs` holds on this side of it. */
  #note(atMs: number, tMs: number): void {
    if (atMs <= tMs) this.#sinceMs = Math.max(this.#sinceMs, atMs)
    else this.#untilMs = Math.min(this.#untilMs, atMs)
  }

  /** Whether the loss of the leader has a say. */
  #isAstray(lost: ShowState['lost'], tMs: number): boolean {
    const ways = this.output.lost
    if (!ways || lost.from.length === 0) return false
    const settledMs = lost.startMs + ways.holdMs + ways.fadeMs + MARGIN_MS
    this.#note(settledMs, tMs)
    return lost.isLost || tMs < settledMs
  }

  #prepareCue(segments: readonly Segment[], tMs: number): void {
    const { home } = this.output
    const segment = playing(segments, tMs)
    const cue = this.#show.cuesById.get(segment?.cue ?? '')
    this.#fade = segment && tMs < endOf(segment) ? segment : null
    this.#curve = cue?.curve ?? 'linear'
    this.#chase = segment?.to === null ? this.#roundOf(cue) : null
    this.#chaseT0Ms = segment?.t0Ms ?? 0
    this.#isStill = this.#fade === null && !this.#isTurning(tMs)
    fill(this.#begun, segment?.from ?? home)
    fill(this.#goal, segment ? (segment.to ?? home) : (segments[0]?.from ?? home))
  }

  #isTurning(tMs: number): boolean {
    if (!this.#chase) return false
    const { untilMs } = this.#chase.chase
    if (untilMs === null) return true
    const endMs = this.#chaseT0Ms + untilMs
    this.#note(endMs, tMs)
    return tMs < endMs
  }

  #roundOf(cue: Cue | undefined): Round | null {
    const { index, componentCount } = this.output
    const chase = cue?.chase
    const steps = chase?.steps.get(index)
    if (!(chase && steps)) return null
    if (this.#known?.chase === chase) return this.#known
    const levels = new Float64Array(steps.length * componentCount)
    for (const [step, components] of steps.entries())
      fill(levels.subarray(step * componentCount, (step + 1) * componentCount), components)
    this.#known = { chase, count: steps.length, levels }
    return this.#known
  }
}

function fill(into: Float64Array, components: Components): void {
  for (let component = 0; component < into.length; component++)
    into[component] = components[component] ?? 0
}
