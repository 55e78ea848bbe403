/** What a bus's two threads know of each chip, by its 7-bit address, in memory that they share. */
import type { RegisterWrite } from '../../runtime/ports/host.js'
import { PACKED_BYTES, packWrites, unpackWrites } from './packed-writes.js'

export const ADDRESSES_MAX = 128
/** Two words for each chip, and one for the bus. */
const WORDS = 2 * ADDRESSES_MAX + 1
const BUSY = 2 * ADDRESSES_MAX

export class SharedChips {
  readonly buffer: SharedArrayBuffer
  /** An epoch and a state for each address; at the end, since when the bus's thread is in the kernel. */
  readonly #words: Int32Array
  readonly #lastWords: Uint8Array

  /** @param buffer from `chipsBuffer`; each thread makes its own view of it */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer, 0, WORDS)
    this.#lastWords = new Uint8Array(buffer, WORDS * 4)
  }

  /** Rises with each `nextEpoch`: a transfer of an earlier one is not begun any more, nor gone on with. */
  epoch(address: number): number {
    return Atomics.load(this.#words, address)
  }

  nextEpoch(address: number): void {
    Atomics.add(this.#words, address, 1)
  }

  /** @param lastWords what makes the chip safe when the main thread is silent */
  keep(address: number, lastWords: readonly RegisterWrite[]): void {
    packWrites(this.#lastWords, address * PACKED_BYTES, lastWords)
    Atomics.store(this.#words, ADDRESSES_MAX + address, 1)
  }

  forget(address: number): void {
    Atomics.store(this.#words, ADDRESSES_MAX + address, 0)
  }

  lastWords(address: number): readonly RegisterWrite[] {
    const isKept = Atomics.load(this.#words, ADDRESSES_MAX + address) === 1
    return isKept ? unpackWrites(this.#lastWords, address * PACKED_BYTES) : []
  }

  /** For the bus's thread: it hands a transfer to the kernel, or null when it has come back. */
  setBusy(sinceMs: number | null): void {
    // As a whole number of 32 bits, which wraps around after weeks, and never 0.
    Atomics.store(this.#words, BUSY, sinceMs === null ? 0 : sinceMs | 0 || 1)
  }

  /** For how long the thread has been waiting for a transfer to come back; 0 when it does not. */
  busyMs(nowMs: number): number {
    const since = Atomics.load(this.#words, BUSY)
    return since === 0 ? 0 : Math.max(0, ((nowMs | 0) - since) | 0)
  }
}

export const chipsBuffer = (): SharedArrayBuffer =>
  new SharedArrayBuffer(WORDS * 4 + ADDRESSES_MAX * PACKED_BYTES)
