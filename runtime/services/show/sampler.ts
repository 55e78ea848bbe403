/** Looks at the levels for whoever watches: when they change, at most 25 times a second, and never otherwise. */
import { after, later } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs, ShowTimeMs } from '../../ports/clock.js'
import type { Payload } from '../../topics.js'
import type { CheckedShow } from './checked-show.js'
import { stateAt } from './fold.js'
import { type Change, type Levels, nextChange } from './levels.js'
import { Playback } from './playback.js'
import type { ShowState } from './state.js'

const SAMPLE_MS = 40
const REST_MS_MAX = 1000

export class Sampler {
  readonly #clock: Clock
  readonly #show: CheckedShow
  readonly #sampled: (levels: Levels) => void
  readonly #playback: Playback
  #state: ShowState | null = null
  /** The change that was found last. */
  #known: Change | null = null
  #last: Levels | null = null
  #lastAt: MonotonicMs | null = null
  #cancel: Cancel = () => {}

  constructor(clock: Clock, show: CheckedShow, sampled: (levels: Levels) => void) {
    this.#clock = clock
    this.#show = show
    this.#sampled = sampled
    this.#playback = new Playback(show)
  }

  stop(): void {
    this.#cancel()
    this.#state = null
  }

  /** Something happened. */
  note(state: ShowState): void {
    this.#state = state
    this.#known = null
    const now = this.#clock.monotonicMs()
    this.#wait(this.#lastAt === null ? now : later(now, after(this.#lastAt, SAMPLE_MS)))
  }

  #wait(at: MonotonicMs): void {
    this.#cancel()
    this.#cancel = this.#clock.runAt(at, () => this.#sample())
  }

  #sample(): void {
    if (!this.#state) return
    const now = this.#clock.monotonicMs()
    const t = this.#clock.showTimeMs()
    this.#playback.moveTo(stateAt(this.#show, this.#state, t), t)
    if (this.#last === null || !isSame(this.#last, this.#playback.levels)) {
      this.#last = this.#playback.levels.slice()
      this.#lastAt = now
      this.#sampled(this.#last)
    }
    const change = this.#change(this.#state, t)
    if (change === null) return
    const due =
      change.kind === 'fading'
        ? after(now, SAMPLE_MS)
        : later(this.#clock.showToMonotonic(change.atShowMs), after(now, SAMPLE_MS))
    this.#wait(due - now > REST_MS_MAX ? after(now, REST_MS_MAX) : due)
  }

  /** A fade that goes on until a boundary needs no second look before it. */
  #change(state: ShowState, t: ShowTimeMs): Change | null {
    if (this.#known?.kind !== 'fading' || t >= this.#known.boundaryShowMs)
      this.#known = nextChange(this.#show, state, t)
    return this.#known
  }
}

function isSame(a: Levels, b: Levels): boolean {
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}

/** By output: the brightest of its components, and all of them where they make a color. */
export function sampleOf(show: CheckedShow, found: Levels): Payload<'levels/sampled'> {
  const brightnesses: Record<string, number> = {}
  const colors: Record<string, number[]> = {}
  for (const { name, offset, componentCount } of show.outputs) {
    let brightest = 0
    for (let index = offset; index < offset + componentCount; index++)
      brightest = Math.max(brightest, found[index] ?? 0)
    brightnesses[name] = brightest
    if (componentCount > 1) colors[name] = [...found.subarray(offset, offset + componentCount)]
  }
  return { levels: brightnesses, colors }
}
