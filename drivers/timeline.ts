/** What a light is to show from which moment on: bounded, and forgotten at a word. */
import { after } from '../runtime/core/time.js'
import type { Cancel, Clock, MonotonicMs } from '../runtime/ports/clock.js'

interface Entry<T> {
  readonly value: T
  readonly at: MonotonicMs
  cancel: Cancel
}

/** As many as one line of a host holds: more than five seconds of a fade at 50 frames per second. */
const WAITING_MAX = 256

export class Timeline<T> {
  readonly #clock: Clock
  readonly #due: (value: T, at: MonotonicMs) => void
  readonly #waiting = new Set<Entry<T>>()

  constructor(clock: Clock, due: (value: T, at: MonotonicMs) => void) {
    this.#clock = clock
    this.#due = due
  }

  /**
   * Calls `due` with the value `leadMs` before `at`, at once when that is past. When 256 wait already the oldest gives
   * way: a frame of a fade may be lost, its end may not.
   */
  add(value: T, at: MonotonicMs, leadMs: number): void {
    const wakeAt = after(at, -leadMs)
    if (wakeAt <= this.#clock.monotonicMs()) {
      this.#due(value, at)
      return
    }
    for (const oldest of this.#waiting) {
      if (this.#waiting.size < WAITING_MAX) break
      oldest.cancel()
      this.#waiting.delete(oldest)
    }
    const entry: Entry<T> = { value, at, cancel: () => {} }
    entry.cancel = this.#clock.runAt(wakeAt, () => {
      this.#waiting.delete(entry)
      this.#due(value, at)
    })
    this.#waiting.add(entry)
  }

  clear(): void {
    for (const entry of this.#waiting) entry.cancel()
    this.#waiting.clear()
  }
}
