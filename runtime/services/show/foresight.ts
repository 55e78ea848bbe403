/** What comes of a state by itself is worked out once, for the show and for all lights that look ahead. */
import type { CheckedShow } from './checked-show.js'
import { advance, type Done, type Step } from './fold.js'
import type { ShowState } from './state.js'

export class Foresight {
  readonly #show: CheckedShow
  /** From a state to what the first thing that waits makes of it. */
  readonly #known = new WeakMap<ShowState, ShowState>()

  constructor(show: CheckedShow) {
    this.#show = show
  }

  /** As `advance` does. */
  advance(state: ShowState, tMs: number): Step {
    const done: Done[] = []
    let at = state
    for (let due = at.waiting[0]; due && due.t0Ms <= tMs; due = at.waiting[0]) {
      at = this.#after(at, due)
      done.push(due)
    }
    return { state: at, done }
  }

  /** As `stateAt` does. */
  stateAt(state: ShowState, tMs: number): ShowState {
    let at = state
    for (let due = at.waiting[0]; due && due.t0Ms <= tMs; due = at.waiting[0])
      at = this.#after(at, due)
    return at
  }

  #after(state: ShowState, due: Done): ShowState {
    const known = this.#known.get(state)
    if (known) return known
    const after = advance(this.#show, state, due.t0Ms, 1).state
    this.#known.set(state, after)
    return after
  }
}
