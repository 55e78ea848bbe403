/** How often this box has been started: the broker numbers its lives with it, and engineers count restarts. */
import { BoxError } from './core/errors.js'
import { Records } from './core/records.js'
import { integer, object } from './core/schema.js'
import type { Log } from './ports/log.js'
import type { Change, Range, Row, Store } from './ports/store.js'

const countSchema = object({ count: integer({ min: 0, max: 1e9 }) })

export interface CountedBoot {
  readonly boot: number
  /** What is kept in this life is to go through it: never without the count. */
  readonly store: Store
  /** Why the count is not kept yet: what a box does without whose card takes no writes, since the lights come first. */
  readonly trouble: 'read-only' | 'full' | null
}

/** @throws BoxError `storage.*` when the count of before cannot be read */
export async function countBoot(store: Store, log: Log): Promise<CountedBoot> {
  const records = new Records(store, 'box', countSchema)
  const boot = ((await records.read('boot'))?.count ?? 0) + 1
  const counted = records.put('boot', { count: boot })
  try {
    await store.commit([counted])
    return { boot, store, trouble: null }
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    log.warn('boot.not-counted', { error })
    const trouble = error.code === 'storage.full' ? 'full' : 'read-only'
    return { boot, store: new CountingStore(store, counted), trouble }
  }
}

/** The first commit that the card takes keeps the count, too: else two lives that kept something had the same number. */
class CountingStore implements Store {
  readonly #store: Store
  #owed: Change | null

  constructor(store: Store, owed: Change) {
    this.#store = store
    this.#owed = owed
  }

  async commit(changes: readonly Change[]): Promise<void> {
    const owed = this.#owed
    await this.#store.commit(owed === null ? changes : [...changes, owed])
    if (owed !== null) this.#owed = null
  }

  read(table: string, key: string): Promise<Uint8Array | null> {
    return this.#store.read(table, key)
  }

  scan(table: string, range: Range): Promise<readonly Row[]> {
    return this.#store.scan(table, range)
  }
}
