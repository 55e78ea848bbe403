/**
 * The frames that a PCA9685 is to show, handed to the host ahead of time so that they are on time whatever the main thread
 * does. A frame carries what it changes on the one before it; whatever is taken back is in the one that takes its place.
 */
import { later } from '../runtime/core/time.js'
import type { Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type {
  BusTime,
  Fired,
  I2cDevice,
  PlannedWrite,
  PlannedWrites,
  WriteOutcome,
} from '../runtime/ports/host.js'
import { ALL_OFF, type Block, changedBlocks, type Pca9685, wireBytes } from './pca9685.js'

/** What becomes of frames. */
export interface FrameEvents {
  /** A frame is shown since `firedMs`. */
  shown(fired: Fired): void
  failed(fault: Error): void
}

interface Frame {
  readonly counts: readonly number[]
  readonly at: MonotonicMs
  /** Null while the chip is held off: then nobody writes it. */
  readonly plan: { readonly time: BusTime; readonly write: PlannedWrite } | null
}

/** As many as the host holds for one chip: more than five seconds of a fade at 50 frames per second. */
const WAITING_MAX = 256

export class Pca9685Frames {
  readonly #device: I2cDevice
  readonly #clock: Clock
  readonly #chip: Pca9685
  readonly #events: FrameEvents
  #writes: PlannedWrites | null = null
  #msPerByte = 0
  /** Those that have not begun, as far as is known, in the order of the asking, which is also that of their beginnings. */
  #waiting: Frame[] = []
  /** The frame whose moment came last, there or on its way. */
  #current = ALL_OFF
  /** What the registers hold after all that is on its way; null when that is not known. */
  #held: readonly number[] | null = ALL_OFF
  #isHeldOff = false
  /** Rises when all is dropped: what is heard of earlier frames counts no more. */
  #epoch = 0

  constructor(device: I2cDevice, clock: Clock, chip: Pca9685, events: FrameEvents) {
    this.#device = device
    this.#clock = clock
    this.#chip = chip
    this.#events = events
  }

  get msPerByte(): number {
    return this.#msPerByte
  }

  /** What will be shown last. */
  get last(): readonly number[] {
    return this.#waiting.at(-1)?.counts ?? this.#current
  }

  /** The chip's channels are off, and a byte takes so long on its bus. @throws DeviceError */
  async open(msPerByte: number): Promise<void> {
    this.#writes = await this.#device.planWrites()
    this.#msPerByte = msPerByte
    this.#waiting = []
    this.#current = ALL_OFF
    this.#held = ALL_OFF
    this.#isHeldOff = false
  }

  /** Afterwards nothing is on its way. Safe to call twice. */
  async close(): Promise<void> {
    this.drop()
    await this.#writes?.close()
    this.#writes = null
  }

  /** Begins no transfer any more. What the chip shows then is not known. */
  drop(): void {
    this.#epoch++
    for (const { plan } of this.#waiting.splice(0)) plan?.time.release()
    this.#writes?.drop()
    this.#held = null
  }

  /**
   * What waits and would be begun only then, or later, is dropped: what was asked for last is what stays. When 256 wait
   * already the last of them gives way: a frame of a fade may be lost, its end may not.
   */
  add(counts: readonly number[], at: MonotonicMs): void {
    if (this.#isHeldOff) this.#note({ counts, at, plan: null })
    else this.#plan(counts, at, true)
  }

  /** Forgets what has not begun. */
  clear(): void {
    if (this.#isHeldOff) this.#takePast()
    if (this.#isHeldOff) this.#waiting = []
    while (this.#waiting.length > 0) this.#takeBack()
  }

  /** Off by one short transfer, after the one that is on the bus; frames come and go meanwhile, and are not written. */
  holdOff(): void {
    if (this.#isHeldOff) return
    this.#isHeldOff = true
    const waiting = this.#waiting.map(({ counts, at }) => ({ counts, at, plan: null }))
    this.drop()
    this.#waiting = waiting
    this.#takePast()
    this.#held = ALL_OFF
    this.#tell(() =>
      this.#writes?.add([this.#chip.allOffWrite], this.#clock.monotonicMs(), outcome => {
        if (outcome.kind === 'failed') this.#events.failed(outcome.error)
      }),
    )
  }

  /** Shows what should be seen by now, and goes on. */
  goOn(): void {
    if (!this.#isHeldOff) return
    this.#takePast()
    this.#isHeldOff = false
    const waiting = this.#waiting
    this.#waiting = []
    this.#plan(this.#current, this.#clock.monotonicMs(), false)
    for (const { counts, at } of waiting) this.#plan(counts, at, true)
  }

  /** A bus that was slow at the start and is not any more would show frames too early, by what they no longer take. */
  noteSpeed(tookMs: number, byteCount: number): void {
    this.#msPerByte = Math.min(this.#msPerByte, tookMs / byteCount)
  }

  /** @param isTold false: it shows again what was shown before, which is no news */
  #plan(counts: readonly number[], at: MonotonicMs, isTold: boolean): void {
    const { blocks, time } = this.#takeTime(counts, at)
    const epoch = this.#epoch
    const heard = (outcome: WriteOutcome): void => {
      if (epoch === this.#epoch) this.#hear(frame, wireBytes(blocks), outcome, isTold)
    }
    const writes = blocks.map(block => this.#chip.blockWrite(block))
    if (writes.length === 0) {
      time.release()
      return
    }
    let frame: Frame = { counts, at, plan: null }
    // What is late already must not go before what was asked for at once just before.
    const from = later(time.from, this.#clock.monotonicMs())
    this.#tell(() => {
      const write = this.#writes?.add(writes, from, heard)
      if (write === undefined) return
      frame = { counts, at, plan: { time, write } }
      this.#waiting.push(frame)
    })
  }

  /**
   * Outputs change when the transfer ends, so it begins as much earlier as it will take. With each frame that is taken
   * back there is more to change, so the beginning is looked for anew.
   */
  #takeTime(
    counts: readonly number[],
    at: MonotonicMs,
  ): { readonly blocks: readonly Block[]; readonly time: BusTime } {
    for (;;) {
      const last = this.#waiting.at(-1)
      const blocks = changedBlocks(last?.counts ?? this.#held, counts)
      const time = this.#device.reserve(wireBytes(blocks) * this.#msPerByte, at)
      if (last === undefined) return { blocks, time }
      const isLater = last.plan !== null && last.plan.time.from < time.from
      const isNow = time.from <= this.#clock.monotonicMs()
      if (isLater && !isNow && this.#waiting.length < WAITING_MAX) return { blocks, time }
      time.release()
      this.#takeBack()
    }
  }

  /** The last one that waits, unless it has begun after all. */
  #takeBack(): void {
    const last = this.#waiting.at(-1)
    if (last === undefined) return
    if (last.plan?.write.cancel() === false) this.#begun(last)
    else {
      this.#waiting.pop()
      last.plan?.time.release()
    }
  }

  /** And with it all that were asked for before it. */
  #begun(frame: Frame): void {
    const index = this.#waiting.indexOf(frame)
    if (index < 0) return
    this.#waiting.splice(0, index + 1)
    this.#current = frame.counts
    this.#held = frame.counts
  }

  #hear(frame: Frame, byteCount: number, outcome: WriteOutcome, isTold: boolean): void {
    this.#begun(frame)
    switch (outcome.kind) {
      case 'written': {
        const { beganMs, endedMs, source } = outcome
        this.noteSpeed(endedMs - beganMs, byteCount)
        if (isTold) this.#events.shown({ plannedMs: frame.at, firedMs: endedMs, source })
        break
      }
      case 'overtaken':
        break
      case 'dropped':
        this.#held = null
        break
      case 'failed':
        this.#events.failed(outcome.error)
        break
    }
  }

  #note(frame: Frame): void {
    this.#takePast()
    while (this.#waiting.length >= WAITING_MAX) this.#waiting.shift()
    this.#waiting.push(frame)
  }

  /** While nothing is written, frames whose moment has come are counted as shown here. */
  #takePast(): void {
    const now = this.#clock.monotonicMs()
    const past = this.#waiting.findLastIndex(({ at }) => at <= now)
    this.#current = this.#waiting[past]?.counts ?? this.#current
    this.#waiting.splice(0, past + 1)
  }

  #tell(plan: () => void): void {
    try {
      plan()
    } catch (fault) {
      if (!(fault instanceof Error)) throw fault
      this.#events.failed(fault)
    }
  }
}
