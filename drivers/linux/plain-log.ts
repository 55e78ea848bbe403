import type { LogLevel } from '../../runtime/core/log-line.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Facts, Log } from '../../runtime/ports/log.js'
import { LineOutput } from './line-output.js'

/**
 * Lines as `LinuxLog` writes them, without a package: for the launcher, which says little and carries nothing. A reader
 * that stalls costs lines, never the launcher; how many is told as soon as it reads again.
 */
export class PlainLog implements Log {
  readonly #clock: Clock
  readonly #process: string
  readonly #output: LineOutput
  #toldLost = 0

  /** @param options as in `LinuxLogOptions` */
  constructor(clock: Clock, options: { readonly process: string; readonly fd: number }) {
    this.#clock = clock
    this.#process = options.process
    this.#output = new LineOutput(options.fd)
  }

  info(event: string, facts: Facts = {}): void {
    this.#tell('info', event, facts)
  }

  warn(event: string, facts: Facts = {}): void {
    this.#tell('warn', event, facts)
  }

  error(event: string, facts: Facts = {}): void {
    this.#tell('error', event, facts)
  }

  /** Blocks until the kernel has what waits, a second at most. For the end of the process. */
  flush(): void {
    this.#output.flush()
  }

  #tell(level: LogLevel, event: string, facts: Facts): void {
    const before = this.#output.lostLines
    this.#write(level, event, facts)
    const lost = this.#output.lostLines
    if (lost > before || lost === this.#toldLost) return
    this.#toldLost = lost
    this.#write('warn', 'log.lines-lost', { countSinceStart: lost })
  }

  #write(level: LogLevel, event: string, facts: Facts): void {
    const time = new Date(this.#clock.wallTimeMs()).toISOString()
    const line = JSON.stringify({ level, time, process: this.#process, event, facts })
    this.#output.write(`${line}\n`)
  }
}
