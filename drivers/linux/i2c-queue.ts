/**
 * One I2C bus: transfers take turns, end within a time limit, and are tried again when a chip did not acknowledge.
 *
 * A transfer is a blocking ioctl on one of Node's few pool threads and cannot be taken back. So one that outlives its
 * limit makes the bus stuck: everything else is refused at once instead of joining it. The bus is tried again when the
 * transfer returns after all (the kernel gives up after a second or so), and once with a new handle when it does not;
 * no more than two pool threads are ever lost to one bus.
 */
import { DeviceError, messageOf } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import { errnoOf } from './errno.js'
import { codeOfI2cErrno, isNoAnswer } from './i2c-errno.js'

/** An open bus. Failures carry the errno name as `code`. */
export interface I2cHandle {
  read(address: number, register: number, byteCount: number): Promise<Uint8Array>
  write(address: number, register: number, bytes: Uint8Array): Promise<void>
  close(): void
}

export type OpenI2c = (bus: number) => Promise<I2cHandle>
export type Transfer<T> = (handle: I2cHandle) => Promise<T>

const WAITING_MAX = 64
/** Much longer than any transfer takes, and less than anybody waits for: what takes longer is stuck. */
export const TRANSFER_MS_MAX = 250
const REOPEN_MS = 2_000
const OUTLIVING_MAX = 2
const TRIES_MAX = 3
const REST_MS = 5

interface Waiting {
  readonly address: number
  readonly run: (handle: I2cHandle) => Promise<void>
  readonly reject: (error: Error) => void
  tries: number
}

export class I2cQueue {
  readonly #clock: Clock
  readonly #log: Log
  readonly #open: OpenI2c
  readonly #bus: number
  readonly #transferMsMax: number
  readonly #waiting: Waiting[] = []
  /** Chips that did not acknowledge get a moment's rest, in which the others go on. */
  readonly #resting = new Map<number, Cancel>()
  #handle: I2cHandle | null = null
  #underWay: Promise<void> | null = null
  #isStuck = false
  #outliving = 0
  #cancelReopen: Cancel = () => {}
  #isClosed = false

  constructor(
    clock: Clock,
    log: Log,
    open: OpenI2c,
    { bus, transferMsMax }: { readonly bus: number; readonly transferMsMax: number },
  ) {
    this.#clock = clock
    this.#log = log
    this.#open = open
    this.#bus = bus
    this.#transferMsMax = transferMsMax
  }

  /** In turn; transfers of one address keep their order, tries included. @throws DeviceError */
  transfer<T>(address: number, transfer: Transfer<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal()
      if (refusal !== null) return reject(refusal)
      const run = async (handle: I2cHandle): Promise<void> => resolve(await transfer(handle))
      this.#waiting.push({ address, run, reject, tries: 0 })
      this.#next()
    })
  }

  /** Refuses what waits, and lets the transfer under way end. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelReopen()
    for (const cancel of this.#resting.values()) cancel()
    this.#refuseWaiting(() => this.#error('device.absent', 'the bus is closed'))
    await this.#underWay
    this.#dropHandle()
  }

  #refusal(): DeviceError | null {
    if (this.#isClosed) return this.#error('device.absent', 'the bus is closed')
    if (this.#isStuck) return this.#error('device.stuck', 'a transfer has not come back')
    if (this.#waiting.length < WAITING_MAX) return null
    return this.#error('device.limit', `${WAITING_MAX} transfers wait already`)
  }

  #next(): void {
    if (this.#underWay !== null || this.#isStuck) return
    const index = this.#waiting.findIndex(({ address }) => !this.#resting.has(address))
    const [waiting] = index < 0 ? [] : this.#waiting.splice(index, 1)
    if (waiting === undefined) return
    this.#underWay = this.#carryOut(waiting).finally(() => {
      this.#underWay = null
      this.#next()
    })
  }

  async #carryOut(waiting: Waiting): Promise<void> {
    waiting.tries++
    try {
      this.#handle ??= await this.#open(this.#bus)
      const handle = this.#handle
      await this.#within(handle, waiting.run(handle))
    } catch (error) {
      this.#failed(waiting, error)
    }
  }

  /** As the work ends, or `device.timeout`; the bus is then stuck until the work has ended after all. */
  #within(handle: I2cHandle, work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOutliving = false
      const at = after(this.#clock.monotonicMs(), this.#transferMsMax)
      const cancel = this.#clock.runAt(at, () => {
        isOutliving = true
        this.#stuck()
        reject(this.#error('device.timeout', `no end within ${this.#transferMsMax} ms`))
      })
      const ended = (): void => {
        cancel()
        if (isOutliving) this.#cameBack(handle)
      }
      work.then(resolve, reject).finally(ended)
    })
  }

  #failed(waiting: Waiting, error: unknown): void {
    const name = errnoOf(error)
    const isWorthIt = name !== null && isNoAnswer(name)
    // i2c-bus remembers a chip's file even when setting its address failed, and would then speak to another chip.
    if (!isWorthIt && !this.#isStuck) this.#dropHandle()
    if (isWorthIt && waiting.tries < TRIES_MAX && !this.#isClosed) {
      this.#waiting.unshift(waiting)
      this.#rest(waiting.address)
    } else waiting.reject(this.#deviceErrorOf(error, name))
  }

  #rest(address: number): void {
    const cancel = this.#clock.runAt(after(this.#clock.monotonicMs(), REST_MS), () => {
      this.#resting.delete(address)
      this.#next()
    })
    this.#resting.set(address, cancel)
  }

  /** The handle stays open until its transfer is back: a file number must not be used again while the kernel holds it. */
  #stuck(): void {
    this.#isStuck = true
    this.#outliving++
    this.#handle = null
    this.#refuseWaiting(() => this.#error('device.stuck', 'a transfer has not come back'))
    this.#log.error('i2c.stuck', { bus: this.#bus, transfers: this.#outliving })
    if (this.#outliving >= OUTLIVING_MAX || this.#isClosed) return
    this.#cancelReopen = this.#clock.runAt(after(this.#clock.monotonicMs(), REOPEN_MS), () =>
      this.#tryAgain('with a new handle'),
    )
  }

  #cameBack(handle: I2cHandle): void {
    this.#outliving--
    closeQuietly(handle)
    this.#cancelReopen()
    this.#tryAgain('the transfer came back')
  }

  #tryAgain(why: string): void {
    if (!this.#isStuck) return
    this.#isStuck = false
    this.#log.warn('i2c.tried-again', { bus: this.#bus, why })
  }

  #refuseWaiting(error: () => DeviceError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error())
  }

  #dropHandle(): void {
    if (this.#handle !== null) closeQuietly(this.#handle)
    this.#handle = null
  }

  /** What is no failed call to the kernel is a bug, and stays what it is. */
  #deviceErrorOf(error: unknown, name: string | null): Error {
    if (error instanceof DeviceError) return error
    if (name === null) return error instanceof Error ? error : new Error(messageOf(error))
    return this.#error(codeOfI2cErrno(name), name, error)
  }

  #error(code: DeviceError['code'], what: string, cause?: unknown): DeviceError {
    return new DeviceError(code, `I2C bus ${this.#bus}: ${what}`, { cause })
  }
}

function closeQuietly(handle: I2cHandle): void {
  try {
    handle.close()
  } catch {
    // A file that cannot be closed is closed: the kernel lets go of it in any case, close(2).
  }
}
