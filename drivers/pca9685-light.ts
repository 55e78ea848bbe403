/**
 * Up to sixteen dimmed channels on a PCA9685. Frames are handed to the host ahead of time; those that come faster than the
 * bus carries them are merged: the latest wins and nothing queues. With the chip's output-enable pin on a line of the
 * board, a blackout needs no bus.
 */
import { DeviceError } from '../runtime/core/errors.js'
import { repeat } from '../runtime/core/repeat.js'
import { Signal } from '../runtime/core/signal.js'
import type { Cancel, Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type { Light } from '../runtime/ports/devices.js'
import type { Fired, I2cDevice, OutputLine } from '../runtime/ports/host.js'
import { dutyOf } from './gamma.js'
import { ALL_OFF, COUNTS, changedBlocks, Pca9685, wireBytes } from './pca9685.js'
import { Pca9685Frames } from './pca9685-frames.js'

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

const CHECK_MS = 2_000
/** To read one register: the address, the register, the address again, the byte. */
const CHECK_BYTES = 4
const MEASURE_ROUNDS = 3
const LEAD_MS_MAX = 2_000
const ALL_BYTES = wireBytes(changedBlocks(null, ALL_OFF))

export class Pca9685Light implements Light {
  readonly name: string
  readonly channelCount: number
  readonly isDimmable = true
  readonly #outputEnable: OutputLine | null
  readonly #clock: Clock
  readonly #gamma: number
  readonly #chip: Pca9685
  readonly #frames: Pca9685Frames
  readonly #faults = new Signal<Error>()
  readonly #applied = new Signal<Fired>()
  #cancelCheck: Cancel = () => {}
  #isDark = false
  /** A PCA9685 was found, and not let go of since. */
  #isHeld = false
  #isRunning = false

  /** @param outputEnable the line on the chip's OE pin (active: outputs on), or null when OE is tied low */
  constructor(
    device: I2cDevice,
    outputEnable: OutputLine | null,
    clock: Clock,
    options: Pca9685LightOptions,
  ) {
    this.#outputEnable = outputEnable
    this.#clock = clock
    this.name = options.name
    this.channelCount = options.channelCount
    this.#gamma = options.gamma
    this.#chip = new Pca9685(device, clock, options)
    this.#frames = new Pca9685Frames(device, clock, this.#chip, {
      shown: fired => {
        if (this.#isRunning && !this.#isDark) this.#applied.emit(fired)
      },
      failed: fault => this.#fail(fault),
    })
  }

  /** How long a change of all channels is on the bus, measured at start. */
  get leadMs(): number {
    return Math.min(LEAD_MS_MAX, this.#frames.msPerByte * ALL_BYTES)
  }

  async start(): Promise<void> {
    try {
      await this.#outputEnable?.open(false)
      await this.#chip.prove()
      // Refused while another process has the chip, which is then left alone.
      await this.#chip.keepLastWords(true)
      this.#isHeld = true
      await this.#chip.configure()
      await this.#frames.open(await this.#writeAllOff())
      if (!this.#isHeld) throw new DeviceError('device.busy', `${this.name} was stopped meanwhile`)
      if (!this.#isDark) this.#outputEnable?.set(true)
    } catch (error) {
      // The first failure is the one to report; the owner stops the device once more and hears of the others.
      await this.stop().catch(() => {})
      throw error
    }
    this.#isRunning = true
    if (this.#isDarkByBus) this.#frames.holdOff()
    this.#cancelCheck = repeat(this.#clock, CHECK_MS, () => this.#check())
  }

  async stop(): Promise<void> {
    this.#halt()
    await this.#frames.close()
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
    if (changedBlocks(this.#frames.last, counts).length > 0) this.#frames.add(counts, at)
  }

  cancelPlanned(): void {
    this.#frames.clear()
  }

  /** By the OE pin where it is wired; else by one short transfer, after the one that is on the bus. */
  blackout(): void {
    this.#isDark = true
    if (!this.#isRunning) return
    if (this.#outputEnable) this.#enableOutputs(false)
    else this.#frames.holdOff()
  }

  restore(): void {
    if (!this.#isDark) return
    this.#isDark = false
    if (!this.#isRunning) return
    if (this.#outputEnable) this.#enableOutputs(true)
    else this.#frames.goOn()
  }

  get #isDarkByBus(): boolean {
    return this.#isDark && this.#outputEnable === null
  }

  /** Returns how long a byte takes on the bus. */
  async #writeAllOff(): Promise<number> {
    const blocks = changedBlocks(null, ALL_OFF)
    let fastestMs = Number.POSITIVE_INFINITY
    for (let round = 0; round < MEASURE_ROUNDS; round++) {
      const begun = this.#clock.monotonicMs()
      for (const block of blocks) await this.#chip.write(block)
      fastestMs = Math.min(fastestMs, this.#clock.monotonicMs() - begun)
    }
    return fastestMs / wireBytes(blocks)
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
      this.#frames.noteSpeed(this.#clock.monotonicMs() - begun, CHECK_BYTES)
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
    this.#frames.drop()
  }
}
