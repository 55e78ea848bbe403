/** One dimmed lamp on a PWM output of the board. */
import { DeviceError } from '../runtime/core/errors.js'
import { Signal } from '../runtime/core/signal.js'
import type { Cancel, Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type { Light } from '../runtime/ports/devices.js'
import type { Fired, PwmOutput } from '../runtime/ports/host.js'
import { dutyOf } from './gamma.js'
import { Timeline } from './timeline.js'

export interface PwmLightOptions {
  readonly name: string
  /** 1..100000; below 100 a camera sees it flicker. */
  readonly frequencyHz: number
  /** See `dutyOf`. */
  readonly gamma: number
}

export class PwmLight implements Light {
  readonly name: string
  readonly channelCount = 1
  readonly isDimmable = true
  /** A new duty is in force within one period. */
  readonly leadMs = 0
  readonly #output: PwmOutput
  readonly #clock: Clock
  readonly #frequencyHz: number
  readonly #gamma: number
  readonly #timeline: Timeline<number>
  readonly #faults = new Signal<Error>()
  readonly #applied = new Signal<Fired>()
  #level = 0
  #isDark = false
  #isRunning = false

  constructor(output: PwmOutput, clock: Clock, options: PwmLightOptions) {
    this.#output = output
    this.#clock = clock
    this.name = options.name
    this.#frequencyHz = options.frequencyHz
    this.#gamma = options.gamma
    this.#timeline = new Timeline(clock, {
      begin: (_, at) => ({ from: at, release: () => {} }),
      due: (level, at) => this.#show(level, at),
    })
  }

  async start(): Promise<void> {
    await this.#output.open(this.#frequencyHz)
    this.#level = 0
    this.#isRunning = true
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#timeline.clear()
    await this.#output.close()
  }

  onFault(listener: (fault: Error) => void): Cancel {
    return this.#faults.listen(listener)
  }

  onApplied(listener: (fired: Fired) => void): Cancel {
    return this.#applied.listen(listener)
  }

  /** Ignored while the device is not running. */
  apply(levels: readonly number[], at: MonotonicMs): void {
    if (this.#isRunning) this.#timeline.add(levels[0] ?? 0, at)
  }

  cancelPlanned(): void {
    this.#timeline.clear()
  }

  blackout(): void {
    this.#isDark = true
    this.#setDuty(0)
  }

  restore(): void {
    if (!this.#isDark) return
    this.#isDark = false
    this.#setDuty(dutyOf(this.#level, this.#gamma))
  }

  #show(level: number, at: MonotonicMs): void {
    const isChange = level !== this.#level
    this.#level = level
    if (this.#isDark || !isChange || !this.#setDuty(dutyOf(level, this.#gamma))) return
    this.#applied.emit({ plannedMs: at, firedMs: this.#clock.monotonicMs(), source: 'program' })
  }

  #setDuty(duty: number): boolean {
    if (!this.#isRunning) return false
    try {
      this.#output.setDuty(duty)
      return true
    } catch (fault) {
      // Anything else is a bug, and must stop the process.
      if (!(fault instanceof DeviceError)) throw fault
      this.#isRunning = false
      this.#timeline.clear()
      this.#faults.emit(fault)
      return false
    }
  }
}
