import { BoxError, messageOf } from '../../core/errors.js'
import { forgetOldest } from '../../core/oldest.js'
import type { Log } from '../../ports/log.js'
import type { Change, Store } from '../../ports/store.js'

/** What may wait for a disk that does not take it: an hour of minutes. Beyond that the oldest is dropped. */
const WAITING_MAX = 64

/** Writes in the background, one commit at a time; a disk that fails costs history, and nothing else. */
export class RecordsWriter {
  readonly #store: Store
  readonly #log: Log
  /** By table and key: a newer record takes the place of an older one. */
  readonly #waiting = new Map<string, Change>()
  #writing: Promise<void> | null = null
  #isFailing = false

  constructor(store: Store, log: Log) {
    this.#store = store
    this.#log = log
  }

  /** Resolves when everything that waits has been tried. */
  write(changes: readonly Change[]): Promise<void> {
    for (const change of changes) this.#keep(change)
    this.#writing ??= this.#drain()
    return this.#writing
  }

  #keep(change: Change): void {
    const key = 'key' in change ? `${change.table}/${change.key}` : change.table
    this.#waiting.delete(key)
    this.#waiting.set(key, change)
    forgetOldest(this.#waiting, WAITING_MAX)
  }

  async #drain(): Promise<void> {
    try {
      // Who called keeps the promise first: the end of this must not come before.
      await Promise.resolve()
      while (this.#waiting.size > 0) {
        const batch = [...this.#waiting]
        await this.#store.commit(batch.map(([, change]) => change))
        for (const [key, change] of batch)
          if (this.#waiting.get(key) === change) this.#waiting.delete(key)
        this.#isFailing = false
      }
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      if (!this.#isFailing) this.#log.warn('power.not-kept', { error: messageOf(error) })
      this.#isFailing = true
    } finally {
      this.#writing = null
    }
  }
}
