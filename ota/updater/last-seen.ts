/** What the box said last, for as long as its silence may be that of a runtime which is started again. */
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { BoxView } from './criteria.js'

/** A runtime that hangs is ended after 17 s; it starts, and goes on with the show that was armed. */
const SILENT_MS_MAX = 60_000

export class LastSeen {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #last: { readonly box: BoxView; readonly atMs: MonotonicMs } | null = null

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** To be told each answer. @param box null: it does not answer @returns null: it has not for a minute, or never did */
  of(box: BoxView | null): BoxView | null {
    const nowMs = this.#clock.monotonicMs()
    if (box !== null) this.#last = { box, atMs: nowMs }
    else if (this.#last !== null && nowMs - this.#last.atMs >= SILENT_MS_MAX) this.#last = null
    return this.#last?.box ?? null
  }
}
