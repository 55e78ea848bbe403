/** A PWM output of the simulated board: remembers its frequency and every duty it was given. */
import { DeviceError, type ErrorCode } from '../../runtime/core/errors.js'
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { PwmOutput } from '../../runtime/ports/host.js'

const HISTORY_MAX = 1000
const FREQUENCY_HZ_MAX = 100_000

export class SimulatedPwm {
  readonly name: string
  readonly #clock: Clock
  #isTaken = false
  #history: { readonly duty: number; readonly at: MonotonicMs }[] = []
  frequencyHz = 0
  duty = 0
  /** Every use of the output fails with this code; null: it is well. */
  fault: ErrorCode | null = null

  constructor(name: string, clock: Clock) {
    this.name = name
    this.#clock = clock
  }

  /** The last 1000 duties, oldest first. */
  get history(): readonly { readonly duty: number; readonly at: MonotonicMs }[] {
    return this.#history
  }

  /** A handle as the host gives it out: one at a time may be open. */
  output(): PwmOutput {
    let isOpen = false
    const requireOpen = (): void => {
      if (!isOpen) throw new DeviceError('device.absent', `pwm ${this.name} is not open`)
    }
    return {
      name: this.name,
      open: async frequencyHz => {
        this.#requireWell()
        if (this.#isTaken) throw new DeviceError('device.busy', `pwm ${this.name} is in use`)
        if (!(frequencyHz >= 1 && frequencyHz <= FREQUENCY_HZ_MAX))
          throw new DeviceError('device.limit', `pwm ${this.name} cannot do ${frequencyHz} Hz`)
        isOpen = true
        this.#isTaken = true
        this.frequencyHz = frequencyHz
        this.#set(0)
      },
      setDuty: duty => {
        requireOpen()
        this.#requireWell()
        this.#set(Math.min(1, Math.max(0, duty)))
      },
      close: async () => {
        if (!isOpen) return
        isOpen = false
        this.#isTaken = false
        this.#set(0)
      },
    }
  }

  /** As the guard of a real machine does it, behind the back of whoever has the output. */
  carryOutLastWords(): void {
    if (this.#isTaken) this.#set(0)
  }

  /** What a dead process had is free. */
  release(): void {
    this.#isTaken = false
  }

  #set(duty: number): void {
    this.duty = duty
    this.#history.push({ duty, at: this.#clock.monotonicMs() })
    if (this.#history.length > HISTORY_MAX) this.#history = this.#history.slice(-HISTORY_MAX / 2)
  }

  #requireWell(): void {
    if (this.fault) throw new DeviceError(this.fault, `pwm ${this.name} fails with ${this.fault}`)
  }
}
