/** Shows the levels to whoever watches: when they change, at most 25 times a second, and never otherwise. */
import { after, later } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { CheckedShow } from './checked-show.js'
import { type Levels, levels, nextChange } from './levels.js'
import type { ShowState } from './state.js'

const SAMPLE_MS = 40
const REST_MS_MAX = 1000

export class Sampler {
  readonly #clock: Clock
  readonly #show: CheckedShow
  readonly #sampled: (levels: Record<string, number>) => void
  #state: ShowState | null = null
  #last: Levels | null = null
  #lastAt: MonotonicMs | null = null
  #cancel: Cancel = () => {}

  constructor(clock: Clock, show: CheckedShow, sampled: (levels: Record<string, number>) => void) {
    this.#clock = clock
    this.#show = show
    this.#sampled = sampled
  }

  stop(): void {
    this.#cancel()
    this.#state = null
  }

  /** Something happened. */
  note(state: ShowState): void {
    this.#state = state
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
    const found = levels(this.#show, this.#state, t)
    const last = this.#last
    if (last === null || found.some((level, index) => level !== last[index])) {
      this.#last = found
      this.#lastAt = now
      this.#sampled(brightnesses(this.#show, found))
    }
    const change = nextChange(this.#show, this.#state, t)
    if (change === null) return
    const due =
      change.kind === 'fading'
        ? after(now, SAMPLE_MS)
        : later(this.#clock.showToMonotonic(change.atShowMs), after(now, SAMPLE_MS))
    this.#wait(due - now > REST_MS_MAX ? after(now, REST_MS_MAX) : due)
  }
}

/** By output: the brightest of its components. */
function brightnesses(show: CheckedShow, found: Levels): Record<string, number> {
  const named: Record<string, number> = {}
  for (const { name, offset, componentCount } of show.outputs) {
    let brightest = 0
    for (let index = offset; index < offset + componentCount; index++)
      brightest = Math.max(brightest, found[index] ?? 0)
    named[name] = brightest
  }
  return named
}
