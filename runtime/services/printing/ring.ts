/** The newest so many numbers, and what they say. */
export class Ring {
  readonly #max: number
  #values: readonly number[] = []

  constructor(max: number) {
    this.#max = max
  }

  add(value: number): void {
    this.#values = [...this.#values, value].slice(-this.#max)
  }

  /** Null while there are none. @param share 0..1 */
  at(share: number): number | null {
    const sorted = this.#values.toSorted((a, b) => a - b)
    return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
  }
}
