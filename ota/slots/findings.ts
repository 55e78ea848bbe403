/** What was found when the slots were last read from the card as a whole, by this process. */
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { SlotName } from './slot-state.js'

interface Finding {
  readonly digest: string
  readonly problem: string | null
  readonly at: MonotonicMs
}

export interface Found {
  /** Null: every byte was right. */
  readonly problem: string | null
  readonly agoMs: number
}

export class Findings {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #last = new Map<SlotName, Finding>()

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  note(name: SlotName, digest: string, problem: string | null): void {
    this.#last.set(name, { digest, problem, at: this.#clock.monotonicMs() })
  }

  /** Null: this release was not read there since the start. */
  of(name: SlotName, digest: string): Found | null {
    const last = this.#last.get(name)
    if (last === undefined || last.digest !== digest) return null
    return { problem: last.problem, agoMs: this.#clock.monotonicMs() - last.at }
  }
}
