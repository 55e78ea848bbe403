/** Waking, living and leaving: three words of memory that the main thread and the firing thread share. */
const Word = { version: 0, beats: 1, isStopping: 2 } as const

export class FiringSignals {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array

  /** @param buffer from `signalsBuffer`; each thread makes its own view of it */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
  }

  /** Read it, look at what there is to do, then `sleep` on it: what changes in between is not missed. */
  version(): number {
    return Atomics.load(this.#words, Word.version)
  }

  /** Makes the firing thread look again. */
  wake(): void {
    Atomics.add(this.#words, Word.version, 1)
    Atomics.notify(this.#words, Word.version)
  }

  /** Sleeps while nothing changes; true when that lasted for `durationMs`. */
  sleep(version: number, durationMs: number): boolean {
    return Atomics.wait(this.#words, Word.version, version, durationMs) === 'timed-out'
  }

  /** The main thread lives. */
  beat(): void {
    Atomics.add(this.#words, Word.beats, 1)
  }

  /** Wraps around: only whether it changed means something. */
  beats(): number {
    return Atomics.load(this.#words, Word.beats)
  }

  stop(): void {
    Atomics.store(this.#words, Word.isStopping, 1)
    this.wake()
  }

  isStopping(): boolean {
    return Atomics.load(this.#words, Word.isStopping) === 1
  }
}

export const signalsBuffer = (): SharedArrayBuffer => new SharedArrayBuffer(3 * 4)
