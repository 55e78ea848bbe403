import { nextTick } from 'node:process'
import { assert } from '../../runtime/core/errors.js'
import { after, monotonicMs, NS_PER_MS, showTimeMs, wallTimeMs } from '../../runtime/core/time.js'
import type {
  Cancel,
  Clock,
  MonotonicMs,
  ShowTimeMs,
  WallTimeMs,
} from '../../runtime/ports/clock.js'
import type { ShowMapping, ShowTimeline } from '../../runtime/ports/show-timeline.js'
import type { WallMapping, WallTimeline } from '../../runtime/ports/wall-timeline.js'

interface Task {
  readonly at: MonotonicMs
  readonly order: number
  /** Null when it was cancelled. */
  run: (() => void) | null
}

/** Tasks between two looks at the world outside, which cost more than the tasks do. */
const TASKS_PER_TURN = 64

export interface SimulatedClockOptions {
  /** What the venue's timeline shows at monotonic zero. */
  readonly showStartMs: number
  /** How much faster than true time this box's oscillator runs, seen by the venue's timeline. */
  readonly driftPpm: number
}

/** Time that moves only when told to, so that a two-hour show runs in a second, the same each time. */
export class SimulatedClock implements Clock, ShowTimeline, WallTimeline {
  /** Null until a timeline is followed. */
  #mapping: ShowMapping | null = null
  #wall: WallMapping | null = null
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
    return this.#wall?.wallAt(this.#now) ?? this.systemAt(this.#now)
  }

  systemAt(at: MonotonicMs): WallTimeMs {
    return wallTimeMs(this.#wallOffsetMs + at)
  }

  followWall(mapping: WallMapping): void {
    this.#wall = mapping
  }

  monotonicToShow(at: MonotonicMs): ShowTimeMs {
    return this.#mapping?.showAt(at) ?? showTimeMs(this.#showStartMs + at * this.#rate)
  }

  showToMonotonic(at: ShowTimeMs): MonotonicMs {
    return this.#mapping?.monotonicAt(at) ?? monotonicMs((at - this.#showStartMs) / this.#rate)
  }

  showErrorMs(): number {
    return (this.#mapping?.errorNs(this.#now) ?? 0) / NS_PER_MS
  }

  follow(mapping: ShowMapping): void {
    this.#mapping = mapping
  }

  /** Somebody sets the system's date: only wall time moves, and only where nothing else is followed. */
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
    let count = 0
    for (let task = this.#queue.takeUntil(until); task; task = this.#queue.takeUntil(until)) {
      this.#now = task.at
      task.run?.()
      if (++count % TASKS_PER_TURN === 0) await settle()
      else await promisesRest()
    }
    if (count % TASKS_PER_TURN !== 0) await settle()
    this.#now = until
  }
}

/** Lets every promise that is ready run to rest, and then what the engine has to tell of files and sockets. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Lets every promise that is ready run to rest: the engine takes the next tick when none is left. */
function promisesRest(): Promise<void> {
  return new Promise(resolve => nextTick(resolve))
}

/** Binary heap by moment, then by order of request. Cancelled tasks are dropped when they come up. */
class TaskHeap {
  readonly #heap: Task[] = []

  add(task: Task): Cancel {
    this.#rise(task)
    return () => {
      task.run = null
    }
  }

  clear(): void {
    this.#heap.length = 0
  }

  takeUntil(until: MonotonicMs): Task | null {
    for (let first = this.#heap[0]; first && first.at <= until; first = this.#heap[0]) {
      const last = this.#heap.pop()
      if (last && last !== first) this.#sink(last)
      if (first.run) return first
    }
    return null
  }

  /** Puts a task where it belongs, from the end upwards. */
  #rise(task: Task): void {
    let index = this.#heap.length
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#heap[parentIndex]
      if (!parent || !isBefore(task, parent)) break
      this.#heap[index] = parent
      index = parentIndex
    }
    this.#heap[index] = task
  }

  /** Puts a task where it belongs, from the top downwards. */
  #sink(task: Task): void {
    let index = 0
    for (;;) {
      const childIndex = this.#earlierChild(index)
      const child = this.#heap[childIndex]
      if (!child || !isBefore(child, task)) break
      this.#heap[index] = child
      index = childIndex
    }
    this.#heap[index] = task
  }

  #earlierChild(parentIndex: number): number {
    const leftIndex = 2 * parentIndex + 1
    const left = this.#heap[leftIndex]
    const right = this.#heap[leftIndex + 1]
    return left && right && isBefore(right, left) ? leftIndex + 1 : leftIndex
  }
}

const isBefore = (a: Task, b: Task): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
