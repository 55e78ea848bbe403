const KEY_BYTES = 12
const BUCKETS = 1 << 20
const TRIES_MAX = 24

/** Where in bytes that were added so far a stretch is found, nearly always the longest. */
export class RecentMatch {
  at = 0
  length = 0
  readonly #bytes: Uint8Array
  readonly #heads = new Int32Array(BUCKETS).fill(-1)
  readonly #before: Int32Array
  #end = 0

  /** @param bytes all that will be added */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#before = new Int32Array(bytes.length)
  }

  /** Bytes up to `end` can be found from now on; those of a stretch that is left out cannot. */
  add(start: number, end: number): void {
    this.#end = end
    for (let at = start; at + KEY_BYTES <= end; at++) {
      const key = this.#key(at)
      this.#before[at] = this.#heads[key] ?? -1
      this.#heads[key] = at
    }
  }

  find(place: number): void {
    this.length = 0
    if (place + KEY_BYTES > this.#bytes.length) return
    let at = this.#heads[this.#key(place)] ?? -1
    for (let tries = 0; at >= 0 && tries < TRIES_MAX; tries++) {
      const length = this.#common(at, place)
      if (length > this.length) {
        this.at = at
        this.length = length
      }
      at = this.#before[at] ?? -1
    }
  }

  #common(at: number, place: number): number {
    const bytes = this.#bytes
    const max = Math.min(this.#end - at, bytes.length - place)
    let length = 0
    while (length < max && bytes[at + length] === bytes[place + length]) length++
    return length
  }

  #key(at: number): number {
    const bytes = this.#bytes
    let key = 0
    for (let index = 0; index < KEY_BYTES; index++)
      key = Math.imul(key ^ (bytes[at + index] ?? 0), 0x9e37_79b1)
    return (key ^ (key >>> 15)) >>> 12
  }
}
