/** What the firing thread does at moments: sets lines. */
import { messageOf } from '../../runtime/core/errors.js'
import { deviceErrorOf } from './errno.js'
import { Outcome } from './firing-changes.js'
import type { FiringReport, FiringShared } from './firing-protocol.js'
import type { LineWriter } from './line-writer.js'
import { type LoopSignals, MomentLoop, type MomentThread, type MomentWork } from './moment-loop.js'
import type { Ticket } from './planned-slots.js'
import type { SpinMargin } from './spin-margin.js'

export interface FiringThread extends MomentThread {
  readonly write: LineWriter
  report(report: FiringReport): void
}

/** The firing thread's part of what both threads share. */
export type LoopShared = Pick<FiringShared, 'changes' | 'lines'> & { readonly signals: LoopSignals }

export class FiringLoop implements MomentWork {
  readonly #shared: LoopShared
  readonly #thread: FiringThread
  readonly #loop: MomentLoop
  #next: Ticket | null = null

  /** @param options.heartbeatMs outputs go to their safe states when the main thread has been silent for longer */
  constructor(
    shared: LoopShared,
    thread: FiringThread,
    margin: SpinMargin,
    options: { readonly heartbeatMs: number },
  ) {
    this.#shared = shared
    this.#thread = thread
    this.#loop = new MomentLoop(this, shared.signals, thread, margin, options)
  }

  /** Fires one change that is due, or sleeps until there may be one. */
  turn(): void {
    this.#loop.turn()
  }

  next(): Ticket | null {
    this.#next = this.#shared.changes.earliest()
    return this.#next
  }

  doNext(): void {
    if (this.#next !== null) this.#fire(this.#next)
  }

  #fire(ticket: Ticket): void {
    const { changes, lines } = this.#shared
    const taken = changes.take(ticket)
    if (taken === null) return
    let outcome: Outcome = Outcome.failed
    try {
      const isOpen = lines.use(taken.line, ({ fd, method }) =>
        this.#thread.write(fd, method, taken.isActive),
      )
      outcome = isOpen ? Outcome.fired : Outcome.dropped
    } catch (error) {
      this.#fail(taken.line, error)
    } finally {
      changes.finish(ticket, outcome, this.#thread.nowMs())
    }
  }

  tell(): void {
    this.#thread.report({ kind: 'over' })
  }

  tellLoss(silentMs: number): void {
    this.#thread.report({ kind: 'heartbeat-lost', silentMs })
  }

  /** What was planned is dropped: nobody is there to answer for it, or to plan the change that should follow it. */
  makeSafe(): void {
    const { changes, lines } = this.#shared
    for (let next = changes.earliest(); next !== null; next = changes.earliest()) {
      if (changes.take(next) === null) continue
      changes.finish(next, Outcome.dropped, this.#thread.nowMs())
    }
    for (let line = 0; line < lines.lineCount; line++)
      try {
        lines.use(line, ({ fd, method, isSafeActive }) =>
          this.#thread.write(fd, method, isSafeActive),
        )
      } catch (error) {
        // The other lines must still be made safe.
        this.#fail(line, error)
      }
  }

  #fail(line: number, error: unknown): void {
    const { code } = deviceErrorOf('setting a line', error)
    this.#thread.report({ kind: 'write-failed', line, code, message: messageOf(error) })
  }
}
