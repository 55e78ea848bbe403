import type { MonotonicMs } from '../runtime/ports/clock.js'

export interface PatienceOptions {
  /** How long a printer that could print is given. */
  readonly readyMs: number
  /** How long people are given to mend what hinders it, all together. */
  readonly hinderedMs: number
}

/** How long to wait for a printer to confirm: while it is hindered the clock of the printer stands still. */
export class Patience {
  readonly #options: PatienceOptions
  readonly #begunAt: MonotonicMs
  #hinderedAt: MonotonicMs

  constructor(now: MonotonicMs, options: PatienceOptions) {
    this.#options = options
    this.#begunAt = now
    this.#hinderedAt = now
  }

  /** What is at its end: the printer's time, the people's, or neither. */
  look(now: MonotonicMs, isHindered: boolean): 'unanswered' | 'not-mended' | null {
    const { readyMs, hinderedMs } = this.#options
    if (isHindered) this.#hinderedAt = now
    if (now - this.#hinderedAt >= readyMs) return 'unanswered'
    return now - this.#begunAt >= hinderedMs + readyMs ? 'not-mended' : null
  }
}
