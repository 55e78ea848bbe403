/**
 * A lamp on a line: a relay, a solid-state relay or an LED that is only on or off.
 * The change is handed to the host ahead of time, so it happens on time whatever the main thread does.
 */
import { DeviceError } from '../runtime/core/errors.js'
import { Signal } from '../runtime/core/signal.js'
import { after } from '../runtime/core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type { Light } from '../runtime/ports/devices.js'
import type { Fired, OutputLine } from '../runtime/ports/host.js'
import { planChange } from './planned-line.js'

export interface GpioLightOptions {
  readonly name: string
  /** How long the lamp takes to follow its line (a relay's pull-in time); the line changes so much early. 0..2000 */
  readonly leadMs: number
  /** The lowest level that switches the lamp on. 0..1 */
  readonly threshold: number
}

interface Step {
  readonly isOn: boolean
  readonly at: MonotonicMs
  cancel: Cancel
}

/** As many as a line of the host holds. */
const STEPS_MAX = 256

export class GpioLight implements Light {
  readonly name: string
  readonly channelCount = 1
  readonly isDimmable = false
  readonly leadMs: number
  readonly #line: OutputLine
  readonly #clock: Clock
  readonly #threshold: number
  readonly #faults = new Signal<Error>()
  readonly #applied = new Signal<Fired>()
  #steps: Step[] = []
  #isOn = false
  #isDark = false
  #isRunning = false

  constructor(line: OutputLine, clock: Clock, options: GpioLightOptions) {
    this.#line = line
    this.#clock = clock
    this.name = options.name
    this.leadMs = options.leadMs
    this.#threshold = options.threshold
  }

  async start(): Promise<void> {
    await this.#line.open(false)
    this.#isOn = false
    this.#isRunning = true
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#forgetSteps()
    await this.#line.close()
  }

  onFault(listener: (fault: Error) => void): Cancel {
    return this.#faults.listen(listener)
  }

  onApplied(listener: (fired: Fired) => void): Cancel {
    return this.#applied.listen(listener)
  }

  /** Ignored while the device is not running; a level that changes nothing costs nothing. */
  apply(levels: readonly number[], at: MonotonicMs): void {
    if (!this.#isRunning) return
    const isOn = (levels[0] ?? 0) >= this.#threshold
    if (isOn === (this.#steps.at(-1)?.isOn ?? this.#isOn)) return
    this.#makeRoom()
    const step: Step = { isOn, at, cancel: () => {} }
    this.#steps.push(step)
    if (!this.#isDark) this.#plan(step)
  }

  cancelPlanned(): void {
    if (this.#isDark) this.#takePast()
    const now = this.#clock.monotonicMs()
    // A step whose moment has come is on its way to the line; it is let through and heard of.
    const onTheWay = this.#steps.filter(step => this.#lineMoment(step) <= now)
    for (const step of this.#steps) if (!onTheWay.includes(step)) step.cancel()
    this.#steps = onTheWay
  }

  blackout(): void {
    this.#isDark = true
    for (const step of this.#steps) step.cancel()
    this.#set(false)
  }

  restore(): void {
    if (!this.#isDark) return
    this.#isDark = false
    this.#takePast()
    this.#set(this.#isOn)
    for (const step of this.#steps) this.#plan(step)
  }

  #lineMoment(step: Step): MonotonicMs {
    return after(step.at, -this.leadMs)
  }

  #plan(step: Step): void {
    this.#try(() => {
      step.cancel = planChange(this.#clock, this.#line, {
        isActive: step.isOn,
        at: this.#lineMoment(step),
        fired: fired => this.#onFired(step, fired),
        overdue: fault => this.#fail(fault),
      })
    })
  }

  #onFired(step: Step, fired: Fired): void {
    if (!this.#isRunning) return
    if (this.#isDark || !this.#steps.includes(step)) {
      // It had left for the firing thread before it could be called back: take it back.
      this.#set(this.#isOn && !this.#isDark)
      return
    }
    this.#isOn = step.isOn
    this.#steps = this.#steps.filter(other => other !== step)
    // The lamp follows its line by `leadMs`: reported is the light, not the line.
    const { firedMs, source } = fired
    this.#applied.emit({ plannedMs: step.at, firedMs: after(firedMs, this.leadMs), source })
  }

  /** While dark nothing is planned, so steps whose moment has come are counted as done here. */
  #takePast(): void {
    const now = this.#clock.monotonicMs()
    const isPast = (step: Step): boolean => this.#lineMoment(step) <= now
    for (const step of this.#steps) if (isPast(step)) this.#isOn = step.isOn
    this.#steps = this.#steps.filter(step => !isPast(step))
  }

  #makeRoom(): void {
    if (this.#isDark) this.#takePast()
    if (this.#steps.length < STEPS_MAX) return
    this.#steps.shift()?.cancel()
  }

  #forgetSteps(): void {
    for (const step of this.#steps) step.cancel()
    this.#steps = []
  }

  #set(isOn: boolean): void {
    if (this.#isRunning) this.#try(() => this.#line.set(isOn))
  }

  #try(act: () => void): void {
    try {
      act()
    } catch (fault) {
      this.#fail(fault)
    }
  }

  #fail(fault: unknown): void {
    // Anything else is a bug, and must stop the process.
    if (!(fault instanceof DeviceError)) throw fault
    if (!this.#isRunning) return
    this.#isRunning = false
    this.#forgetSteps()
    this.#faults.emit(fault)
  }
}
