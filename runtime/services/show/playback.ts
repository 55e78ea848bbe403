/**
 * Levels computed again and again as time goes on: to the bit those of `levels`, at a fraction of their price. An output
 * at rest is not computed at all.
 */
import type { ShowTimeMs } from '../../ports/clock.js'
import type { CheckedShow, Output } from './checked-show.js'
import { cover, isSeen, type Levels, type Strengths, strengthsOf } from './levels.js'
import type { ShowState } from './state.js'
import { Track, Unison } from './track.js'

export class Playback {
  /** What `moveTo` found last; only the entries of its outputs are written. */
  readonly levels: Levels
  readonly #show: CheckedShow
  readonly #tracks: readonly Track[]
  #strengths: Strengths | null = null
  #state: ShowState | null = null
  #tMs = 0

  constructor(show: CheckedShow, outputs: readonly Output[] = show.outputs) {
    const unison = new Unison()
    this.#show = show
    this.#tracks = outputs.map(output => new Track(show, output, unison))
    this.levels = new Float64Array(show.componentCount)
  }

  /** @param state advanced to `t`, which may lie before the last one */
  moveTo(state: ShowState, t: ShowTimeMs): void {
    if (state === this.#state && t === this.#tMs) return
    this.#state = state
    this.#tMs = t
    const strengths = strengthsOf(state, t)
    const isAsBefore =
      strengths.panic === this.#strengths?.panic && strengths.light === this.#strengths.light
    const seen = isSeen(strengths)
    this.#strengths = strengths
    for (const track of this.#tracks) {
      if (!track.look(state, t) && isAsBefore) continue
      if (seen) track.write(state, t, this.levels)
      cover(this.#show, track.output, strengths, this.levels)
    }
  }
}
