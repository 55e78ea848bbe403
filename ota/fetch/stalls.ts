/** Claims to fetch for all that came to nothing. Whoever makes several more of them than we did ourselves is not waited for. */

const BOXES_MAX = 64
/** Of one box: more make no difference. */
const COUNTED_MAX = 8
/** While the uplink of a venue is down everybody's claims come to nothing, and then everybody is to be believed again. */
const AHEAD_MAX = 1

export class Stalls {
  readonly #claims = new Map<string, Set<string>>()

  note(box: string, sha256: string, claim: number): void {
    const claims = this.#claims.get(box) ?? new Set<string>()
    if (claims.size < COUNTED_MAX) claims.add(`${sha256} ${claim}`)
    this.#claims.delete(box)
    this.#claims.set(box, claims)
    for (const oldest of this.#claims.keys()) {
      if (this.#claims.size <= BOXES_MAX) break
      this.#claims.delete(oldest)
    }
  }

  /** It has fetched something for all. */
  forgive(box: string): void {
    this.#claims.delete(box)
  }

  isTiresome(box: string, own: string): boolean {
    return this.#countOf(box) > this.#countOf(own) + AHEAD_MAX
  }

  #countOf(box: string): number {
    return this.#claims.get(box)?.size ?? 0
  }
}
