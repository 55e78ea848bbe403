/**
 * A device file as a byte stream. The file is opened non-blocking and asked from time to time, because a thread that
 * waits in a device's `read` or `write` cannot be stopped, and would keep the process from ending. What may take its time
 * in the kernel even so, opening and closing, is done beside the main thread.
 */
import { close, constants, open, readSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { ByteInbox } from '../../runtime/core/byte-inbox.js'
import { ByteQueue } from '../../runtime/core/byte-queue.js'
import { DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import { after } from '../../runtime/core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { ByteStream } from '../../runtime/ports/host.js'
import { type Claims, deviceKeyOf } from './claims.js'
import { deviceErrorOf, errnoOf } from './errno.js'

/** What is particular to one kind of device file. */
export interface DeviceFile {
  readonly name: string
  /** How often it is read, where the moment matters at which something came; as often as is usual when left out. */
  readonly readEveryMs?: number
  /** Where it is at present. Throws DeviceError. */
  find(): Promise<string>
  /** Makes the opened file fit for use. Throws DeviceError. Returns what is done just before it is closed; never waits. */
  prepare(fd: number, path: string): Promise<Prepared>
}

export interface Prepared {
  readonly beforeClose: () => void
  /** True where reading no bytes means that the far side has hung up; elsewhere it means nothing. */
  readonly isEmptyReadTheEnd: boolean
}

interface OpenFile extends Prepared {
  readonly fd: number
  readonly release: Cancel
}

/** The kernel's usblp takes no more in one transfer (USBLP_BUF_SIZE). */
const WRITE_BYTES_MAX = 8192
const READ_BYTES_MAX = 4096
/** While bytes go or come, and when none have for a while. */
const READ_EVERY_MS_BUSY = 10
const READ_EVERY_MS_QUIET = 50
const QUIET_AFTER_MS = 1000
const FULL_PAUSE_MS_MIN = 5
const FULL_PAUSE_MS_MAX = 50
const FULL_PAUSE_GROWTH = 1.5
/** usblp says EIO for one transfer that failed, and goes on (`usblp_read`); a terminal that has hung up says only that. */
const FAILURES_MAX = 3
const GONE: ReadonlySet<string | null> = new Set(['ENODEV', 'ENXIO'])

export class DeviceStream implements ByteStream {
  readonly name: string
  readonly #clock: Clock
  readonly #claims: Claims
  readonly #device: DeviceFile
  readonly #queue: ByteQueue
  readonly #inbox = new ByteInbox({ bytesMax: READ_BYTES_MAX })
  readonly #lost = new Signal<Error>()
  readonly #buffer = new Uint8Array(READ_BYTES_MAX)
  #file: OpenFile | null = null
  #isOpening = false
  /** Counts calls of `close`, so that one which comes while the file is being opened is obeyed. */
  #closeCount = 0
  /** Ends when the file that was open last is closed. */
  #closed: Promise<void> = Promise.resolve()
  #cancelReading: Cancel = () => {}
  /** Null: bytes are on their way, or there are none. */
  #cancelPause: Cancel | null = null
  #pauseMs = FULL_PAUSE_MS_MIN
  #takenBytes = 0
  /** Taken of the first write that waits, and not known to have left the kernel. */
  #underWayBytes = 0
  #busyMs: MonotonicMs
  #canRead = true
  #failedReads = 0
  #failedWrites = 0

  /** @param claims what is open in this process */
  constructor(clock: Clock, claims: Claims, device: DeviceFile) {
    this.#clock = clock
    this.#claims = claims
    this.#device = device
    this.name = device.name
    this.#queue = new ByteQueue(device.name)
    this.#busyMs = clock.monotonicMs()
  }

  async open(): Promise<void> {
    if (this.#file !== null || this.#isOpening)
      throw new DeviceError('device.busy', `${this.name} is open`)
    const closeCount = this.#closeCount
    this.#isOpening = true
    try {
      await this.#closed
      const file = await this.#openFile()
      if (closeCount !== this.#closeCount) await this.#closeFile(file)
      else this.#begin(file)
    } finally {
      this.#isOpening = false
    }
    if (closeCount !== this.#closeCount)
      throw new DeviceError('device.absent', `${this.name} was closed while it was opened`)
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#file === null) throw new DeviceError('device.absent', `${this.name} is not open`)
    const written = this.#queue.add(bytes)
    // On a turn of its own: nobody is told of a loss before this call has returned.
    void Promise.resolve().then(() => {
      if (this.#cancelPause === null) this.#move()
    })
    await written
  }

  takenBytes(): number {
    return this.#takenBytes
  }

  onBytes(listener: (bytes: Uint8Array) => void): Cancel {
    return this.#inbox.listen(listener)
  }

  onLost(listener: (why: Error) => void): Cancel {
    return this.#lost.listen(listener)
  }

  async close(): Promise<void> {
    this.#closeCount++
    this.#end(new DeviceError('device.absent', `${this.name} was closed`))
    await this.#closed
  }

  async #openFile(): Promise<OpenFile> {
    const path = await this.#device.find()
    const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK
    const fd = await this.#attempt('opening', () => promisify(open)(path, flags))
    let release: Cancel = () => {}
    try {
      release = this.#claims.claim(deviceKeyOf(fd), this.name)
      return { fd, release, ...(await this.#device.prepare(fd, path)) }
    } catch (error) {
      await promisify(close)(fd)
      release()
      throw error
    }
  }

  #begin(file: OpenFile): void {
    this.#file = file
    this.#takenBytes = 0
    this.#underWayBytes = 0
    this.#canRead = true
    this.#failedReads = 0
    this.#failedWrites = 0
    this.#inbox.clear()
    this.#noteTraffic()
    this.#readLater()
  }

  /** Nothing is written or read any more; what waits to be written ends with `why`. */
  #end(why: Error): void {
    const file = this.#file
    if (file === null) return
    this.#file = null
    this.#cancelReading()
    this.#cancelPause?.()
    this.#cancelPause = null
    this.#closed = this.#closeFile(file)
    this.#queue.fail(why)
  }

  async #closeFile({ fd, release, beforeClose }: OpenFile): Promise<void> {
    beforeClose()
    await promisify(close)(fd).catch((error: unknown) => {
      // The descriptor is free whatever close(2) says, and what had not been written is dropped anyway.
      if (errnoOf(error) === null) throw error
    })
    release()
  }

  #lose(cause: unknown): void {
    if (this.#file === null) return
    const why = new DeviceError('device.absent', `${this.name}: the far side is gone`, { cause })
    this.#end(why)
    this.#lost.emit(why)
  }

  /** Writes until there is nothing left, or the device is full. */
  #move(): void {
    let hasMoved = false
    try {
      while (this.#file !== null && this.#step(this.#file)) hasMoved = true
    } catch (error) {
      this.#failWrite(error)
    }
    if (hasMoved) this.#noteTraffic()
    this.#pause(hasMoved)
  }

  /** True when there was something to do, and it was done. */
  #step({ fd }: OpenFile): boolean {
    if (this.#underWayBytes === 0) return this.#writeSome(fd)
    if (probe(fd) === null) return false
    const byteCount = this.#underWayBytes
    this.#underWayBytes = 0
    this.#queue.take(byteCount)
    return true
  }

  #writeSome(fd: number): boolean {
    const bytes = this.#queue.next()
    if (bytes === null) return false
    const count = unlessFull(() => writeSync(fd, bytes, 0, Math.min(bytes.length, WRITE_BYTES_MAX)))
    this.#underWayBytes = count ?? 0
    this.#takenBytes += this.#underWayBytes
    this.#failedWrites = 0
    return this.#underWayBytes > 0
  }

  #failWrite(error: unknown): void {
    const name = errnoOf(error)
    const isTried = name === 'EIO' && ++this.#failedWrites < FAILURES_MAX
    if (isTried) return
    if (name === 'EIO' || GONE.has(name)) this.#lose(error)
    else this.#refuse(deviceErrorOf(`writing to ${this.name}`, error))
  }

  /** Those who wait are told; whoever writes next may be luckier. */
  #refuse(why: Error): void {
    this.#underWayBytes = 0
    this.#queue.fail(why)
  }

  /** Tries again later, if anything waits: the later, the longer nothing has moved. */
  #pause(hasMoved: boolean): void {
    if (this.#file === null || this.#queue.next() === null) return
    const longer = Math.min(this.#pauseMs * FULL_PAUSE_GROWTH, FULL_PAUSE_MS_MAX)
    this.#pauseMs = hasMoved ? FULL_PAUSE_MS_MIN : longer
    this.#cancelPause = this.#clock.runAt(after(this.#clock.monotonicMs(), this.#pauseMs), () => {
      this.#cancelPause = null
      this.#move()
    })
  }

  #noteTraffic(): void {
    this.#busyMs = this.#clock.monotonicMs()
  }

  #readLater(): void {
    const nowMs = this.#clock.monotonicMs()
    const isQuiet = nowMs - this.#busyMs > QUIET_AFTER_MS
    const usualMs = isQuiet ? READ_EVERY_MS_QUIET : READ_EVERY_MS_BUSY
    const next = after(nowMs, this.#device.readEveryMs ?? usualMs)
    this.#cancelReading = this.#clock.runAt(next, () => {
      if (this.#file !== null) this.#look(this.#file)
      if (this.#file !== null) this.#readLater()
    })
  }

  /** Hears what has come in, and whether the far side is still there. */
  #look(file: OpenFile): void {
    const bytes = this.#readSome(file)
    if (bytes === null) return
    this.#noteTraffic()
    this.#inbox.push(bytes)
  }

  #readSome({ fd, isEmptyReadTheEnd }: OpenFile): Uint8Array | null {
    try {
      const isReading = this.#canRead && !this.#inbox.isFull
      const count = isReading ? unlessFull(() => readSync(fd, this.#buffer)) : probe(fd)
      this.#failedReads = 0
      if (count === 0 && isReading && isEmptyReadTheEnd) this.#lose(new Error('it has hung up'))
      return count ? this.#buffer.slice(0, count) : null
    } catch (error) {
      this.#failRead(error)
      return null
    }
  }

  #failRead(error: unknown): void {
    const name = errnoOf(error)
    if (name === null) throw error
    // A printer that only listens: usblp has nothing to read from.
    if (name === 'EINVAL') this.#canRead = false
    else if (GONE.has(name) || ++this.#failedReads >= FAILURES_MAX) this.#lose(error)
  }

  async #attempt<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw deviceErrorOf(`${what} ${this.name}`, error)
    }
  }
}

/**
 * A write of no bytes finds usblp busy (null) while its last transfer is under way, and an open usblp drops what is under
 * way when it is closed (`usblp_wwait`, `usblp_release`). Other devices are never busy. All of them tell when they are
 * gone.
 */
const probe = (fd: number): number | null => unlessFull(() => writeSync(fd, new Uint8Array(0)))

/** Null when a non-blocking call has nothing to do right now. */
function unlessFull(call: () => number): number | null {
  try {
    return call()
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return null
    throw error
  }
}
