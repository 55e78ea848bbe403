import { writeSync } from 'node:fs'
import type { LogLevel } from '../../runtime/core/log-line.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Facts, Log } from '../../runtime/ports/log.js'

const STANDARD_OUTPUT = 1

/** Lines as `LinuxLog` writes them, without a package: for the launcher, which says little and carries nothing. */
export class PlainLog implements Log {
  readonly #clock: Clock
  readonly #process: string

  /** @param process as in `LinuxLogOptions` */
  constructor(clock: Clock, process: string) {
    this.#clock = clock
    this.#process = process
  }

  info(event: string, facts: Facts = {}): void {
    this.#write('info', event, facts)
  }

  warn(event: string, facts: Facts = {}): void {
    this.#write('warn', event, facts)
  }

  error(event: string, facts: Facts = {}): void {
    this.#write('error', event, facts)
  }

  #write(level: LogLevel, event: string, facts: Facts): void {
    const time = new Date(this.#clock.wallTimeMs()).toISOString()
    const line = JSON.stringify({ level, time, process: this.#process, event, facts })
    try {
      writeSync(STANDARD_OUTPUT, `${line}\n`)
    } catch {
      // A reader that is gone or stalled costs lines, never the launcher.
    }
  }
}
