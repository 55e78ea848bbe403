/** Puts together whole pieces from bytes as they come, and tells which piece they are. */
import type { PieceList } from './piece-list.js'

export interface WholePiece {
  readonly index: number
  /** Good until the next call. */
  readonly bytes: Uint8Array
}

export class PieceAssembly {
  readonly #list: PieceList
  readonly #buffer: Uint8Array
  #index = -1
  #filled = 0

  constructor(list: PieceList) {
    this.#list = list
    this.#buffer = new Uint8Array(Math.min(list.object.pieceByteCount, list.object.byteCount))
  }

  /** Bytes of a piece that is not whole yet. */
  get unfinishedByteCount(): number {
    return this.#filled
  }

  /** The pieces that these bytes make whole. A piece of which the beginning is missing never will be. */
  *take(at: number, bytes: Uint8Array): Generator<WholePiece> {
    let done = 0
    while (done < bytes.length) {
      const index = Math.floor((at + done) / this.#list.object.pieceByteCount)
      const within = at + done - this.#list.startOf(index)
      const room = this.#list.byteCountOf(index) - within
      // After the last byte of the object.
      if (room <= 0) return
      const part = bytes.subarray(done, done + room)
      done += part.length
      if (!this.#append(index, within, part)) continue
      this.#filled = 0
      yield { index, bytes: this.#buffer.subarray(0, this.#list.byteCountOf(index)) }
    }
  }

  /** True when the piece is whole. */
  #append(index: number, within: number, part: Uint8Array): boolean {
    if (within === 0) {
      this.#index = index
      this.#filled = 0
    }
    if (index !== this.#index || within !== this.#filled) {
      this.#filled = 0
      this.#index = -1
      return false
    }
    this.#buffer.set(part, within)
    this.#filled = within + part.length
    return this.#filled === this.#list.byteCountOf(index)
  }
}
