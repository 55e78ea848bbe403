/** What a light is to show from which moment on: bounded, in order, and forgotten at a word. */
import type { Cancel, Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type { BusTime } from '../runtime/ports/host.js'

export interface TimelineOptions<T> {
  /**
   * When `value` must be begun with so that it is there at `at`, and the time set aside for that.
   * @param before what is there then; null when nothing waits before it
   */
  begin(value: T, at: MonotonicMs, before: T | null): BusTime
  due(value: T, at: MonotonicMs): void
}

interface Entry<T> {
  readonly value: T
  readonly time: BusTime
  readonly cancel: Cancel
}

/** As many as one line of a host holds: more than five seconds of a fade at 50 frames per second. */
const WAITING_MAX = 256

export class Timeline<T> {
  readonly #clock: Clock
  readonly #options: TimelineOptions<T>
  /** In the order of the asking, which is also that of their beginnings. */
  readonly #waiting: Entry<T>[] = []

  constructor(clock: Clock, options: TimelineOptions<T>) {
    this.#clock = clock
    this.#options = options
  }

  /** What will be there last; null when nothing waits. */
  get last(): T | null {
    return this.#waiting.at(-1)?.value ?? null
  }

  /**
   * Calls `due` with the value when it must be begun with, at once when that is past. What waits and would be due only
   * then, or later, is dropped: the value that was asked for last is the one that stays. When 256 wait already the oldest
   * gives way: a frame of a fade may be lost, its end may not.
   */
  add(value: T, at: MonotonicMs): void {
    const time = this.#takeTime(value, at)
    if (time.from <= this.#clock.monotonicMs()) {
      this.#options.due(value, at)
      return
    }
    while (this.#waiting.length >= WAITING_MAX) this.#drop(0)
    const entry: Entry<T> = {
      value,
      time,
      cancel: this.#clock.runAt(time.from, () => {
        // What a clock has left behind is overtaken, too.
        while (this.#waiting[0] !== entry) this.#drop(0)
        this.#waiting.shift()
        this.#options.due(value, at)
      }),
    }
    this.#waiting.push(entry)
  }

  clear(): void {
    while (this.#waiting.length > 0) this.#drop(0)
  }

  /** With each one that is dropped there is more to change, so the beginning is looked for anew. */
  #takeTime(value: T, at: MonotonicMs): BusTime {
    for (;;) {
      const last = this.#waiting.at(-1)
      const time = this.#options.begin(value, at, last?.value ?? null)
      const isNow = time.from <= this.#clock.monotonicMs()
      if (last === undefined || (!isNow && last.time.from < time.from)) return time
      time.release()
      this.#drop(this.#waiting.length - 1)
    }
  }

  #drop(index: number): void {
    const [dropped] = this.#waiting.splice(index, 1)
    dropped?.cancel()
    dropped?.time.release()
  }
}
