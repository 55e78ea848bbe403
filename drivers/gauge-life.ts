/** What every gauge owes its owner: a reading only between start and stop, and the first failed one told as a fault. */
import { DeviceError } from '../runtime/core/errors.js'
import { Signal } from '../runtime/core/signal.js'
import type { Cancel } from '../runtime/ports/clock.js'

export class GaugeLife {
  readonly #name: string
  readonly #faults = new Signal<Error>()
  #isRunning = false

  constructor(name: string) {
    this.#name = name
  }

  begin(): void {
    this.#isRunning = true
  }

  end(): void {
    this.#isRunning = false
  }

  onFault(listener: (fault: Error) => void): Cancel {
    return this.#faults.listen(listener)
  }

  /** Told once: the owner then stops and starts the gauge. */
  fail(fault: DeviceError): void {
    if (!this.#isRunning) return
    this.#isRunning = false
    this.#faults.emit(fault)
  }

  /** Throws what the work throws; a DeviceError is a fault, and anything else a bug that is left alone. */
  async watch<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#isRunning) throw new DeviceError('device.absent', `${this.#name} is not running`)
    try {
      return await work()
    } catch (error) {
      if (error instanceof DeviceError) this.fail(error)
      throw error
    }
  }
}
