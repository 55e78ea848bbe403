/**
 * The last entries of the log that the boxes share, chained: each names the place of the one before it. So a follower
 * whose last entry is the one before goes on, and any other finds out that it does not.
 */
import type { MonotonicMs } from '../../ports/clock.js'
import type { Place, SharedEntry } from '../../ports/company.js'
import { isSame } from './ranks.js'

/** Entries kept for those who lack some, and ids of what was done. */
const ENTRIES_MAX = 256
/** Entries that came before the one that they go on from. */
const EARLY_MAX = 64

export interface Chained extends SharedEntry {
  readonly before: Place
  /** When this box decided it, or heard of it. */
  readonly at: MonotonicMs
}

export class VenueLog {
  /** Before the first one kept. */
  #floor: Place
  #entries: Chained[] = []
  readonly #early = new Map<number, Chained>()
  #ids: string[]

  /** @param ids of what was done before */
  constructor(floor: Place, ids: readonly string[] = []) {
    this.#floor = floor
    this.#ids = ids.slice(-ENTRIES_MAX)
  }

  get head(): Place {
    return this.#entries.at(-1)?.place ?? this.#floor
  }

  /** Of the last entries, those included that came with a whole state. */
  get ids(): readonly string[] {
    return this.#ids
  }

  /** Those that are kept. */
  get all(): readonly Chained[] {
    return this.#entries
  }

  /** What was decided here. */
  append(epoch: number, deed: Pick<Chained, 'id' | 'events' | 'at'>): Chained {
    const before = this.head
    const entry = { place: { epoch, position: before.position + 1 }, before, ...deed }
    this.#push(entry)
    return entry
  }

  /** Takes what the leader sent. @returns what can be carried out now, in order; null when something before it is lacking */
  take(entry: Chained): readonly Chained[] | null {
    if (!isSame(entry.before, this.head)) {
      if (entry.place.position <= this.head.position) return this.has(entry.place) ? [] : null
      if (this.#early.size < EARLY_MAX) this.#early.set(entry.place.position, entry)
      return null
    }
    const taken: Chained[] = []
    let next: Chained | undefined = entry
    while (next && isSame(next.before, this.head)) {
      this.#push(next)
      taken.push(next)
      const position: number = next.place.position + 1
      next = this.#early.get(position)
      this.#early.delete(position)
    }
    return taken
  }

  /** Everything after that place; null when the log does not go back to it, or went another way. */
  after(place: Place): readonly Chained[] | null {
    if (isSame(place, this.#floor)) return this.#entries
    const index = this.#entries.findIndex(entry => isSame(entry.place, place))
    return index < 0 ? null : this.#entries.slice(index + 1)
  }

  has(place: Place): boolean {
    return isSame(place, this.#floor) || this.#entries.some(entry => isSame(entry.place, place))
  }

  /** Begins anew from a whole state, in which these were the last. */
  restart(floor: Place, ids: readonly string[]): void {
    this.#floor = floor
    this.#ids = ids.slice(-ENTRIES_MAX)
    this.#entries = []
    this.#early.clear()
  }

  /** Another leader: what came early from the last one goes on from nothing any more. */
  forgetEarly(): void {
    this.#early.clear()
  }

  #push(entry: Chained): void {
    this.#entries.push(entry)
    this.#ids = [...this.#ids.slice(1 - ENTRIES_MAX), entry.id]
    const oldest = this.#entries.length > ENTRIES_MAX ? this.#entries.shift() : undefined
    if (oldest) this.#floor = oldest.place
  }
}
