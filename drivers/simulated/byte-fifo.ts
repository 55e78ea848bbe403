/** Bytes in the order in which they came, in pieces of any size. */
export class ByteFifo {
  readonly #pieces: Uint8Array[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#pieces.push(bytes)
    this.#length += bytes.length
  }

  /** At most `byteCount` bytes, and no more than the first piece has left. */
  take(byteCount: number): Uint8Array {
    const first = this.#pieces[0]
    if (first === undefined) return new Uint8Array(0)
    const taken = first.subarray(0, byteCount)
    if (taken.length === first.length) this.#pieces.shift()
    else this.#pieces[0] = first.subarray(taken.length)
    this.#length -= taken.length
    return taken
  }

  clear(): void {
    this.#pieces.length = 0
    this.#length = 0
  }
}
