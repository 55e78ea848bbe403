import type { Bus } from '../core/bus.js'
import { BoxError, messageOf } from '../core/errors.js'
import type { Service } from '../core/lifecycle.js'
import { after } from '../core/time.js'
import type { Cancel, Clock } from '../ports/clock.js'
import type { Device } from '../ports/devices.js'
import type { Log } from '../ports/log.js'
import type { Messages, Payload } from '../topics.js'

/** A device with what its config said of it. */
export interface FittedDevice {
  readonly device: Device
  readonly driver: string
  readonly kind: Payload<'device/state'>['kind']
}

export interface DevicesOptions {
  readonly retryMsMin: number
  readonly retryMsMax: number
  /** Spreads retries so that a venue's boxes do not knock in step. 0..1 */
  readonly random: () => number
}

/**
 * Keeps every device running: a device that does not start, or that reports a fault, is stopped, announced as faulty
 * and started again after growing, jittered pauses. The others and the show go on without it.
 */
export class Devices implements Service {
  readonly name = 'devices'
  readonly #keepers: readonly Keeper[]

  constructor(
    clock: Clock,
    log: Log,
    bus: Bus<Messages>,
    devices: readonly FittedDevice[],
    options: DevicesOptions,
  ) {
    this.#keepers = devices.map(fitted => new Keeper(clock, log, bus, fitted, options))
  }

  /**
   * Resolves when every device of the stage has had its first try, started or not. Nobody in the dark waits for a printer
   * that is off, or for a gauge: those have theirs meanwhile.
   */
  async start(): Promise<void> {
    const tries = this.#keepers.map(keeper => ({ keeper, firstTry: keeper.start() }))
    await Promise.all(tries.flatMap(({ keeper, firstTry }) => (keeper.isOfStage ? firstTry : [])))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#keepers.map(keeper => keeper.stop()))
  }

  /** Outputs were changed behind their drivers' backs: each is started anew, from its safe state. */
  async restartOutputs(): Promise<void> {
    const outputs = this.#keepers.filter(({ kind }) => kind === 'light' || kind === 'capture')
    await Promise.all(outputs.map(keeper => keeper.restart()))
  }
}

/** One device's life: starting, ready, faulty, and again; stopped at the end. */
class Keeper {
  readonly #clock: Clock
  readonly #log: Log
  readonly #bus: Bus<Messages>
  readonly #fitted: FittedDevice
  readonly #options: DevicesOptions
  #isWanted = false
  #tries = 0
  #cancelRetry: Cancel = () => {}
  #cancelFault: Cancel = () => {}
  #turn: Promise<void> = Promise.resolve()

  constructor(
    clock: Clock,
    log: Log,
    bus: Bus<Messages>,
    fitted: FittedDevice,
    options: DevicesOptions,
  ) {
    this.#clock = clock
    this.#log = log
    this.#bus = bus
    this.#fitted = fitted
    this.#options = options
  }

  get kind(): FittedDevice['kind'] {
    return this.#fitted.kind
  }

  get isOfStage(): boolean {
    return this.kind !== 'printer' && this.kind !== 'gauge'
  }

  restart(): Promise<void> {
    return this.#take(async () => {
      if (!this.#isWanted) return
      this.#cancelRetry()
      await this.#stopDevice()
      await this.#try()
    })
  }

  start(): Promise<void> {
    this.#isWanted = true
    this.#cancelFault = this.#fitted.device.onFault(fault => this.#fail(fault))
    return this.#take(() => this.#try())
  }

  stop(): Promise<void> {
    if (!this.#isWanted) return this.#turn
    this.#isWanted = false
    this.#cancelRetry()
    this.#cancelFault()
    return this.#take(async () => {
      await this.#stopDevice()
      this.#publish('stopped', null)
    })
  }

  /** A fault comes from inside the driver: it is only noted here, and acted on in this keeper's own turn. */
  #fail(fault: unknown): void {
    void this.#take(async () => {
      if (!this.#isWanted) return
      await this.#stopDevice()
      this.#retryLater(fault)
    })
  }

  /** What is gone cannot be let go of either: that is logged, and the device is started anew or left. */
  async #stopDevice(): Promise<void> {
    try {
      await this.#fitted.device.stop()
    } catch (error) {
      this.#logFailure('device.stop-failed', error)
    }
  }

  async #try(): Promise<void> {
    if (!this.#isWanted) return
    this.#publish('starting', null)
    try {
      await this.#fitted.device.start()
      this.#tries = 0
      this.#log.info('device.ready', { device: this.#fitted.device.name })
      this.#publish('ready', null)
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      await this.#stopDevice()
      this.#retryLater(error)
    }
  }

  #retryLater(fault: unknown): void {
    const { retryMsMin, retryMsMax, random } = this.#options
    const pauseMs =
      Math.min(retryMsMax, retryMsMin * 2 ** Math.min(this.#tries, 16)) * (0.75 + random() / 2)
    this.#tries++
    this.#logFailure('device.faulty', fault)
    this.#publish('faulty', fault)
    this.#cancelRetry()
    this.#cancelRetry = this.#clock.runAt(
      after(this.#clock.monotonicMs(), pauseMs),
      () => void this.#take(() => this.#try()),
    )
  }

  /** One thing at a time with one device. */
  #take(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work)
    return this.#turn
  }

  #logFailure(event: string, error: unknown): void {
    this.#log.warn(event, {
      device: this.#fitted.device.name,
      tries: this.#tries,
      error: messageOf(error),
    })
  }

  #publish(state: Payload<'device/state'>['state'], fault: unknown): void {
    const { device, driver, kind } = this.#fitted
    this.#bus.publish('device/state', {
      device: device.name,
      driver,
      kind,
      state,
      code: fault instanceof BoxError ? fault.code : fault === null ? null : 'device.io',
      message: fault === null ? null : messageOf(fault).slice(0, 512),
    })
  }
}
