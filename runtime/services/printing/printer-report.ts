/** Tells how a printer feels and what waits for it: at once when that changes, and then at most twice a second. */
import { after } from '../../core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../ports/clock.js'
import type { Payload } from '../../topics.js'

export type PrinterState = Payload<'printer/state'>

const EVERY_MS = 500

export class PrinterReport {
  readonly #clock: Clock
  readonly #look: () => PrinterState
  readonly #tell: (state: PrinterState) => void
  #told: string | null = null
  #toldAt: MonotonicMs | null = null
  #cancel: Cancel | null = null

  constructor(clock: Clock, look: () => PrinterState, tell: (state: PrinterState) => void) {
    this.#clock = clock
    this.#look = look
    this.#tell = tell
  }

  /** Something may have changed. */
  note(): void {
    if (this.#cancel !== null) return
    const now = this.#clock.monotonicMs()
    const due = this.#toldAt === null ? now : after(this.#toldAt, EVERY_MS)
    // Who notes it may be in the middle of several changes.
    this.#cancel = this.#clock.runAt(due, () => {
      this.#cancel = null
      this.#say()
    })
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  #say(): void {
    const state = this.#look()
    const text = JSON.stringify(state)
    if (text === this.#told) return
    this.#told = text
    this.#toldAt = this.#clock.monotonicMs()
    this.#tell(state)
  }
}
