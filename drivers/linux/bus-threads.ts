/** The threads of a host's buses, each started when the first chip of its bus is to be written to ahead of time. */
import { ClockedWrites } from '../../runtime/core/clocked-writes.js'
import { DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { I2cDevice, PlannedWrites, RegisterWrite } from '../../runtime/ports/host.js'
import type { Log } from '../../runtime/ports/log.js'
import { BusThread } from './bus-thread.js'
import type { Silence } from './guard.js'

export interface BusThreadsOptions {
  readonly heartbeatMs: number
  /** False: there is no koffi, and with it no way from a thread to a chip; the main thread's timers do it. */
  readonly hasLibc: boolean
}

export type PlanWrites = (
  device: Pick<I2cDevice, 'address' | 'writeRegister'>,
  bus: number,
  lastWords: readonly RegisterWrite[],
) => Promise<PlannedWrites>

export class BusThreads {
  readonly silence = new Signal<Silence>()
  readonly #clock: Clock
  readonly #log: Log
  readonly #options: BusThreadsOptions
  readonly #threads = new Map<number, Promise<BusThread>>()
  /** Those that run. */
  readonly #running: BusThread[] = []
  #isStopped = false

  constructor(clock: Clock, log: Log, options: BusThreadsOptions) {
    this.#clock = clock
    this.#log = log
    this.#options = options
  }

  readonly planWrites: PlanWrites = async (device, bus, lastWords) => {
    if (this.#isStopped) throw new DeviceError('device.absent', `I2C bus ${bus} is closed`)
    if (!this.#options.hasLibc)
      return new ClockedWrites(
        this.#clock,
        ({ register, bytes }) => device.writeRegister(register, bytes),
        { source: 'program', onClose: () => {} },
      )
    const thread = await this.#thread(bus)
    return thread.open(device.address, lastWords)
  }

  /** For the last moments of a process: nothing is written any more. Never throws. */
  safeNow(): void {
    this.#isStopped = true
    for (const thread of this.#running) thread.safeNow()
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all([...this.#threads.values()].map(async thread => (await thread).stop()))
  }

  #thread(bus: number): Promise<BusThread> {
    const known = this.#threads.get(bus)
    if (known !== undefined) return known
    const started = this.#start(bus)
    this.#threads.set(bus, started)
    return started
  }

  async #start(bus: number): Promise<BusThread> {
    const { heartbeatMs } = this.#options
    const thread = new BusThread(this.#clock, this.#log, { bus, heartbeatMs })
    thread.silence.listen(silence => this.silence.emit(silence))
    this.#running.push(thread)
    await thread.start()
    return thread
  }
}
