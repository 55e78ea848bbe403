/** Bytes that come in pieces, made lines again. What a stranger sends without an end is bounded. */

const LINE_FEED = 0x0a

export class LineBuffer {
  readonly #bytesMax: number
  #rest: number[] = []

  /** @param bytesMax of one line, its end not counted */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /**
   * The lines that are whole now, without their ends, each byte as the character of its number.
   * @returns null when a line is longer than allowed: where the next one begins cannot be known, so hang up
   */
  add(bytes: Uint8Array): readonly string[] | null {
    const lines: string[] = []
    for (const byte of bytes) {
      if (byte !== LINE_FEED) {
        if (this.#rest.length === this.#bytesMax) return null
        this.#rest.push(byte)
      } else {
        lines.push(String.fromCharCode(...this.#rest))
        this.#rest = []
      }
    }
    return lines
  }
}
