/** What is ordered and can be believed, with the name that the machine knows it by. */
import type { Keys } from '../../runtime/ports/keys.js'
import { osImage } from '../os/os-description.js'
import type { OsImage } from '../os/os-state.js'
import type { OsOrdered } from './os-parts.js'

export interface Candidate {
  readonly ordered: OsOrdered
  readonly image: OsImage
}

export class Candidates {
  readonly #keys: Keys
  #last: Candidate | null = null

  constructor(keys: Keys) {
    this.#keys = keys
  }

  /** Asked for many times in each turn; reckoned when it is another one. */
  of(ordered: OsOrdered | null): Candidate | null {
    if (ordered === null) return null
    if (this.#last?.ordered !== ordered)
      this.#last = { ordered, image: osImage(this.#keys, ordered.description) }
    return this.#last
  }
}
