/** Tells of the grid of beats whenever it changes, and of what is planned of it. */
import type { Bus } from '../../core/bus.js'
import type { Messages } from '../../topics.js'
import type { CheckedShow } from './checked-show.js'
import type { ShowState } from './state.js'
import { tempoPieces } from './tempo.js'

export class TempoReport {
  readonly #bus: Bus<Messages>
  readonly #show: CheckedShow
  #told = ''

  constructor(bus: Bus<Messages>, show: CheckedShow) {
    this.#bus = bus
    this.#show = show
  }

  note(state: ShowState): void {
    const pieces = tempoPieces(this.#show, state).map(({ fromMs, grid }) => ({ fromMs, grid }))
    // Where nothing runs, it is all the same since when.
    const first = pieces[0]
    if (first?.grid === null) first.fromMs = 0
    const text = JSON.stringify(pieces)
    if (text === this.#told) return
    this.#told = text
    this.#bus.publish('tempo/state', { pieces })
  }
}
