/**
 * The log as JSON lines on standard output, where the journal keeps them:
 * `{"level":"warn","time":"2026-05-01T20:15:00.123Z","process":"box","event":"link.down","facts":{...}}`.
 * Lines are written off the main thread; a reader that stalls costs lines, never memory or time.
 */
import { type Logger, pino } from 'pino'
import { LogBook } from '../../runtime/core/log-book.js'
import type { LogLine } from '../../runtime/core/log-line.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Facts, Log } from '../../runtime/ports/log.js'
import type { WallMapping, WallTimeline } from '../../runtime/ports/wall-timeline.js'
import { LineOutput } from './line-output.js'

/** Beyond it ECMAScript has no calendar. */
const CALENDAR_MS_MAX = 8.64e15

export interface LinuxLogOptions {
  /** Which process of the box writes: `box`, `updater`, `hub`. */
  readonly process: string
  /** File descriptor; 1 is standard output. */
  readonly fd: number
}

type LogClock = Clock & Pick<WallTimeline, 'followWall'>

export class LinuxLog implements Log {
  readonly #clock: LogClock
  readonly #book: LogBook
  readonly #output: LineOutput
  readonly #pino: Logger

  constructor(clock: LogClock, options: LinuxLogOptions) {
    this.#clock = clock
    this.#output = new LineOutput(options.fd)
    this.#pino = loggerTo(this.#output, options.process)
    this.#book = new LogBook(clock, line => this.#write(line))
  }

  info(event: string, facts: Facts = {}): void {
    this.#book.info(event, facts)
  }

  warn(event: string, facts: Facts = {}): void {
    this.#book.warn(event, facts)
  }

  error(event: string, facts: Facts = {}): void {
    this.#book.error(event, facts)
  }

  /** From now on lines have the date that the box shows. */
  followWall(mapping: WallMapping): void {
    this.#clock.followWall(mapping)
  }

  /** The newest 1000 lines, oldest first. */
  recent(): readonly LogLine[] {
    return this.#book.recent()
  }

  /** How many lines nobody took, since the start. They may still be found in `recent()`. */
  get lostLines(): number {
    return this.#output.lostLines
  }

  /** Writes what is still in memory; blocks until the kernel has it, a second at most. For the end of the process. */
  flush(): void {
    this.#book.settle()
    this.#output.flush()
  }

  #write({ level, at, event, facts }: LogLine): void {
    const time = Math.abs(at) <= CALENDAR_MS_MAX ? new Date(at).toISOString() : String(at)
    this.#pino[level]({ time, event, facts })
  }
}

const loggerTo = (output: LineOutput, process: string): Logger =>
  pino(
    { base: { process }, timestamp: false, formatters: { level: label => ({ level: label }) } },
    output,
  )
