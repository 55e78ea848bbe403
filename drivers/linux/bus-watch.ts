/**
 * Sees a bus hang. A transfer is a call to the kernel and cannot be taken back: while one does not return, all that is
 * planned fails at once instead of waiting for it, and nothing more is taken, until it has come back.
 */
import { DeviceError } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { SharedChips } from './bus-chips.js'
import type { BusPlans } from './bus-plans.js'
import { TRANSFER_MS_MAX } from './i2c-queue.js'

export class BusWatch {
  readonly #clock: Clock
  readonly #log: Log
  readonly #chips: Pick<SharedChips, 'busyMs'>
  readonly #plans: Pick<BusPlans, 'fail'>
  readonly #bus: number
  #isStuck = false

  constructor(
    clock: Clock,
    log: Log,
    chips: Pick<SharedChips, 'busyMs'>,
    plans: Pick<BusPlans, 'fail'>,
    options: { readonly bus: number },
  ) {
    this.#clock = clock
    this.#log = log
    this.#chips = chips
    this.#plans = plans
    this.#bus = options.bus
  }

  get isStuck(): boolean {
    return this.#isStuck
  }

  /** To be called again and again. Memory is looked at, not messages: a main thread that was busy itself is not misled. */
  look(): void {
    const isStuck = this.#chips.busyMs(this.#clock.monotonicMs()) > TRANSFER_MS_MAX
    if (isStuck === this.#isStuck) return
    this.#isStuck = isStuck
    const bus = this.#bus
    if (!isStuck) {
      this.#log.warn('i2c.tried-again', { bus, why: 'the transfer came back' })
      return
    }
    this.#log.error('i2c.stuck', { bus, transfers: 1 })
    this.#plans.fail(isUnderWay =>
      isUnderWay
        ? new DeviceError('device.timeout', `I2C bus ${bus}: no end within ${TRANSFER_MS_MAX} ms`)
        : new DeviceError('device.stuck', `I2C bus ${bus}: a transfer has not come back`),
    )
  }
}
