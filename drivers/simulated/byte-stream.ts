/**
 * A serial port, a printer's cable or a connection of a simulated machine; the far side is whatever a test puts there.
 * As with a real one, the kernel takes bytes into a buffer before the far side has them, so that bytes may be taken and
 * never arrive. Nothing here takes time: bytes arrive as soon as they may.
 */
import { assert, DeviceError, type ErrorCode } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import type { ByteStream } from '../../runtime/ports/host.js'
import { ByteFifo } from './byte-fifo.js'
import { LastBytes } from './last-bytes.js'
import { SimulatedStreamHandle } from './stream-handle.js'

const WRITTEN_BYTES_MAX = 1024 * 1024
/** A bulk packet of a full-speed USB device (USB 2.0, 5.8.3): the far side can stop in between. */
const PACKET_BYTES = 64
/** What the kernel's usblp has under way: USBLP_BUF_SIZE of drivers/usb/class/usblp.c. */
const BUFFER_BYTES = 8192

export class SimulatedByteStream {
  readonly name: string
  /** Hears the bytes as they arrive at the far end, at most a USB packet at a time. */
  readonly sent = new Signal<Uint8Array>()
  /** Every use of the port fails with this code; null: it is well. */
  fault: ErrorCode | null = null
  /** The kernel takes so much that has not arrived, at least 1: the more, the less a finished write says. */
  bufferBytes = BUFFER_BYTES
  readonly #written = new LastBytes(WRITTEN_BYTES_MAX)
  /** Taken, but not arrived. */
  readonly #buffer = new ByteFifo()
  #user: SimulatedStreamHandle | null = null
  #isPlugged = true
  #isTaking = true
  #arriveMax = Number.POSITIVE_INFINITY
  #isMoving = false

  constructor(name: string) {
    this.name = name
  }

  /** What arrived at the far end last, at most a megabyte of it. */
  written(): Uint8Array {
    return this.#written.all()
  }

  /** Bytes come in from the far end. They are lost while nobody has the port open. */
  receive(bytes: Uint8Array): void {
    this.#user?.hear(Uint8Array.from(bytes))
  }

  get isPlugged(): boolean {
    return this.#isPlugged
  }

  /** True while somebody has the port open. */
  get isOpen(): boolean {
    return this.#user !== null
  }

  /** Taken by the kernel and not arrived. */
  get bufferedBytes(): number {
    return this.#buffer.length
  }

  /** The far side is there again; until then the port cannot be opened. */
  plug(): void {
    this.#isPlugged = true
  }

  /** The cable is pulled, or the far side switched off: what had not arrived never will. */
  unplug(): void {
    if (!this.#isPlugged) return
    this.#isPlugged = false
    this.#arriveMax = Number.POSITIVE_INFINITY
    this.#buffer.clear()
    const user = this.#user
    this.#user = null
    user?.lose(new DeviceError('device.absent', `the far side of ${this.name} is gone`))
  }

  /** False: the far side takes nothing (it is out of paper, its cover is open), and the buffer fills. */
  setTaking(isTaking: boolean): void {
    this.#isTaking = isTaking
    this.#move()
  }

  /** Pulls the cable once so many more bytes have arrived; with 0, when the next one would. */
  loseAfter(byteCount: number): void {
    assert(byteCount >= 0, 'bytes arrive one after the other')
    this.#arriveMax = byteCount
  }

  /** The process that had it open was killed: the kernel drops what has not arrived, and nobody is told. */
  release(): void {
    this.#buffer.clear()
    this.#user?.die()
    this.#user = null
  }

  /** A handle as the host gives it out: one at a time may be open. */
  stream(): ByteStream {
    return new SimulatedStreamHandle(this.name, {
      connect: user => this.#connect(user),
      // Its far side's next user must not get what was meant for this one's.
      disconnect: user => void (this.#user === user && this.#hangUp()),
      requireWell: () => this.#requireWell(),
      move: () => this.#move(),
      isMoving: () => this.#isMoving,
    })
  }

  #connect(user: SimulatedStreamHandle): void {
    this.#requireWell()
    if (!this.#isPlugged) throw new DeviceError('device.absent', `port ${this.name} is not there`)
    if (this.#user) throw new DeviceError('device.busy', `port ${this.name} is in use`)
    this.#user = user
  }

  #hangUp(): void {
    this.#buffer.clear()
    this.#user = null
  }

  /** From the writer to the buffer to the far side, until neither step is possible. A listener may bring it here again. */
  #move(): void {
    if (this.#isMoving) return
    this.#isMoving = true
    try {
      while (this.#take() || this.#deliver());
    } finally {
      this.#isMoving = false
    }
  }

  /** The kernel's step. */
  #take(): boolean {
    const bytes = this.#user?.takeUpTo(this.bufferBytes - this.#buffer.length) ?? null
    if (bytes === null) return false
    this.#buffer.push(bytes)
    return true
  }

  /** The far side's step. */
  #deliver(): boolean {
    if (!this.#isTaking || this.#buffer.length === 0) return false
    const packet = this.#buffer.take(Math.min(PACKET_BYTES, this.#arriveMax))
    this.#arriveMax -= packet.length
    const isLast = this.#arriveMax === 0
    this.#written.push(packet)
    if (packet.length > 0) this.sent.emit(packet)
    if (isLast) this.unplug()
    return true
  }

  #requireWell(): void {
    if (this.fault) throw new DeviceError(this.fault, `port ${this.name} fails with ${this.fault}`)
  }
}
