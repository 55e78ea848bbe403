/**
 * What the firing thread does, turn by turn: sleep until shortly before the next change, spin to its moment, write, go
 * on. It also watches over the main thread: when that stops beating, the outputs go to their safe states.
 */
import { messageOf } from '../../runtime/core/errors.js'
import { deviceErrorOf } from './errno.js'
import { Outcome, type Ticket } from './firing-changes.js'
import type { FiringReport, FiringShared } from './firing-protocol.js'
import type { FiringSignals } from './firing-signals.js'
import type { LineWriter } from './line-writer.js'
import type { SpinMargin } from './spin-margin.js'

export interface FiringThread {
  /** CLOCK_MONOTONIC in milliseconds. */
  nowMs(): number
  readonly write: LineWriter
  report(report: FiringReport): void
  /** Keeps the processor from falling into sleep states that it takes long to leave. */
  holdAwake(isHeld: boolean): void
}

/** The firing thread's part of what both threads share. */
export type LoopShared = Pick<FiringShared, 'changes' | 'lines'> & {
  readonly signals: Pick<FiringSignals, 'version' | 'sleep' | 'beats'>
}

/** So many changes may be over before the main thread hears of them, even when the next is due at once. */
const UNREPORTED_MAX = 64
/** Fewer: the processor would fall asleep in the middle of a run of cues. More: it would burn power all evening. */
const AWAKE_BEFORE_MS = 500
const AWAKE_BETWEEN_MS = 5_000

export class FiringLoop {
  readonly #shared: LoopShared
  readonly #thread: FiringThread
  readonly #margin: SpinMargin
  readonly #heartbeatMs: number
  #beats: number
  #beatMs: number
  #isLost = false
  #isAwake = false
  #unreported = 0

  /** @param options.heartbeatMs outputs go to their safe states when the main thread has been silent for longer */
  constructor(
    shared: LoopShared,
    thread: FiringThread,
    margin: SpinMargin,
    options: { readonly heartbeatMs: number },
  ) {
    this.#shared = shared
    this.#thread = thread
    this.#margin = margin
    this.#heartbeatMs = options.heartbeatMs
    this.#beats = shared.signals.beats()
    this.#beatMs = thread.nowMs()
  }

  /** Fires one change that is due, or sleeps until there may be one. */
  turn(): void {
    const { changes, signals } = this.#shared
    const version = signals.version()
    const nowMs = this.#thread.nowMs()
    this.#watchHeartbeat(nowMs)
    const next = this.#isLost ? null : changes.earliest()
    const untilMs = next === null ? Number.POSITIVE_INFINITY : next.at - nowMs
    this.#holdAwake(untilMs)
    if (next !== null && untilMs <= this.#margin.ms) this.#fireAtMoment(next, version)
    else this.#sleep(version, untilMs - this.#margin.ms, nowMs)
  }

  #sleep(version: number, wantedMs: number, nowMs: number): void {
    this.#tell()
    const durationMs = Math.min(wantedMs, this.#heartbeatMs / 4)
    const isTimedOut = this.#shared.signals.sleep(version, durationMs)
    if (isTimedOut) this.#margin.learn(this.#thread.nowMs() - nowMs - durationMs)
  }

  #fireAtMoment(next: Ticket, version: number): void {
    while (this.#thread.nowMs() < next.at) {
      // Something was planned or cancelled: there may be another next one.
      if (this.#shared.signals.version() !== version) return
    }
    this.#fire(next)
    if (++this.#unreported >= UNREPORTED_MAX) this.#tell()
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

  #tell(): void {
    if (this.#unreported === 0) return
    this.#unreported = 0
    this.#thread.report({ kind: 'over' })
  }

  #watchHeartbeat(nowMs: number): void {
    const beats = this.#shared.signals.beats()
    if (beats !== this.#beats) {
      if (this.#isLost)
        this.#thread.report({ kind: 'heartbeat-lost', silentMs: nowMs - this.#beatMs })
      this.#beats = beats
      this.#beatMs = nowMs
      this.#isLost = false
    } else if (!this.#isLost && nowMs - this.#beatMs > this.#heartbeatMs) {
      this.#isLost = true
      this.#makeSafe()
    }
  }

  /** What was planned is dropped: nobody is there to answer for it, or to plan the change that should follow it. */
  #makeSafe(): void {
    const { changes, lines } = this.#shared
    for (let next = changes.earliest(); next !== null; next = changes.earliest()) {
      if (changes.take(next) === null) continue
      changes.finish(next, Outcome.dropped, this.#thread.nowMs())
      this.#unreported++
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

  #holdAwake(untilMs: number): void {
    const isWanted = untilMs <= (this.#isAwake ? AWAKE_BETWEEN_MS : AWAKE_BEFORE_MS)
    if (isWanted === this.#isAwake) return
    this.#isAwake = isWanted
    this.#thread.holdAwake(isWanted)
  }
}
