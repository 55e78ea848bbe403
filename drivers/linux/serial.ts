/**
 * Serial ports and printer device files: bytes out, bytes in. The file is opened non-blocking and asked from time to
 * time, because a thread that waits in a device's `read` cannot be stopped, and would keep the process from ending.
 */
import { execFile } from 'node:child_process'
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { promisify } from 'node:util'
import { DeviceError } from '../../runtime/core/errors.js'
import { repeat } from '../../runtime/core/repeat.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { ByteStream } from '../../runtime/ports/host.js'
import { deviceErrorOf, errnoOf } from './errno.js'

const READ_EVERY_MS = 10
const READ_BYTES = 4096
const FULL_PAUSE_MS = 5
/** A printer that is out of paper takes nothing for as long as somebody needs to notice. */
const STALLED_MS_MAX = 10_000
const WAITING_BYTES_MAX = 1024 * 1024

export interface SerialOptions {
  readonly name: string
  readonly path: string
  /** For a terminal device; other files have no speed. */
  readonly baudRate: number
}

export class SerialStream implements ByteStream {
  readonly name: string
  readonly #clock: Clock
  readonly #options: SerialOptions
  readonly #received = new Signal<Uint8Array>()
  readonly #buffer = new Uint8Array(READ_BYTES)
  #fd: number | null = null
  #cancelReading: Cancel = () => {}
  /** Ends when everything that was asked for before has been written. */
  #written: Promise<void> = Promise.resolve()
  #waitingBytes = 0
  #isHeard = false

  constructor(clock: Clock, options: SerialOptions) {
    this.#clock = clock
    this.name = options.name
    this.#options = options
  }

  async open(): Promise<void> {
    if (this.#fd !== null) throw new DeviceError('device.busy', `${this.name} is open`)
    const { path } = this.#options
    const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK
    const fd = this.#attempt('opening', () => openSync(path, flags))
    try {
      if (isatty(fd)) await this.#makeRaw()
    } catch (error) {
      closeSync(fd)
      throw error
    }
    this.#fd = fd
    this.#cancelReading = repeat(this.#clock, READ_EVERY_MS, async () => this.#read())
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#openFd()
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX)
      throw new DeviceError('device.limit', `${this.name}: a megabyte waits to be written`)
    this.#waitingBytes += bytes.length
    const copy = Uint8Array.from(bytes)
    const written = this.#written.then(() => this.#writeAll(copy))
    // The next write begins after this one, however it went; its own caller hears of a failure.
    this.#written = written.catch(() => {})
    try {
      await written
    } finally {
      this.#waitingBytes -= bytes.length
    }
  }

  /** Nothing is read before somebody listens. */
  onBytes(listener: (bytes: Uint8Array) => void): Cancel {
    this.#isHeard = true
    return this.#received.listen(listener)
  }

  /** What waits to be written is refused. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#fd === null) return
    this.#cancelReading()
    closeSync(this.#fd)
    this.#fd = null
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let done = 0
    let progressMs = this.#clock.monotonicMs()
    while (done < bytes.length) {
      const count = this.#writeSome(bytes.subarray(done))
      done += count
      const nowMs = this.#clock.monotonicMs()
      if (count > 0) progressMs = nowMs
      else if (nowMs - progressMs > STALLED_MS_MAX)
        throw new DeviceError('device.timeout', `${this.name} takes no more bytes`)
      else await this.#pause()
    }
  }

  /** Returns 0 when the device is full. */
  #writeSome(bytes: Uint8Array): number {
    const fd = this.#openFd()
    return this.#attempt('writing to', () => unlessBusy(() => writeSync(fd, bytes)))
  }

  /** A device that is gone is noticed by whoever writes to it, or opens it again. */
  #read(): void {
    const fd = this.#fd
    if (fd === null || !this.#isHeard) return
    try {
      const count = unlessBusy(() => readSync(fd, this.#buffer))
      if (count > 0) this.#received.emit(this.#buffer.slice(0, count))
    } catch (error) {
      if (errnoOf(error) === null) throw error
      this.#cancelReading()
    }
  }

  #openFd(): number {
    if (this.#fd === null) throw new DeviceError('device.absent', `${this.name} is not open`)
    return this.#fd
  }

  /** Bytes as they are: no echo, no line editing, no translation of line ends. */
  async #makeRaw(): Promise<void> {
    const { path, baudRate } = this.#options
    try {
      await promisify(execFile)('stty', ['-F', path, String(baudRate), 'raw', '-echo', 'clocal'])
    } catch (cause) {
      throw new DeviceError('device.io', `${this.name}: stty refuses ${baudRate} baud`, { cause })
    }
  }

  #pause(): Promise<void> {
    const next = after(this.#clock.monotonicMs(), FULL_PAUSE_MS)
    return new Promise(resolve => this.#clock.runAt(next, resolve))
  }

  #attempt<T>(what: string, call: () => T): T {
    try {
      return call()
    } catch (error) {
      throw deviceErrorOf(`${what} ${this.name}`, error)
    }
  }
}

/** A non-blocking call that has nothing to do right now counts as zero bytes. */
function unlessBusy(call: () => number): number {
  try {
    return call()
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return 0
    throw error
  }
}
