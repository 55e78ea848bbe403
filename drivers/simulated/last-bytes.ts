const BLOCK_BYTES = 16_384

/** The bytes that came last, as many as it is told to keep and up to a block fewer. */
export class LastBytes {
  readonly #blocksMax: number
  readonly #full: Uint8Array[] = []
  #block = new Uint8Array(0)
  #used = 0

  /** @param byteCount a whole number of blocks of 16 KiB */
  constructor(byteCount: number) {
    this.#blocksMax = byteCount / BLOCK_BYTES
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#used === this.#block.length) this.#begin()
      const part = bytes.subarray(at, at + this.#block.length - this.#used)
      this.#block.set(part, this.#used)
      this.#used += part.length
      at += part.length
    }
  }

  all(): Uint8Array {
    const parts = [...this.#full, this.#block.subarray(0, this.#used)]
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }

  #begin(): void {
    if (this.#block.length > 0) this.#full.push(this.#block)
    if (this.#full.length >= this.#blocksMax) this.#full.shift()
    this.#block = new Uint8Array(BLOCK_BYTES)
    this.#used = 0
  }
}
