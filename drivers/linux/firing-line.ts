import { DeviceError } from '../../runtime/core/errors.js'
import type { Cancel, Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { Fired } from '../../runtime/ports/host.js'
import type { SharedLine } from './firing-lines.js'
import type { FiringPlans } from './firing-plans.js'
import type { FiringShared } from './firing-protocol.js'
import type { LineWriter } from './line-writer.js'

/** The firing thread writes to a line for microseconds; so long means that it hangs in the kernel. */
const BUSY_MS_MAX = 1000

export interface FiringLineOptions {
  readonly name: string
  /** Its place among the lines of the firing thread. */
  readonly index: number
  readonly line: SharedLine
}

/** An output that both threads may write to, from being taken to `close`. */
export class FiringLine {
  readonly name: string
  readonly index: number
  readonly #clock: Clock
  readonly #shared: FiringShared
  readonly #plans: FiringPlans
  readonly #write: LineWriter
  readonly #line: SharedLine
  #fault: DeviceError | null = null

  constructor(
    clock: Clock,
    shared: FiringShared,
    plans: FiringPlans,
    write: LineWriter,
    options: FiringLineOptions,
  ) {
    this.#clock = clock
    this.#shared = shared
    this.#plans = plans
    this.#write = write
    this.name = options.name
    this.index = options.index
    this.#line = options.line
  }

  /** Sets the line now, after everything that was due before. */
  set(isActive: boolean): void {
    this.#begin()
    this.#fireDue()
    this.#writeNow(isActive)
  }

  setAt(isActive: boolean, at: MonotonicMs, done: (fired: Fired) => void): Cancel {
    this.#begin()
    const plan = this.#plans.add({ line: this.index, isActive, at }, done)
    // Waking another thread takes longer than doing it: what is due is done here.
    if (at <= this.#clock.monotonicMs()) this.#fireDue()
    else this.#shared.signals.wake()
    return () => this.#plans.cancel(plan)
  }

  /** A change that the firing thread tried and could not make: the line is gone until it is opened again. */
  fail(fault: DeviceError): void {
    this.#fault ??= fault
  }

  /** Drops what is planned and leaves the line in its safe state. The descriptor may be closed afterwards. */
  close(): void {
    try {
      this.makeSafe()
    } finally {
      this.#shared.lines.close(this.index)
    }
    if (!this.#shared.lines.waitWhileBusy(this.index, BUSY_MS_MAX))
      throw new DeviceError('device.stuck', `${this.name}: the firing thread hangs in a write`)
  }

  makeSafe(): void {
    this.#plans.cancelAll(this.index)
    this.#write(this.#line.fd, this.#line.method, this.#line.isSafeActive)
  }

  #begin(): void {
    if (this.#fault) throw this.#fault
    this.#shared.signals.beat()
  }

  #fireDue(): void {
    this.#plans.fireDue(this.index, isActive => this.#writeNow(isActive))
  }

  #writeNow(isActive: boolean): void {
    this.#write(this.#line.fd, this.#line.method, isActive)
  }
}
