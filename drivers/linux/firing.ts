/** The main thread's side of the firing thread: starts it, beats for it, takes lines for it, hears how changes went. */
import type { Worker } from 'node:worker_threads'
import { assert, DeviceError, messageOf } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import { changesBuffer, PlannedChanges } from './firing-changes.js'
import { FiringLine } from './firing-line.js'
import { linesBuffer, type SharedLine, SharedLines } from './firing-lines.js'
import { FiringPlans, PLANNED_PER_LINE_MAX } from './firing-plans.js'
import type { FiringMessage, FiringReport, FiringSetup, FiringShared } from './firing-protocol.js'
import { FiringSignals, signalsBuffer } from './firing-signals.js'
import type { LineWriter } from './line-writer.js'
import type { RealTimeReady } from './real-time.js'
import { startWorker } from './worker.js'

export interface FiringOptions {
  /** How many lines can be open at once. */
  readonly lineCount: number
  /** Outputs go to their safe states when the main thread has been silent for longer. */
  readonly heartbeatMs: number
}

const BEATS_PER_LIMIT = 4

export class Firing {
  /** The main thread was silent for too long; outputs are in their safe states, what was planned is gone. */
  readonly heartbeatLost = new Signal<{ readonly silentMs: number }>()
  readonly #log: Log
  readonly #clock: Clock
  readonly #write: LineWriter
  readonly #heartbeatMs: number
  readonly #shared: FiringShared
  readonly #plans: FiringPlans
  readonly #lines: (FiringLine | null)[]
  #worker: Worker | null = null
  #ended: Promise<void> = Promise.resolve()
  #stopBeating: Cancel = () => {}

  /** @param write sets a line from the main thread */
  constructor(clock: Clock, log: Log, write: LineWriter, options: FiringOptions) {
    const { lineCount } = options
    this.#clock = clock
    this.#log = log
    this.#write = write
    this.#heartbeatMs = options.heartbeatMs
    this.#shared = {
      changes: new PlannedChanges(changesBuffer(lineCount * PLANNED_PER_LINE_MAX)),
      lines: new SharedLines(linesBuffer(lineCount)),
      signals: new FiringSignals(signalsBuffer()),
    }
    this.#plans = new FiringPlans(clock, this.#shared.changes, { lineCount })
    this.#lines = Array.from({ length: lineCount }, () => null)
  }

  /** Starts the thread and waits until it has its priority; once only. */
  async start(): Promise<void> {
    assert(this.#worker === null, 'the firing thread is started once')
    const beats = setInterval(
      () => this.#shared.signals.beat(),
      this.#heartbeatMs / BEATS_PER_LIMIT,
    ).unref()
    this.#stopBeating = () => clearInterval(beats)
    const data: FiringSetup = {
      changes: this.#shared.changes.buffer,
      lines: this.#shared.lines.buffer,
      signals: this.#shared.signals.buffer,
      heartbeatMs: this.#heartbeatMs,
    }
    const worker = startWorker('firing-worker', data)
    this.#worker = worker
    this.#ended = new Promise(resolve => worker.once('exit', () => resolve()))
    process.once('exit', this.#onExit)
    const ready = await new Promise<RealTimeReady>((resolve, reject) => {
      worker.once('error', reject)
      worker.on('message', (message: FiringMessage) => {
        if (message.kind !== 'ready') return this.#hear(message)
        // From now on a failure of the thread is a bug: it is thrown, and the process stops.
        worker.off('error', reject)
        resolve(message)
      })
    })
    this.#logReady(ready)
  }

  /** Lets both threads write to an open descriptor, which stays its owner's. */
  takeLine(name: string, line: SharedLine): FiringLine {
    const index = this.#lines.indexOf(null)
    assert(index >= 0, 'no more lines are taken than the board has outputs')
    this.#shared.lines.open(index, line)
    const taken = new FiringLine(this.#clock, this.#shared, this.#plans, this.#write, {
      name,
      index,
      line,
    })
    this.#lines[index] = taken
    return taken
  }

  /** Drops what is planned for the line and leaves it in its safe state; then the descriptor may be closed. */
  releaseLine(line: FiringLine): void {
    try {
      line.close()
    } finally {
      this.#lines[line.index] = null
    }
  }

  /** For the last moments of a process: all open lines to their safe states, nothing fires any more. Never throws. */
  safeNow(): void {
    this.#shared.signals.stop()
    for (const line of this.#lines)
      try {
        line?.makeSafe()
      } catch (error) {
        this.#log.error('firing.not-safe', { line: line?.name, error: messageOf(error) })
      }
  }

  /** Safe to call twice. Lines are released before. */
  async stop(): Promise<void> {
    this.#stopBeating()
    this.#shared.signals.stop()
    process.off('exit', this.#onExit)
    await this.#ended
    this.#plans.collect()
  }

  readonly #onExit = (): void => this.safeNow()

  #hear(report: FiringReport): void {
    switch (report.kind) {
      case 'over':
        this.#plans.collect()
        break
      case 'heartbeat-lost':
        this.#log.error('firing.heartbeat-lost', { silentMs: Math.round(report.silentMs) })
        this.#plans.collect()
        this.heartbeatLost.emit({ silentMs: report.silentMs })
        break
      case 'write-failed': {
        const line = this.#lines[report.line]
        this.#log.error('firing.write-failed', { line: line?.name, error: report.message })
        line?.fail(new DeviceError(report.code, `${line.name}: ${report.message}`))
        break
      }
    }
  }

  #logReady({ priority, latency, spinMs, garbage }: RealTimeReady): void {
    const facts = { ...priority, latency, spinMs, garbage }
    if (priority.policy === 'fifo') this.#log.info('firing.priority', facts)
    else this.#log.warn('firing.priority', facts)
  }
}
