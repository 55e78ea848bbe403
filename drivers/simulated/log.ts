import type { LogLevel } from '../../runtime/core/log-line.js'
import type { Facts, Log } from '../../runtime/ports/log.js'

export interface SimulatedLogLine {
  readonly level: LogLevel
  readonly event: string
  readonly facts: Facts
}

const LINES_MAX = 10_000

/** Remembers what was logged (the newest 10000 lines), facts as they were given: a test asserts events by name. */
export class SimulatedLog implements Log {
  readonly #lines: SimulatedLogLine[] = []

  get lines(): readonly SimulatedLogLine[] {
    return this.#lines
  }

  /** The names of the events, in order; of one level, or of all. */
  events(level: LogLevel | 'all' = 'all'): readonly string[] {
    return this.#lines
      .filter(line => level === 'all' || line.level === level)
      .map(({ event }) => event)
  }

  info(event: string, facts: Facts = {}): void {
    this.#add({ level: 'info', event, facts })
  }

  warn(event: string, facts: Facts = {}): void {
    this.#add({ level: 'warn', event, facts })
  }

  error(event: string, facts: Facts = {}): void {
    this.#add({ level: 'error', event, facts })
  }

  #add(line: SimulatedLogLine): void {
    this.#lines.push(line)
    if (this.#lines.length > LINES_MAX) this.#lines.shift()
  }
}
