import { assert } from '../../runtime/core/errors.js'
import { after, monotonicMs, showTimeMs, wallTimeMs } from '../../runtime/core/time.js'
import type {
  Cancel,
  Clock,
  MonotonicMs,
  ShowTimeMs,
  WallTimeMs,
} from '../../runtime/ports/clock.js'

interface Task {
  readonly at: MonotonicMs
  readonly order: number
  readonly run: () => void
}

export interface SimulatedClockOptions {
  /** What the venue's timeline shows at monotonic zero. */
  readonly showStartMs: number
  /** How much faster than true time this box's oscillator runs, seen by the venue's timeline. */
  readonly driftPpm: number
}

/** Time that moves only when told to, so that a two-hour show runs in a second, the same each time. */
export class SimulatedClock implements Clock {
  #now = monotonicMs(0)
  #order = 0
  readonly #queue = new TaskHeap()
  readonly #showStartMs: number
  readonly #rate: number
  #wallOffsetMs: number

  constructor(options: SimulatedClockOptions) {
    this.#showStartMs = options.showStartMs
    this.#wallOffsetMs = options.showStartMs
    this.#rate = 1 + options.driftPpm / 1e6
  }

  monotonicMs(): MonotonicMs {
    return this.#now
  }

  showTimeMs(): ShowTimeMs {
    return this.monotonicToShow(this.#now)
  }

  wallTimeMs(): WallTimeMs {
    return wallTimeMs(this.#wallOffsetMs + this.#now)
  }

  monotonicToShow(at: MonotonicMs): ShowTimeMs {
    return showTimeMs(this.#showStartMs + at * this.#rate)
  }

  showToMonotonic(at: ShowTimeMs): MonotonicMs {
    return monotonicMs((at - this.#showStartMs) / this.#rate)
  }

  showErrorMs(): number {
    return 0
  }

  /** Somebody sets the wall clock, or an NTP answer arrives: only wall time moves. */
  stepWall(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  runAt(at: MonotonicMs, run: () => void): Cancel {
    const task: Task = { at: at > this.#now ? at : this.#now, order: this.#order++, run }
    return this.#queue.add(task)
  }

  /** The power is gone: nothing that waits will ever run. Time itself goes on. */
  forget(): void {
    this.#queue.clear()
  }

  /** Runs everything due in the next `durationMs`, in time order, then in order of request. */
  async advance(durationMs: number): Promise<void> {
    assert(durationMs >= 0, 'time moves forward')
    const until = after(this.#now, durationMs)
    await settle()
    for (let task = this.#queue.takeUntil(until); task; task = this.#queue.takeUntil(until)) {
      this.#now = task.at
      task.run()
      await settle()
    }
    this.#now = until
  }
}

/** Lets every promise that is ready run to rest before time moves on. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Binary heap by moment, then by order of request. Cancelled tasks are dropped when they come up. */
class TaskHeap {
  readonly #heap: Task[] = []
  readonly #cancelled = new Set<Task>()

  add(task: Task): Cancel {
    this.#heap.push(task)
    this.#rise(this.#heap.length - 1)
    return () => void this.#cancelled.add(task)
  }

  clear(): void {
    this.#heap.length = 0
    this.#cancelled.clear()
  }

  takeUntil(until: MonotonicMs): Task | null {
    for (let first = this.#heap[0]; first && first.at <= until; first = this.#heap[0]) {
      this.#removeFirst()
      if (!this.#cancelled.delete(first)) return first
    }
    if (this.#heap.length === 0) this.#cancelled.clear()
    return null
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    let parent = 0
    for (;;) {
      const child = this.#smallerChild(parent)
      if (child === null || !this.#isBefore(child, parent)) return
      this.#swap(parent, child)
      parent = child
    }
  }

  #rise(index: number): void {
    for (let child = index; child > 0; ) {
      const parent = (child - 1) >> 1
      if (!this.#isBefore(child, parent)) return
      this.#swap(parent, child)
      child = parent
    }
  }

  #smallerChild(parent: number): number | null {
    const left = 2 * parent + 1
    if (left >= this.#heap.length) return null
    return left + 1 < this.#heap.length && this.#isBefore(left + 1, left) ? left + 1 : left
  }

  #isBefore(a: number, b: number): boolean {
    const [first, second] = [this.#heap[a], this.#heap[b]]
    if (!first || !second) return false
    return first.at === second.at ? first.order < second.order : first.at < second.at
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]]
    if (!first || !second) return
    this.#heap[a] = second
    this.#heap[b] = first
  }
}
