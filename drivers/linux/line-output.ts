import { write, writeSync } from 'node:fs'
import { neverWaiting } from './never-waiting.js'

/** What waits for a reader at most. */
const WAITING_BYTES_MAX = 1024 * 1024
/** While the reader's pipe is full. */
const FULL_MS = 50
const FLUSH_TRIES_MAX = 20

/**
 * Lines to a file descriptor, off the main thread and in order. A reader that stalls or is gone costs lines and nothing
 * else: what does not fit is lost and counted. (The destination that pino brings retries a failed last write for
 * ever, so that a process whose reader is gone cannot end.)
 */
export class LineOutput {
  readonly #fd: number
  /** Never waits for a reader. */
  #openFd: number | null = null
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #isWriting = false
  /** What a full pipe gave back. */
  #givenBack: { readonly bytes: Buffer; readonly retry: NodeJS.Timeout } | null = null
  #lost = 0

  constructor(fd: number) {
    this.#fd = fd
  }

  /** Lines that nobody will ever read. */
  get lostLines(): number {
    return this.#lost
  }

  write(line: string): void {
    const bytes = Buffer.from(line)
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) {
      this.#lost++
      return
    }
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (this.#isWriting) return
    // Not at once: what a process says with its last breath must still be here when it flushes.
    this.#isWriting = true
    setImmediate(() => this.#writeAll())
  }

  /** Blocks until the kernel has what waits; for a second at most, should the reader be stalled. */
  flush(): void {
    let bytes = Buffer.concat([this.#takeGivenBack(), this.#take()])
    for (let tries = 0; bytes.length > 0 && tries < FLUSH_TRIES_MAX; ) {
      try {
        bytes = bytes.subarray(writeSync(this.#target, bytes))
      } catch (error) {
        if (!isFull(error)) break
        tries++
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_MS)
      }
    }
    this.#lose(bytes)
  }

  #writeAll(): void {
    const bytes = this.#take()
    this.#isWriting = bytes.length > 0
    if (this.#isWriting) this.#write(bytes)
  }

  #write(bytes: Buffer): void {
    write(this.#target, bytes, (error, written) => {
      if (isFull(error)) {
        this.#tryLater(bytes)
        return
      }
      if (error !== null) this.#lose(bytes)
      const rest = error === null ? bytes.subarray(written) : bytes.subarray(bytes.length)
      if (rest.length > 0) this.#write(rest)
      else this.#writeAll()
    })
  }

  #tryLater(bytes: Buffer): void {
    const retry = setTimeout(() => {
      this.#givenBack = null
      this.#write(bytes)
    }, FULL_MS)
    this.#givenBack = { bytes, retry }
  }

  #takeGivenBack(): Buffer {
    if (this.#givenBack === null) return Buffer.alloc(0)
    const { bytes, retry } = this.#givenBack
    clearTimeout(retry)
    this.#givenBack = null
    // Nobody is writing any more.
    this.#isWriting = false
    return bytes
  }

  get #target(): number {
    this.#openFd ??= neverWaiting(this.#fd)
    return this.#openFd
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#waitingBytes = 0
    return bytes
  }

  #lose(bytes: Buffer): void {
    for (const byte of bytes) if (byte === NEWLINE) this.#lost++
  }
}

const NEWLINE = 0x0a

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EAGAIN'
