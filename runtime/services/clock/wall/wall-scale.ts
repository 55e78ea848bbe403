/**
 * What ties the date to the machine's oscillator: a line, and what is left of the last correction, which goes away slowly.
 * The date is never less than the floor, and while it is frozen nothing moves it but the oscillator.
 */
import { later, wallTimeMs } from '../../../core/time.js'
import type { MonotonicMs, WallTimeMs } from '../../../ports/clock.js'
import type { WallMapping } from '../../../ports/wall-timeline.js'

/** What is further off is set at once (RFC 5905, figure 30: STEPT); the rest is made up at half a millisecond a second. */
const STEP_MS = 128
const SLEW = 500e-6
const PPM = 1e-6

export type Correction = 'stepped' | 'slewed' | 'held'

interface Line {
  readonly at: MonotonicMs
  readonly wallMs: number
  readonly ratePpm: number
  /** What the date still is from the line, at `at`. */
  readonly residualMs: number
}

export class WallScale implements WallMapping {
  #line: Line
  #floorMs: number
  #isFrozen = false

  constructor(at: MonotonicMs, wallMs: number, floorMs: number) {
    this.#floorMs = floorMs
    this.#line = { at, wallMs: Math.max(wallMs, floorMs), ratePpm: 0, residualMs: 0 }
  }

  get floorMs(): number {
    return this.#floorMs
  }

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  get ratePpm(): number {
    return this.#line.ratePpm
  }

  wallAt(at: MonotonicMs): WallTimeMs {
    return later(wallTimeMs(this.#lineAt(at) + this.#residualAt(at)), wallTimeMs(this.#floorMs))
  }

  /** Shows it from now on, whatever was shown: a person, or the system, has set the date. */
  set(at: MonotonicMs, wallMs: number): void {
    this.#line = {
      at,
      wallMs: Math.max(wallMs, this.#floorMs),
      ratePpm: this.#line.ratePpm,
      residualMs: 0,
    }
  }

  /**
   * What was found: makes up for it slowly, or at once where it is far.
   * @param isFirst nobody has relied on the date so far
   */
  correct(at: MonotonicMs, wallMs: number, ratePpm: number, isFirst: boolean): Correction {
    if (this.#isFrozen) return 'held'
    const shown = this.wallAt(at)
    const residualMs = shown - wallMs
    const isStep = isFirst || Math.abs(residualMs) > STEP_MS
    this.#line = { at, wallMs, ratePpm, residualMs: isStep ? 0 : residualMs }
    return isStep ? 'stepped' : 'slewed'
  }

  /** Frozen, it goes on as it is, and what was still to be made up for waits. */
  freeze(at: MonotonicMs, isFrozen: boolean): void {
    if (isFrozen && !this.#isFrozen)
      this.#line = { ...this.#line, at, wallMs: this.wallAt(at), residualMs: 0 }
    this.#isFrozen = isFrozen
  }

  /** It is known to be later than that. @returns whether the date was moved */
  raiseFloor(at: MonotonicMs, floorMs: number): boolean {
    if (floorMs <= this.#floorMs) return false
    const isBehind = this.wallAt(at) < floorMs
    this.#floorMs = floorMs
    if (isBehind) this.set(at, floorMs)
    return isBehind
  }

  /** What was taken for past is not: a person says so. */
  lowerFloor(floorMs: number): void {
    this.#floorMs = Math.min(this.#floorMs, floorMs)
  }

  #lineAt(at: MonotonicMs): number {
    const { wallMs, ratePpm } = this.#line
    const elapsedMs = at - this.#line.at
    return wallMs + elapsedMs + elapsedMs * ratePpm * PPM
  }

  #residualAt(at: MonotonicMs): number {
    const { residualMs } = this.#line
    const madeUpMs = SLEW * Math.max(0, at - this.#line.at)
    return Math.sign(residualMs) * Math.max(0, Math.abs(residualMs) - madeUpMs)
  }
}

const POINTS_MAX = 32
/** What an oscillator may be off before anything was measured of it. */
const USUAL_PPM = 50

/**
 * How much faster than the own oscillator the date runs: a line through what was found last, which is believed the more the
 * longer it is and the less it scatters.
 */
export class RateFit {
  #points: readonly { readonly at: number; readonly differenceMs: number }[] = []

  get count(): number {
    return this.#points.length
  }

  clear(): void {
    this.#points = []
  }

  add(at: MonotonicMs, differenceMs: number): void {
    if (this.#points.at(-1)?.at === at) return
    this.#points = [...this.#points, { at, differenceMs }].slice(-POINTS_MAX)
  }

  /** @param jitterMs of one point */
  ratePpm(jitterMs: number): number {
    const count = this.#points.length
    const base = this.#points[0]
    if (base === undefined || count < 3) return 0
    const mean = { at: 0, differenceMs: 0 }
    for (const { at, differenceMs } of this.#points) {
      mean.at += (at - base.at) / count
      mean.differenceMs += (differenceMs - base.differenceMs) / count
    }
    let [both, square] = [0, 0]
    for (const { at, differenceMs } of this.#points) {
      const elapsed = at - base.at - mean.at
      both += elapsed * (differenceMs - base.differenceMs - mean.differenceMs)
      square += elapsed ** 2
    }
    const doubt = (jitterMs / (USUAL_PPM * PPM)) ** 2
    const rate = both / (square + doubt) / PPM
    return Math.min(500, Math.max(-500, rate))
  }
}
