/** Which pieces of an object there are: a bit each, so that a box can tell the others in a short word. */
import { bytesOf } from './piece-list.js'

export class PieceSet {
  readonly count: number
  readonly #bits: Uint8Array
  #size = 0

  /** @param count of the pieces that there could be */
  constructor(count: number) {
    this.count = count
    this.#bits = new Uint8Array(Math.ceil(count / 8))
  }

  /** How many there are. */
  get size(): number {
    return this.#size
  }

  get isFull(): boolean {
    return this.#size === this.count
  }

  has(index: number): boolean {
    return ((this.#bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
  }

  add(index: number): void {
    if (index < 0 || index >= this.count || this.has(index)) return
    this.#bits[index >> 3] = (this.#bits[index >> 3] ?? 0) | (1 << (index & 7))
    this.#size++
  }

  remove(index: number): void {
    if (!this.has(index)) return
    this.#bits[index >> 3] = (this.#bits[index >> 3] ?? 0) & ~(1 << (index & 7))
    this.#size--
  }

  /** `*` for all of them, otherwise base64, piece 0 in the lowest bit of the first byte. */
  toText(): string {
    if (this.isFull) return '*'
    return btoa(String.fromCharCode(...this.#bits))
  }

  /** Null for a text that is not one of a set of so many pieces. */
  static fromText(text: string, count: number): PieceSet | null {
    const set = new PieceSet(count)
    const bits = text === '*' ? new Uint8Array(set.#bits.length).fill(0xff) : bitsOf(text)
    if (bits?.length !== set.#bits.length) return null
    for (let index = 0; index < count; index++)
      if (((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0) set.add(index)
    return set
  }
}

function bitsOf(text: string): Uint8Array | null {
  try {
    return bytesOf(text)
  } catch {
    // What another box says is not worth an error: it has nothing.
    return null
  }
}
