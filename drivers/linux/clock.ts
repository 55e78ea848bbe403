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
import { systemMsAt } from './system-time.js'

/** What ties the venue's timeline to this machine's oscillator. */
export interface ShowAnchor {
  /** What the venue's timeline shows at `at`. */
  readonly show: ShowTimeMs
  readonly at: MonotonicMs
  /** Half the width of the interval that holds the true show time. */
  readonly errorMs: number
}

/** Node turns a longer delay into one of 1 ms. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** The clock of a real machine: CLOCK_MONOTONIC, the scale of the kernel's own stamps, and the date, the system's at first. */
export class LinuxClock implements Clock, ShowTimeline, WallTimeline {
  #mapping: ShowMapping
  /** Null: the system's. */
  #wall: WallMapping | null = null

  /** @param anchor of the timeline until another one is followed */
  constructor(anchor: ShowAnchor) {
    this.#mapping = mappingOf(anchor)
  }

  follow(mapping: ShowMapping): void {
    this.#mapping = mapping
  }

  monotonicMs(): MonotonicMs {
    return machineMs()
  }

  showTimeMs(): ShowTimeMs {
    return this.#mapping.showAt(machineMs())
  }

  wallTimeMs(): WallTimeMs {
    // Whole milliseconds, as the system's own.
    return wallTimeMs(Math.floor(this.#wall?.wallAt(machineMs()) ?? Date.now()))
  }

  systemAt(at: MonotonicMs): WallTimeMs {
    return wallTimeMs(systemMsAt(at))
  }

  followWall(mapping: WallMapping): void {
    this.#wall = mapping
  }

  monotonicToShow(at: MonotonicMs): ShowTimeMs {
    return this.#mapping.showAt(at)
  }

  showToMonotonic(at: ShowTimeMs): MonotonicMs {
    return this.#mapping.monotonicAt(at)
  }

  showErrorMs(): number {
    return this.#mapping.errorNs(machineMs()) / NS_PER_MS
  }

  runAt(at: MonotonicMs, task: () => void): Cancel {
    return new Alarm(at, task).arm()
  }
}

/** As fast as the own oscillator. */
const mappingOf = ({ show, at: anchoredAt, errorMs }: ShowAnchor): ShowMapping => ({
  showAt: at => after(show, at - anchoredAt),
  monotonicAt: at => after(anchoredAt, at - show),
  errorNs: () => errorMs * NS_PER_MS,
})

/** The timeline of a venue with one box: it starts at the wall time of this moment, and is right by definition. */
export function ownAnchor(): ShowAnchor {
  return { show: showTimeMs(Date.now()), at: machineMs(), errorMs: 0 }
}

/**
 * CLOCK_MONOTONIC. Compiled, it leaves almost no garbage, unlike `performance.now` and `process.hrtime.bigint`: a thread that
 * spins on it would have V8 collect just before the moment that it spins for.
 */
export function machineMs(): MonotonicMs {
  const time = process.hrtime()
  // Taken apart by its indexes, so that it is small enough to become a part of whoever calls it.
  return monotonicMs(time[0] * 1e3 + time[1] / 1e6)
}

/**
 * One wait, in pieces. Node's timers may run up to a millisecond early, and not at all beyond 25 days: so the clock is
 * asked each time, and the last fraction of a millisecond is waited for turn by turn of the event loop.
 */
class Alarm {
  readonly #at: MonotonicMs
  readonly #task: () => void
  #cancel: Cancel = () => {}

  constructor(at: MonotonicMs, task: () => void) {
    this.#at = at
    this.#task = task
  }

  arm(): Cancel {
    this.#wait(this.#at - machineMs())
    return () => this.#cancel()
  }

  #wait(remainingMs: number): void {
    if (remainingMs > 0 && remainingMs < 1) {
      const turn = setImmediate(this.#check)
      this.#cancel = () => clearImmediate(turn)
    } else {
      const delayMs = Math.min(TIMER_MS_MAX, Math.max(0, Math.ceil(remainingMs)))
      const timer = setTimeout(this.#check, delayMs)
      this.#cancel = () => clearTimeout(timer)
    }
  }

  readonly #check = (): void => {
    const remainingMs = this.#at - machineMs()
    if (remainingMs > 0) this.#wait(remainingMs)
    else this.#task()
  }
}
