/** The main thread's side of a bus's thread: starts it, beats for it, plans for it, hears how it went, sees it hang. */
import type { Worker } from 'node:worker_threads'
import { assert, DeviceError } from '../../runtime/core/errors.js'
import { copyOfWrites } from '../../runtime/core/planned-writes.js'
import { repeat } from '../../runtime/core/repeat.js'
import { Signal } from '../../runtime/core/signal.js'
import { after, monotonicMs } from '../../runtime/core/time.js'
import { wait } from '../../runtime/core/wait.js'
import type { Cancel, Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { PlannedWrites, RegisterWrite } from '../../runtime/ports/host.js'
import type { Log } from '../../runtime/ports/log.js'
import { chipsBuffer, SharedChips } from './bus-chips.js'
import { BusPlans } from './bus-plans.js'
import type { BusMessage, BusReport, BusSetup, BusShared } from './bus-protocol.js'
import { PlannedTransfers, transfersBuffer } from './bus-transfers.js'
import { BusWatch } from './bus-watch.js'
import { FiringSignals, signalsBuffer } from './firing-signals.js'
import type { Silence } from './guard.js'
import { TRANSFER_MS_MAX } from './i2c-queue.js'
import type { RealTimeReady } from './real-time.js'
import { startWorker } from './worker.js'

export interface BusThreadOptions {
  /** N of /dev/i2c-N. */
  readonly bus: number
  /** Chips hear their last words when the main thread has been silent for longer. */
  readonly heartbeatMs: number
}

const BEATS_PER_LIMIT = 4
const LOOK_MS = 100
/** Each thread has its own idea of the time, which is off by microseconds. */
const CLOCKS_APART_MS_MAX = 5
const IDLE_LOOK_MS = 1
/** A thread that hangs in the kernel cannot be ended; nobody waits for it for longer. */
const END_MS_MAX = 1_500

export class BusThread {
  /** The main thread was silent for too long; chips have heard their last words, what was planned is gone. */
  readonly silence = new Signal<Silence>()
  readonly #clock: Clock
  readonly #log: Log
  readonly #options: BusThreadOptions
  readonly #shared: BusShared
  readonly #buffers: Pick<BusSetup, 'transfers' | 'chips' | 'signals'>
  readonly #plans: BusPlans
  readonly #watch: BusWatch
  readonly #open = new Set<number>()
  #worker: Worker | null = null
  #ended: Promise<void> = Promise.resolve()
  /** The thread looks at all that is planned then, at the latest, whatever it is told; in the past: nobody knows. */
  #looksAgainMs = monotonicMs(0)
  #stopBeating: Cancel = () => {}
  #stopLooking: Cancel = () => {}

  constructor(clock: Clock, log: Log, options: BusThreadOptions) {
    this.#clock = clock
    this.#log = log
    this.#options = options
    const transfers = transfersBuffer()
    const chips = chipsBuffer()
    const signals = signalsBuffer()
    this.#buffers = { transfers, chips, signals }
    this.#shared = {
      transfers: new PlannedTransfers(transfers),
      chips: new SharedChips(chips),
      signals: new FiringSignals(signals),
    }
    this.#plans = new BusPlans(this.#shared.transfers, options.bus)
    this.#watch = new BusWatch(clock, log, this.#shared.chips, this.#plans, options)
  }

  /** Starts the thread and waits until it has its priority; once only. */
  async start(): Promise<void> {
    assert(this.#worker === null, 'the thread of a bus is started once')
    const { bus, heartbeatMs } = this.#options
    const beats = setInterval(
      () => this.#shared.signals.beat(),
      heartbeatMs / BEATS_PER_LIMIT,
    ).unref()
    this.#stopBeating = () => clearInterval(beats)
    const data: BusSetup = { bus, heartbeatMs, ...this.#buffers }
    const worker = startWorker('bus-worker', data)
    this.#worker = worker
    this.#ended = new Promise(resolve => worker.once('exit', () => resolve()))
    process.once('exit', this.#onExit)
    const ready = await new Promise<RealTimeReady>((resolve, reject) => {
      worker.once('error', reject)
      worker.on('message', (message: BusMessage) => {
        if (message.kind !== 'ready') return this.#hear(message)
        // From now on a failure of the thread is a bug: it is thrown, and the process stops.
        worker.off('error', reject)
        resolve(message)
      })
    })
    this.#logReady(ready)
    this.#stopLooking = repeat(this.#clock, LOOK_MS, async () => this.#watch.look())
  }

  /** @param lastWords what makes the chip safe when the main thread is silent. @throws DeviceError `device.busy` */
  open(address: number, lastWords: readonly RegisterWrite[]): PlannedWrites {
    if (this.#open.has(address) || !this.#plans.isIdle(address))
      throw this.#error('device.busy', 'writes to this chip are planned already')
    const { chips, signals } = this.#shared
    chips.nextEpoch(address)
    chips.keep(address, lastWords)
    this.#open.add(address)
    const drop = (): void => {
      chips.nextEpoch(address)
      this.#plans.cancelAll(address)
      this.#looksAgainMs = monotonicMs(0)
      signals.wake()
    }
    return {
      add: (writes, at, done) => {
        if (!this.#open.has(address)) throw this.#error('device.absent', 'its chip was closed')
        if (this.#watch.isStuck) throw this.#error('device.stuck', 'a transfer has not come back')
        signals.beat()
        const copy = copyOfWrites(writes)
        const epoch = chips.epoch(address)
        const plan = this.#plans.add({ address, epoch, at, writes: copy }, done)
        this.#wakeFor(at)
        return {
          cancel: () => {
            this.#looksAgainMs = monotonicMs(0)
            return this.#plans.cancel(plan)
          },
        }
      },
      drop,
      close: async () => {
        if (!this.#open.delete(address)) return
        chips.forget(address)
        drop()
        await this.#untilIdle(address)
        this.#plans.forgetDone(address)
      },
    }
  }

  /** For the last moments of a process: no transfer is begun any more. Never throws. */
  safeNow(): void {
    this.#shared.signals.stop()
  }

  /** Safe to call twice. Chips are closed before. */
  async stop(): Promise<void> {
    this.#stopBeating()
    this.#stopLooking()
    this.#shared.signals.stop()
    process.off('exit', this.#onExit)
    let cancelLimit: Cancel = () => {}
    const limit = new Promise<void>(resolve => {
      const at = after(this.#clock.monotonicMs(), END_MS_MAX)
      cancelLimit = this.#clock.runAt(at, resolve)
    })
    await Promise.race([this.#ended, limit])
    cancelLimit()
    this.#worker?.unref()
  }

  readonly #onExit = (): void => this.safeNow()

  #hear(report: BusReport): void {
    switch (report.kind) {
      case 'over':
        this.#plans.collect()
        break
      case 'not-safe': {
        const { address, error } = report
        this.#log.error('firing.not-safe', { bus: this.#options.bus, address, error })
        break
      }
      case 'heartbeat-lost':
        this.#looksAgainMs = monotonicMs(0)
        this.#plans.collect()
        this.silence.emit(report)
        break
    }
  }

  /** A fade is dozens of frames at once, and the thread looks at all that is planned when the first of them is due. */
  #wakeFor(at: MonotonicMs): void {
    const isSoon = this.#looksAgainMs <= after(this.#clock.monotonicMs(), CLOCKS_APART_MS_MAX)
    if (!isSoon && this.#looksAgainMs <= at) return
    this.#looksAgainMs = at
    this.#shared.signals.wake()
  }

  async #untilIdle(address: number): Promise<void> {
    const limit = after(this.#clock.monotonicMs(), TRANSFER_MS_MAX)
    for (;;) {
      this.#plans.collect()
      const now = this.#clock.monotonicMs()
      if (this.#plans.isIdle(address) || now >= limit) return
      await wait(this.#clock, IDLE_LOOK_MS)
    }
  }

  #logReady({ priority, latency, spinMs, garbage }: RealTimeReady): void {
    const facts = { bus: this.#options.bus, ...priority, latency, spinMs, garbage }
    if (priority.policy === 'fifo') this.#log.info('firing.bus-priority', facts)
    else this.#log.warn('firing.bus-priority', facts)
  }

  #error(code: DeviceError['code'], what: string): DeviceError {
    return new DeviceError(code, `I2C bus ${this.#options.bus}: ${what}`)
  }
}
