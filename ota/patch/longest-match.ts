import { suffixArrayOf } from './suffix-array.js'

/** So many neighbours in the order are asked for one that reads the same and lies nearer. */
const NEIGHBOURS = 6
/** What reads the same for so long is taken wherever it lies. */
const LONG_BYTES = 512

/** Where in some bytes a stretch of others is found longest. */
export class LongestMatch {
  /** Of the last `find`. */
  at = 0
  length = 0
  readonly #old: Uint8Array
  readonly #suffixes: Int32Array
  /** For each three letters the first suffix that begins so, and how many do. */
  readonly #first = new Int32Array(1 << 24)
  readonly #counts = new Int32Array(1 << 24)

  constructor(old: Uint8Array) {
    this.#old = old
    this.#suffixes = suffixArrayOf(old)
    for (let index = 0; index < this.#suffixes.length; index++) {
      const suffix = this.#suffixes[index] ?? 0
      if (suffix + 3 > old.length) continue
      const key = keyAt(old, suffix)
      if (this.#counts[key] === 0) this.#first[key] = index
      this.#counts[key] = (this.#counts[key] ?? 0) + 1
    }
  }

  /** Looks for the longest stretch that begins like `bytes` at `place`; of two as long, for the one near `expected`. */
  find(bytes: Uint8Array, place: number, expected: number): void {
    this.length = 0
    if (place + 3 > bytes.length) return
    const key = keyAt(bytes, place)
    let low = this.#first[key] ?? 0
    let high = low + (this.#counts[key] ?? 0)
    if (low === high) return
    const first = low
    const end = high
    let lowLength = 3
    let highLength = 3
    while (low < high) {
      const middle = (low + high) >>> 1
      const suffix = this.#suffixes[middle] ?? 0
      const length = this.#common(suffix, bytes, place, Math.min(lowLength, highLength))
      if (this.#isSmaller(suffix + length, bytes, place + length)) {
        low = middle + 1
        lowLength = length
      } else {
        high = middle
        highLength = length
      }
    }
    this.#take(low - 1, first, bytes, place, expected)
    this.#take(low, first, bytes, place, expected, end)
    if (this.length < LONG_BYTES) this.#takeNearer({ low, first, end }, bytes, place, expected)
  }

  #takeNearer(
    range: { low: number; first: number; end: number },
    bytes: Uint8Array,
    place: number,
    expected: number,
  ): void {
    for (let step = 1; step <= NEIGHBOURS; step++) {
      this.#take(range.low - 1 - step, range.first, bytes, place, expected)
      this.#take(range.low + step, range.first, bytes, place, expected, range.end)
    }
  }

  #take(
    index: number,
    first: number,
    bytes: Uint8Array,
    place: number,
    expected: number,
    end: number = Number.MAX_SAFE_INTEGER,
  ): void {
    if (index < first || index >= end) return
    const suffix = this.#suffixes[index] ?? 0
    const length = this.#common(suffix, bytes, place, 3)
    if (length < this.length) return
    if (length === this.length && Math.abs(suffix - expected) >= Math.abs(this.at - expected))
      return
    this.at = suffix
    this.length = length
  }

  #common(suffix: number, bytes: Uint8Array, place: number, known: number): number {
    const old = this.#old
    const max = Math.min(old.length - suffix, bytes.length - place)
    let length = known
    while (length < max && old[suffix + length] === bytes[place + length]) length++
    return length
  }

  #isSmaller(at: number, bytes: Uint8Array, place: number): boolean {
    if (place >= bytes.length) return false
    return at >= this.#old.length || (this.#old[at] ?? 0) < (bytes[place] ?? 0)
  }
}

const keyAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
