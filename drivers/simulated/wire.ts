/** One wire of the simulated board: its level in volts, its past, and what is wrong with it. */
import type { BoardLine } from '../../boards/board.js'
import { DeviceError, type ErrorCode } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'

/** A level changed; `isActive` is the same in the board's meaning. */
export interface LineChange {
  readonly name: string
  readonly isHigh: boolean
  readonly isActive: boolean
  readonly at: MonotonicMs
}

const HISTORY_MAX = 1000

export class Wire {
  readonly line: BoardLine
  readonly changed = new Signal<LineChange>()
  readonly #clock: Clock
  #isHigh: boolean
  #isTaken = false
  #history: LineChange[] = []
  /** Every use of the line fails with this code; null: the line is well. */
  fault: ErrorCode | null = null

  constructor(line: BoardLine, clock: Clock) {
    this.line = line
    this.#clock = clock
    this.#isHigh = idleLevel(line)
  }

  get isHigh(): boolean {
    return this.#isHigh
  }

  get isActive(): boolean {
    return this.#isHigh === (this.line.activeLevel === 'high')
  }

  /** The last 1000 changes, oldest first. */
  get history(): readonly LineChange[] {
    return this.#history
  }

  /** From either side: the host's output, or the hand, the sensor or the neighbour at the other end. */
  setLevel(isHigh: boolean): void {
    if (isHigh === this.#isHigh) return
    this.#isHigh = isHigh
    const { name } = this.line
    const change = { name, isHigh, isActive: this.isActive, at: this.#clock.monotonicMs() }
    this.#history.push(change)
    if (this.#history.length > HISTORY_MAX) this.#history = this.#history.slice(-HISTORY_MAX / 2)
    this.changed.emit(change)
  }

  setActive(isActive: boolean): void {
    this.setLevel(isActive === (this.line.activeLevel === 'high'))
  }

  /** One user at a time, as the kernel has it. */
  take(): void {
    this.requireWell()
    if (this.#isTaken)
      throw new DeviceError('device.busy', `line ${this.line.name} is in use already`)
    this.#isTaken = true
  }

  release(): void {
    this.#isTaken = false
  }

  /** As the firing thread or the guard of a real machine does it, behind the back of whoever has the line. */
  carryOutLastWords(): void {
    if (this.#isTaken && this.line.direction === 'out')
      this.setActive(this.line.safeState === 'active')
  }

  requireWell(): void {
    if (this.fault)
      throw new DeviceError(this.fault, `line ${this.line.name} fails with ${this.fault}`)
  }
}

/** Where a line rests when nobody drives it: the safe state of an output, the pulled side of an input. */
function idleLevel(line: BoardLine): boolean {
  if (line.direction === 'out')
    return (line.safeState === 'active') === (line.activeLevel === 'high')
  if (line.bias === 'pull-up') return true
  if (line.bias === 'pull-down') return false
  return line.activeLevel === 'low'
}
