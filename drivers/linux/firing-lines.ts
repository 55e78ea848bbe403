/** Which lines are open, in memory that the main thread and the firing thread share. */
import type { WriteMethod } from './gpio-backend.js'

const Method = { none: 0, chardev: 1, file: 2 } as const
const WORDS_PER_LINE = 4

export interface SharedLine {
  readonly fd: number
  readonly method: WriteMethod
  /** The state it is left in when nobody drives it on purpose. */
  readonly isSafeActive: boolean
}

export class SharedLines {
  readonly buffer: SharedArrayBuffer
  readonly lineCount: number
  /** Last to be written when a line is opened, first when it is closed: not `none` means that the rest holds. */
  readonly #methods: Int32Array
  readonly #fds: Int32Array
  readonly #safeValues: Int32Array
  /** 1 while the firing thread writes to the line. */
  readonly #busy: Int32Array

  /** @param buffer from `linesBuffer`; each thread makes its own view of it */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.lineCount = buffer.byteLength / (4 * WORDS_PER_LINE)
    const words = (column: number): Int32Array =>
      new Int32Array(buffer, column * this.lineCount * 4, this.lineCount)
    this.#methods = words(0)
    this.#fds = words(1)
    this.#safeValues = words(2)
    this.#busy = words(3)
  }

  open(line: number, { fd, method, isSafeActive }: SharedLine): void {
    this.#fds[line] = fd
    this.#safeValues[line] = isSafeActive ? 1 : 0
    Atomics.store(this.#methods, line, Method[method])
  }

  /** After this nobody begins to write to the line any more. */
  close(line: number): void {
    Atomics.store(this.#methods, line, Method.none)
  }

  /** Sleeps until the firing thread does not write to the line; false when that takes too long. */
  waitWhileBusy(line: number, limitMs: number): boolean {
    return Atomics.wait(this.#busy, line, 1, limitMs) !== 'timed-out'
  }

  /** For the firing thread: `write` gets the line if it is open. Returns whether it was. */
  use(line: number, write: (shared: SharedLine) => void): boolean {
    // First the flag, then the look. `close` and then `waitWhileBusy` go the other way round, so one sees the other.
    Atomics.store(this.#busy, line, 1)
    try {
      const method = Atomics.load(this.#methods, line)
      if (method === Method.none) return false
      write({
        fd: this.#fds[line] ?? -1,
        method: method === Method.chardev ? 'chardev' : 'file',
        isSafeActive: this.#safeValues[line] === 1,
      })
      return true
    } finally {
      Atomics.store(this.#busy, line, 0)
      Atomics.notify(this.#busy, line)
    }
  }
}

export const linesBuffer = (lineCount: number): SharedArrayBuffer =>
  new SharedArrayBuffer(lineCount * WORDS_PER_LINE * 4)
