/** The host's end of a simulated byte stream: what a driver holds. */
import { ByteInbox } from '../../runtime/core/byte-inbox.js'
import { ByteQueue } from '../../runtime/core/byte-queue.js'
import { DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Cancel } from '../../runtime/ports/clock.js'
import type { ByteStream } from '../../runtime/ports/host.js'

/** The port that a handle belongs to. */
export interface StreamPort {
  /** Throws DeviceError when the port cannot be opened now. */
  connect(user: SimulatedStreamHandle): void
  disconnect(user: SimulatedStreamHandle): void
  requireWell(): void
  /** There is something to write. */
  move(): void
  /** True: bytes are on their way right now, so that the writer's call has not returned. */
  isMoving(): boolean
}

/** What the kernel keeps for somebody who does not listen. */
const UNHEARD_BYTES_MAX = 65_536

export class SimulatedStreamHandle implements ByteStream {
  readonly name: string
  readonly #port: StreamPort
  readonly #queue: ByteQueue
  readonly #inbox = new ByteInbox({ bytesMax: UNHEARD_BYTES_MAX })
  readonly #lost = new Signal<Error>()
  #isOpen = false
  #takenBytes = 0
  /** Counts what ends a life of the handle, so that what was said in an earlier one is not heard in the next. */
  #life = 0

  constructor(name: string, port: StreamPort) {
    this.name = name
    this.#port = port
    this.#queue = new ByteQueue(name)
  }

  async open(): Promise<void> {
    this.#port.connect(this)
    this.#life++
    this.#inbox.clear()
    this.#isOpen = true
    this.#takenBytes = 0
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#isOpen) throw new DeviceError('device.absent', `port ${this.name} is not open`)
    this.#port.requireWell()
    const written = this.#queue.add(bytes)
    this.#port.move()
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
    this.#life++
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#inbox.clear()
    this.#port.disconnect(this)
    this.#queue.fail(new DeviceError('device.absent', `port ${this.name} was closed`))
  }

  /** The port takes the next bytes; null when there are none, or no room for them. */
  takeUpTo(byteCount: number): Uint8Array | null {
    const bytes = this.#queue.next()?.subarray(0, byteCount) ?? null
    if (bytes === null || bytes.length === 0) return null
    this.#takenBytes += bytes.length
    this.#queue.take(bytes.length)
    return bytes
  }

  /** Bytes come in. */
  hear(bytes: Uint8Array): void {
    if (this.#inbox.isFull) return
    this.#inbox.keep(bytes)
    if (this.#port.isMoving()) this.#later(() => this.#inbox.tell())
    else this.#inbox.tell()
  }

  /** The far side is gone. What it said before is heard first. */
  lose(why: Error): void {
    this.#isOpen = false
    this.#queue.fail(why)
    const tell = (): void => {
      this.#inbox.tell()
      this.#lost.emit(why)
    }
    if (this.#port.isMoving()) this.#later(tell)
    else tell()
  }

  /** The process is dead: its calls never return, and its listeners hear nothing. */
  die(): void {
    this.#life++
    this.#isOpen = false
    this.#inbox.clear()
    this.#queue.forget()
  }

  /** A real stream tells nothing before the call that it was made from has returned. */
  #later(tell: () => void): void {
    const life = this.#life
    void Promise.resolve().then(() => {
      if (life === this.#life) tell()
    })
  }
}
