/**
 * The log of one process: makes lines plain, keeps the newest, and counts what comes too often instead of writing it.
 * Where lines go is the business of the driver that owns the book.
 */
import type { Cancel, Clock } from '../ports/clock.js'
import type { Facts, Log } from '../ports/log.js'
import { type LogLevel, type LogLine, plainFacts } from './log-line.js'
import { LogRing } from './log-ring.js'
import { after } from './time.js'

const LINES_KEPT = 1000
/** So many lines of one event are written within one window; the rest is counted and told when the window ends. */
const LINES_PER_WINDOW = 20
const WINDOW_MS = 10_000
/** Event names are written in the code, so there are few; should they ever come from outside, they share the last window. */
const EVENTS_MAX = 512
const OTHER_EVENTS = 'other events'

interface Window {
  count: number
  level: LogLevel
  readonly close: Cancel
}

export class LogBook implements Log {
  readonly #clock: Clock
  readonly #write: (line: LogLine) => void
  readonly #ring = new LogRing(LINES_KEPT)
  readonly #windows = new Map<string, Window>()

  constructor(clock: Clock, write: (line: LogLine) => void) {
    this.#clock = clock
    this.#write = write
  }

  info(event: string, facts: Facts = {}): void {
    this.#note('info', event, facts)
  }

  warn(event: string, facts: Facts = {}): void {
    this.#note('warn', event, facts)
  }

  error(event: string, facts: Facts = {}): void {
    this.#note('error', event, facts)
  }

  /** The newest 1000 lines, oldest first. */
  recent(): readonly LogLine[] {
    return this.#ring.recent()
  }

  /** Tells what was held back so far. For the end of the process: nothing is owed afterwards. */
  settle(): void {
    for (const [event, window] of this.#windows) {
      window.close()
      this.#endWindow(event, window)
    }
  }

  #note(level: LogLevel, event: string, facts: Facts): void {
    const window = this.#windowOf(event, level)
    window.count++
    window.level = level
    if (window.count <= LINES_PER_WINDOW) this.#add(level, event, facts)
  }

  #windowOf(event: string, level: LogLevel): Window {
    const key = this.#windows.has(event) || this.#windows.size < EVENTS_MAX ? event : OTHER_EVENTS
    const known = this.#windows.get(key)
    if (known !== undefined) return known
    const end = after(this.#clock.monotonicMs(), WINDOW_MS)
    const close = this.#clock.runAt(end, () => this.#endWindow(key, window))
    const window: Window = { count: 0, level, close }
    this.#windows.set(key, window)
    return window
  }

  #endWindow(event: string, { count, level }: Window): void {
    this.#windows.delete(event)
    const heldBack = count - LINES_PER_WINDOW
    if (heldBack > 0) this.#add(level, 'log.repeated', { of: event, heldBack, withinMs: WINDOW_MS })
  }

  #add(level: LogLevel, event: string, facts: Facts): void {
    const line: LogLine = {
      level,
      at: this.#clock.wallTimeMs(),
      event: event.slice(0, 128),
      facts: plainFacts(facts),
    }
    this.#ring.add(line)
    this.#write(line)
  }
}
