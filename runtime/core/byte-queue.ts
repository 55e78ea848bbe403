import { assert, DeviceError } from './errors.js'

const WAITING_BYTES_MAX = 1024 * 1024
const WAITING_WRITES_MAX = 4096

interface Write {
  rest: Uint8Array
  readonly resolve: () => void
  readonly reject: (why: Error) => void
}

/** What a byte stream was asked to write and the kernel has not taken yet, in order. */
export class ByteQueue {
  readonly #name: string
  #writes: Write[] = []
  #waitingBytes = 0

  /** @param name of the stream, for people */
  constructor(name: string) {
    this.#name = name
  }

  /**
   * Resolves when all bytes have been taken. The caller may use them again at once.
   * Throws DeviceError `device.limit` when a megabyte, or some thousand writes, wait already.
   */
  add(bytes: Uint8Array): Promise<void> {
    const isFull = this.#waitingBytes + bytes.length > WAITING_BYTES_MAX
    if (isFull || this.#writes.length >= WAITING_WRITES_MAX)
      return Promise.reject(
        new DeviceError('device.limit', `${this.#name}: a megabyte waits to be written`),
      )
    return new Promise((resolve, reject) => {
      this.#writes.push({ rest: Uint8Array.from(bytes), resolve, reject })
      this.#waitingBytes += bytes.length
      this.#settle()
    })
  }

  /** What is to be taken next, at least one byte; null when nothing waits. */
  next(): Uint8Array | null {
    return this.#writes[0]?.rest ?? null
  }

  /** The first `byteCount` bytes of `next()` have been taken. */
  take(byteCount: number): void {
    const first = this.#writes[0]
    assert(first !== undefined && byteCount <= first.rest.length, 'what is taken was waiting')
    first.rest = first.rest.subarray(byteCount)
    this.#waitingBytes -= byteCount
    this.#settle()
  }

  /** Nothing that waits will be taken any more. */
  fail(why: Error): void {
    const writes = this.#writes
    this.forget()
    for (const { reject } of writes) reject(why)
  }

  /** As `fail`, but nobody is told: whoever asked is dead. */
  forget(): void {
    this.#writes = []
    this.#waitingBytes = 0
  }

  /** A write that has no bytes left is done once it is the first. */
  #settle(): void {
    for (let first = this.#writes[0]; first?.rest.length === 0; first = this.#writes[0]) {
      this.#writes.shift()
      first.resolve()
    }
  }
}
