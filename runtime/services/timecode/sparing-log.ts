/** Lines that a source of timecode can cause as often as it likes: some at once, then few; those left out are counted. */
import type { Clock, MonotonicMs } from '../../ports/clock.js'
import type { Facts, Log } from '../../ports/log.js'

/** Of one event: enough for every start and stop of a rehearsal. */
const LINES_MAX = 20
const LINE_EVERY_MS = 30_000

interface Allowance {
  lines: number
  countedAt: MonotonicMs
  leftOut: number
}

export class SparingLog {
  readonly #clock: Clock
  readonly #log: Log
  readonly #allowances = new Map<string, Allowance>()

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** @param event as it is written in the code: there are few */
  info(event: string, facts: Facts): void {
    const now = this.#clock.monotonicMs()
    const known = this.#allowances.get(event) ?? { lines: LINES_MAX, countedAt: now, leftOut: 0 }
    this.#allowances.set(event, known)
    known.lines = Math.min(LINES_MAX, known.lines + (now - known.countedAt) / LINE_EVERY_MS)
    known.countedAt = now
    if (known.lines < 1) {
      known.leftOut++
      return
    }
    known.lines--
    const { leftOut } = known
    known.leftOut = 0
    this.#log.info(event, leftOut === 0 ? facts : { ...facts, leftOut })
  }
}
