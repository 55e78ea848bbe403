/** Planned writes to one chip by a clock's timers: on a host that is made of memory, or has no thread for them. */
import type { Cancel, Clock, MonotonicMs } from '../ports/clock.js'
import type {
  PlannedWrite,
  PlannedWrites,
  RegisterWrite,
  StampSource,
  WriteOutcome,
} from '../ports/host.js'
import { DeviceError } from './errors.js'
import { copyOfWrites, isOvertaken, PLANNED_PER_CHIP_MAX, TRIES_MAX } from './planned-writes.js'
import { later } from './time.js'

export interface ClockedWritesOptions {
  /** What the writes are said to come from. */
  readonly source: StampSource
  readonly onClose: () => void
}

interface Entry {
  readonly writes: readonly RegisterWrite[]
  readonly at: MonotonicMs
  readonly done: (outcome: WriteOutcome) => void
  readonly cancelTimer: Cancel
}

export class ClockedWrites implements PlannedWrites {
  readonly #clock: Clock
  readonly #write: (write: RegisterWrite) => Promise<void>
  readonly #options: ClockedWritesOptions
  /** In the order of their moments. */
  readonly #waiting: Entry[] = []
  #isWriting = false
  #underWay: Promise<void> = Promise.resolve()
  /** Rises with each `drop`, so that what is under way sees that it has been dropped. */
  #epoch = 0
  #isClosed = false

  /** @param write one transfer; rejects with a DeviceError */
  constructor(
    clock: Clock,
    write: (write: RegisterWrite) => Promise<void>,
    options: ClockedWritesOptions,
  ) {
    this.#clock = clock
    this.#write = write
    this.#options = options
  }

  add(
    writes: readonly RegisterWrite[],
    at: MonotonicMs,
    done: (outcome: WriteOutcome) => void,
  ): PlannedWrite {
    if (this.#isClosed) throw new DeviceError('device.absent', 'no writes are planned any more')
    if (this.#waiting.length >= PLANNED_PER_CHIP_MAX)
      throw new DeviceError('device.limit', `${PLANNED_PER_CHIP_MAX} writes wait for one chip`)
    const due = later(at, this.#clock.monotonicMs())
    const entry: Entry = {
      writes: copyOfWrites(writes),
      at,
      done,
      cancelTimer: this.#clock.runAt(due, () => this.#run()),
    }
    const index = this.#waiting.findLastIndex(other => other.at <= at) + 1
    this.#waiting.splice(index, 0, entry)
    return { cancel: () => this.#cancel(entry) }
  }

  drop(): void {
    this.#epoch++
    for (const { cancelTimer } of this.#waiting.splice(0)) cancelTimer()
  }

  /** As `drop`, but those that waited hear of it: the host made the chip safe in its owner's stead. */
  dropAloud(): void {
    const waiting = [...this.#waiting]
    this.drop()
    for (const { done } of waiting) done({ kind: 'dropped' })
  }

  async close(): Promise<void> {
    if (!this.#isClosed) this.#options.onClose()
    this.#isClosed = true
    this.drop()
    await this.#underWay
  }

  #cancel(entry: Entry): boolean {
    const index = this.#waiting.indexOf(entry)
    if (index < 0) return false
    this.#waiting.splice(index, 1)
    entry.cancelTimer()
    return true
  }

  #run(): void {
    if (this.#isWriting) return
    this.#isWriting = true
    this.#underWay = this.#writeDue()
  }

  async #writeDue(): Promise<void> {
    try {
      for (let due = this.#takeDue(); due.length > 0; due = this.#takeDue())
        await this.#carryOutAll(due)
    } finally {
      // In the same breath as the last look: what comes due later finds nobody writing.
      this.#isWriting = false
    }
  }

  async #carryOutAll(due: readonly Entry[]): Promise<void> {
    const epoch = this.#epoch
    let hasFailed = false
    for (const [index, { writes, done }] of due.entries()) {
      const laterOnes = due.slice(index + 1).map(entry => entry.writes)
      if (hasFailed) done({ kind: 'dropped' })
      else if (isOvertaken(writes, laterOnes)) done({ kind: 'overtaken' })
      else {
        const outcome = await this.#carryOut(writes, epoch)
        hasFailed = outcome.kind === 'failed'
        done(outcome)
      }
    }
  }

  #takeDue(): Entry[] {
    const now = this.#clock.monotonicMs()
    const next = this.#waiting.findIndex(({ at }) => at > now)
    return this.#waiting.splice(0, next < 0 ? this.#waiting.length : next)
  }

  async #carryOut(writes: readonly RegisterWrite[], epoch: number): Promise<WriteOutcome> {
    const beganMs = this.#clock.monotonicMs()
    try {
      for (const write of writes) {
        if (epoch !== this.#epoch) return { kind: 'dropped' }
        await this.#again(write)
      }
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error
      return { kind: 'failed', error }
    }
    const { source } = this.#options
    return { kind: 'written', beganMs, endedMs: this.#clock.monotonicMs(), source }
  }

  async #again(write: RegisterWrite): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#write(write)
      } catch (error) {
        if (tries === TRIES_MAX || !(error instanceof DeviceError)) throw error
      }
    }
  }
}
