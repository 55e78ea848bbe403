/**
 * When a bus that several drivers share is spoken for. Frames for one moment would meet on the bus, and all but one
 * would be late; so each driver asks here when to begin, and the later it asks the earlier it is told to.
 */
import type { Cancel, Clock, MonotonicMs } from '../ports/clock.js'
import type { BusTime } from '../ports/host.js'
import { after, later } from './time.js'

interface Entry {
  readonly owner: number
  readonly from: MonotonicMs
  readonly until: MonotonicMs
}

/** A light that is earlier is as wrong as one that is late: then the bus is too slow, and frames meet after all. */
const EARLY_MS_MAX = 20
/** A few hundred frames of each of a few dozen chips; without its entry a frame may be late, and nothing worse. */
const ENTRIES_MAX = 4096

export class BusTimetable {
  readonly #clock: Clock
  /** In order of `from`. */
  #entries: Entry[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * The latest stretch of `durationMs` that ends by `until`, 20 ms earlier at most, and is nobody else's; the one right
   * before `until` where there is none. An owner's own stretches may overlap: what it does with two frames at once is
   * its own affair.
   */
  reserve(owner: number, durationMs: number, until: MonotonicMs): BusTime {
    const now = this.#clock.monotonicMs()
    const latest = after(until, -durationMs)
    // What is late already is sent at once and asks nobody.
    if (latest <= now) return { from: latest, release: () => {} }
    this.#forgetPast(now)
    const from = later(now, this.#free(owner, durationMs, until) ?? latest)
    return { from, release: this.#add({ owner, from, until: after(from, durationMs) }) }
  }

  /** Null when everything is taken for too long before. */
  #free(owner: number, durationMs: number, until: MonotonicMs): MonotonicMs | null {
    let end = until
    for (let index = this.#entries.length - 1; index >= 0; index--) {
      const entry = this.#entries[index]
      if (!entry || entry.owner === owner || entry.from >= end) continue
      if (entry.until > after(end, -durationMs)) end = entry.from
      if (until - end > EARLY_MS_MAX) return null
    }
    return after(end, -durationMs)
  }

  #add(entry: Entry): Cancel {
    if (this.#entries.length >= ENTRIES_MAX) return () => {}
    const index = this.#entries.findLastIndex(({ from }) => from <= entry.from) + 1
    this.#entries.splice(index, 0, entry)
    return () => {
      const at = this.#entries.lastIndexOf(entry)
      if (at >= 0) this.#entries.splice(at, 1)
    }
  }

  #forgetPast(now: MonotonicMs): void {
    const first = this.#entries[0]
    if (first !== undefined && first.until <= now)
      this.#entries = this.#entries.filter(({ until }) => until > now)
  }
}
