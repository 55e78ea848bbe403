/**
 * Up to sixteen dimmed channels on a PCA9685. Frames that come faster than the bus carries them are merged: the latest
 * wins and nothing queues. With the chip's output-enable pin on a line of the board, a blackout needs no bus.
 */
import { DeviceError } from '../runtime/core/errors.js'
import { repeat } from '../runtime/core/repeat.js'
import { Signal } from '../runtime/core/signal.js'
import type { Cancel, Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type { Light } from '../runtime/ports/devices.js'
import type { BusTime, Fired, I2cDevice, OutputLine } from '../runtime/ports/host.js'
import { dutyOf } from './gamma.js'
import { type Block, CHANNEL_COUNT, COUNTS, changedBlocks, Pca9685, wireBytes } from './pca9685.js'
import { Timeline } from './timeline.js'

export interface Pca9685LightOptions {
  readonly name: string
  /** 24..1526 */
  readonly frequencyHz: number
  /** See `dutyOf`. */
  readonly gamma: number
  /** 1..16, counted from LED0; the others stay off. */
  readonly channelCount: number
  readonly isStaggered: boolean
}

/** What all sixteen channels are to show, in counts of 4096. */
interface Frame {
  readonly counts: readonly number[]
  readonly at: MonotonicMs
}

const CHECK_MS = 2_000
/** To read one register: the address, the register, the address again, the byte. */
const CHECK_BYTES = 4
const MEASURE_ROUNDS = 3
const LEAD_MS_MAX = 2_000
const ALL_OFF: readonly number[] = Array.from({ length: CHANNEL_COUNT }, () => 0)
const ALL_BYTES = wireBytes(changedBlocks(null, ALL_OFF))

export class Pca9685Light implements Light {
  readonly name: string
  readonly channelCount: number
  readonly isDimmable = true
  readonly #device: I2cDevice
  readonly #outputEnable: OutputLine | null
  readonly #clock: Clock
  readonly #gamma: number
  readonly #chip: Pca9685
  readonly #timeline: Timeline<readonly number[]>
  readonly #faults = new Signal<Error>()
  readonly #applied = new Signal<Fired>()
  #msPerByte = 0
  /** The frame whose moment came last. */
  #wanted: Frame | null = null
  #shown: Frame | null = null
  /** What the outputs follow: after a blackout by the bus all of them are off, whatever their counts. */
  #written = ALL_OFF
  #isWriting = false
  #writing: Promise<void> = Promise.resolve()
  #cancelCheck: Cancel = () => {}
  #isDark = false
  /** A PCA9685 was found, and not let go of since. */
  #isHeld = false
  #isHeldOff = false
  #isRunning = false

  /** @param outputEnable the line on the chip's OE pin (active: outputs on), or null when OE is tied low */
  constructor(
    device: I2cDevice,
    outputEnable: OutputLine | null,
    clock: Clock,
    options: Pca9685LightOptions,
  ) {
    this.#device = device
    this.#outputEnable = outputEnable
    this.#clock = clock
    this.name = options.name
    this.channelCount = options.channelCount
    this.#gamma = options.gamma
    this.#chip = new Pca9685(device, clock, options)
    this.#timeline = new Timeline(clock, {
      begin: (counts, at, before) => this.#takeTime(counts, at, before),
      due: (counts, at) => {
        this.#wanted = { counts, at }
        this.#write()
      },
    })
  }

  /** How long a change of all channels is on the bus, measured at start. */
  get leadMs(): number {
    return Math.min(LEAD_MS_MAX, this.#msPerByte * ALL_BYTES)
  }

  async start(): Promise<void> {
    try {
      await this.#outputEnable?.open(false)
      await this.#chip.prove()
      // Refused while another process has the chip, which is then left alone.
      await this.#chip.keepLastWords(true)
      this.#isHeld = true
      await this.#chip.configure()
      await this.#writeAllOff()
      if (!this.#isHeld) throw new DeviceError('device.busy', `${this.name} was stopped meanwhile`)
      if (!this.#isDark) this.#outputEnable?.set(true)
    } catch (error) {
      // The first failure is the one to report; the owner stops the device once more and hears of the others.
      await this.stop().catch(() => {})
      throw error
    }
    this.#isRunning = true
    this.#cancelCheck = repeat(this.#clock, CHECK_MS, () => this.#check())
  }

  async stop(): Promise<void> {
    this.#halt()
    await this.#writing
    if (this.#isHeld) {
      this.#isHeld = false
      await this.#letGo()
    }
    await this.#outputEnable?.close()
  }

  onFault(listener: (fault: Error) => void): Cancel {
    return this.#faults.listen(listener)
  }

  onApplied(listener: (fired: Fired) => void): Cancel {
    return this.#applied.listen(listener)
  }

  /** Ignored while the device is not running. */
  apply(levels: readonly number[], at: MonotonicMs): void {
    if (!this.#isRunning) return
    const counts = ALL_OFF.map((_, channel) =>
      channel < this.channelCount
        ? Math.round(dutyOf(levels[channel] ?? 0, this.#gamma) * COUNTS)
        : 0,
    )
    if (changedBlocks(this.#timeline.last ?? this.#current, counts).length > 0)
      this.#timeline.add(counts, at)
  }

  cancelPlanned(): void {
    this.#timeline.clear()
  }

  /** By the OE pin where it is wired; else by one short transfer, after the one that is on the bus. */
  blackout(): void {
    this.#isDark = true
    if (!this.#isRunning) return
    if (this.#outputEnable) this.#enableOutputs(false)
    else this.#write()
  }

  restore(): void {
    if (!this.#isDark) return
    this.#isDark = false
    if (!this.#isRunning) return
    if (this.#outputEnable) this.#enableOutputs(true)
    else this.#write()
  }

  /** What is shown, or on its way to the chip. */
  get #current(): readonly number[] {
    return this.#wanted?.counts ?? ALL_OFF
  }

  /** Outputs change when the transfer ends, so it begins as much earlier as it will take. */
  #takeTime(counts: readonly number[], at: MonotonicMs, before: readonly number[] | null): BusTime {
    const byteCount = wireBytes(changedBlocks(before ?? this.#current, counts))
    return this.#device.reserve(byteCount * this.#msPerByte, at)
  }

  /** Brings the chip up to date, one transfer after the other; a call while that goes on is heard by it. */
  #write(): void {
    if (this.#isWriting || !this.#isRunning) return
    this.#isWriting = true
    this.#writing = this.#writeUntilShown().catch((fault: unknown) => this.#fail(fault))
  }

  async #writeUntilShown(): Promise<void> {
    try {
      for (let write = this.#nextWrite(); write; write = this.#nextWrite()) await write()
    } finally {
      // In the same breath as the last look at what is wanted: a frame that comes later finds nobody writing.
      this.#isWriting = false
    }
  }

  /** Null when the chip is up to date. */
  #nextWrite(): (() => Promise<void>) | null {
    if (!this.#isRunning) return null
    if (this.#isDarkByBus) return this.#isHeldOff ? null : () => this.#holdOff()
    this.#isHeldOff = false
    const frame = this.#wanted
    return frame === null || frame === this.#shown ? null : () => this.#writeFrame(frame)
  }

  async #holdOff(): Promise<void> {
    this.#isHeldOff = true
    this.#shown = null
    await this.#chip.allOff()
    this.#written = ALL_OFF
  }

  async #writeFrame(frame: Frame): Promise<void> {
    const blocks = changedBlocks(this.#written, frame.counts)
    for (const block of blocks) {
      const begun = this.#clock.monotonicMs()
      await this.#chip.write(block)
      this.#noteSpeed(this.#clock.monotonicMs() - begun, wireBytes([block]))
      this.#written = withBlock(this.#written, block)
      if (this.#isDarkByBus || !this.#isRunning) return
    }
    this.#shown = frame
    if (this.#isDark || blocks.length === 0) return
    const firedMs = this.#clock.monotonicMs()
    this.#applied.emit({ plannedMs: frame.at, firedMs, source: 'program' })
  }

  /** A bus that was slow at the start and is not any more would show frames too early, by what they no longer take. */
  #noteSpeed(tookMs: number, byteCount: number): void {
    this.#msPerByte = Math.min(this.#msPerByte, tookMs / byteCount)
  }

  get #isDarkByBus(): boolean {
    return this.#isDark && this.#outputEnable === null
  }

  async #writeAllOff(): Promise<void> {
    const blocks = changedBlocks(null, ALL_OFF)
    let fastestMs = Number.POSITIVE_INFINITY
    for (let round = 0; round < MEASURE_ROUNDS; round++) {
      const begun = this.#clock.monotonicMs()
      for (const block of blocks) await this.#chip.write(block)
      fastestMs = Math.min(fastestMs, this.#clock.monotonicMs() - begun)
    }
    this.#msPerByte = fastestMs / wireBytes(blocks)
    this.#written = ALL_OFF
    this.#wanted = null
    this.#shown = null
    this.#isHeldOff = false
  }

  async #letGo(): Promise<void> {
    try {
      await this.#chip.allOff()
      await this.#chip.keepLastWords(false)
    } catch {
      // A chip that is gone shows nothing. Should it only be out of reach, its last words stay said.
    }
  }

  async #check(): Promise<void> {
    try {
      const begun = this.#clock.monotonicMs()
      await this.#chip.requireAwake()
      this.#noteSpeed(this.#clock.monotonicMs() - begun, CHECK_BYTES)
    } catch (fault) {
      this.#fail(fault)
    }
  }

  #enableOutputs(isEnabled: boolean): void {
    try {
      this.#outputEnable?.set(isEnabled)
    } catch (fault) {
      this.#fail(fault)
    }
  }

  #fail(fault: unknown): void {
    // Anything else is a bug, and must stop the process.
    if (!(fault instanceof DeviceError)) throw fault
    if (!this.#isRunning) return
    this.#halt()
    if (this.#outputEnable) this.#enableOutputs(false)
    this.#faults.emit(fault)
  }

  #halt(): void {
    this.#isRunning = false
    this.#cancelCheck()
    this.#timeline.clear()
  }
}

/** What the chip holds after the block. */
function withBlock(written: readonly number[], { firstChannel, counts }: Block): number[] {
  const held = written.slice()
  for (let at = 0; at < counts.length; at++) held[firstChannel + at] = counts[at] ?? 0
  return held
}
