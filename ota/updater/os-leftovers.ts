/** The objects of a system that is not wanted any more. */
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { OsObjects } from './os-parts.js'

/** A system that runs needs its objects no longer, and the other boxes of the venue had their time. */
const KEEP_OBJECTS_MS = 3_600_000

export class OsLeftovers {
  readonly #clock: Clock
  readonly #objects: Pick<OsObjects, 'drop'>
  #idleSinceMs: MonotonicMs | null = null
  #isDropped = false

  constructor(clock: Clock, objects: Pick<OsObjects, 'drop'>) {
    this.#clock = clock
    this.#objects = objects
  }

  /** They are needed again. */
  keep(): void {
    this.#idleSinceMs = null
    this.#isDropped = false
  }

  /** To be called again and again while nothing is wanted; removes them once. */
  async tidyUp(): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    this.#idleSinceMs ??= nowMs
    if (this.#isDropped || nowMs - this.#idleSinceMs < KEEP_OBJECTS_MS) return
    this.#isDropped = true
    await this.#objects.drop()
  }
}
