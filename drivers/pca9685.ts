/**
 * NXP PCA9685, sixteen PWM outputs of 12 bits on I2C.
 * Data sheet Rev. 4, section 7.3 (registers), 7.3.1.1 (restart), 7.3.4 (ALL_LED), 7.3.5 (PRE_SCALE), 7.4 (OE pin).
 */

import { DeviceError } from '../runtime/core/errors.js'
import { wait } from '../runtime/core/wait.js'
import type { Clock } from '../runtime/ports/clock.js'
import type { I2cDevice, RegisterWrite } from '../runtime/ports/host.js'
import { hex } from './i2c-words.js'

const Register = {
  /** RESTART b7, AI b5, SLEEP b4, ALLCALL b0. */
  mode1: 0x00,
  /** OUTDRV b2; b7..5 read as 0. */
  mode2: 0x01,
  /** SUBADR1 to SUBADR3 and ALLCALLADR: bit 0 of each reads as 0. */
  subAddress1: 0x02,
  subAddress2: 0x03,
  subAddress3: 0x04,
  allCallAddress: 0x05,
  /** LED0_ON_L; each channel has ON_L, ON_H, OFF_L, OFF_H. */
  firstLed: 0x06,
  allLedOffHigh: 0xfd,
  /** Written only while SLEEP is 1. */
  preScale: 0xfe,
} as const

const Mode1 = { restart: 0x80, autoIncrement: 0x20, sleep: 0x10 } as const
/** Totem-pole outputs, not inverted, low while OE is high. */
const MODE2 = 0x04
/** Full ON in ON_H, full OFF in OFF_H; OFF wins (table 6). */
const FULL = 0x10

const OSCILLATOR_HZ = 25_000_000
const BYTES_PER_CHANNEL = 4
/** A block of 32 bytes holds eight channels. */
const CHANNELS_PER_BLOCK = 8
/** Twice the 500 microseconds that 7.3.1.1 asks for after waking. */
const OSCILLATOR_MS = 1
const TRIES = 3

export const CHANNEL_COUNT = 16
export const COUNTS = 4096
export const ALL_OFF: readonly number[] = Array.from({ length: CHANNEL_COUNT }, () => 0)

/** Neighbouring channels that go in one transfer. */
export interface Block {
  readonly firstChannel: number
  /** 0..4096 each. */
  readonly counts: readonly number[]
}

/** Section 7.3.5, equation 1. @param frequencyHz 24..1526 */
export const preScaleFor = (frequencyHz: number): number =>
  Math.min(255, Math.max(3, Math.round(OSCILLATOR_HZ / (COUNTS * frequencyHz)) - 1))

/**
 * What is written first, to see that it is kept: the lower bits turned over, and the highest one set, because the chip
 * makes 3 of anything less (7.3.5).
 */
export const preScalePattern = (preScale: number): number => 0x80 | (~preScale & 0x7f)

/** What the chip really does: 24..1526 Hz in steps. */
export const frequencyHzOf = (preScale: number): number => OSCILLATOR_HZ / (COUNTS * (preScale + 1))

/**
 * The four registers of a channel that is on for `count` of 4096 counts, from the count `phase` on.
 * ON and OFF must never be equal (7.3.4), so 0 and 4096 are the full-OFF and full-ON bits.
 */
export function channelBytes(count: number, phase: number): Uint8Array {
  const bytes = new Uint8Array(BYTES_PER_CHANNEL)
  putChannel(bytes, 0, count, phase)
  return bytes
}

/** The same into `bytes`, which are 0 from `offset` on. */
function putChannel(bytes: Uint8Array, offset: number, count: number, phase: number): void {
  if (count <= 0) bytes[offset + 3] = FULL
  else if (count >= COUNTS) bytes[offset + 1] = FULL
  else {
    const off = (phase + count) % COUNTS
    bytes[offset] = phase & 0xff
    bytes[offset + 1] = phase >> 8
    bytes[offset + 2] = off & 0xff
    bytes[offset + 3] = off >> 8
  }
}

/**
 * What has to be sent so that `after` is shown: at most two blocks, each from its first to its last changed channel.
 * @param before what the chip holds; null when that is not known
 */
export function changedBlocks(
  before: readonly number[] | null,
  after: readonly number[],
): readonly Block[] {
  const blocks: Block[] = []
  for (let from = 0; from < CHANNEL_COUNT; from += CHANNELS_PER_BLOCK) {
    let first: number | null = null
    let last = from
    for (let channel = from; channel < from + CHANNELS_PER_BLOCK; channel++) {
      if (before !== null && before[channel] === after[channel]) continue
      first ??= channel
      last = channel
    }
    if (first !== null) blocks.push({ firstChannel: first, counts: after.slice(first, last + 1) })
  }
  return blocks
}

/** Bytes on the wire: address, register and data of each block. */
export const wireBytes = (blocks: readonly Block[]): number =>
  blocks.reduce((sum, { counts }) => sum + 2 + counts.length * BYTES_PER_CHANNEL, 0)

export interface Pca9685Options {
  /** 24..1526 */
  readonly frequencyHz: number
  /** True: channels switch on one after the other, which spreads the current; false: all at count 0. */
  readonly isStaggered: boolean
}

export class Pca9685 {
  readonly #device: I2cDevice
  readonly #clock: Clock
  readonly #options: Pca9685Options

  constructor(device: I2cDevice, clock: Clock, options: Pca9685Options) {
    this.#device = device
    this.#clock = clock
    this.#options = options
  }

  /**
   * The chip has no identity register, so this reads bits that are always 0 on it, and writes nothing: whatever else
   * may sit at the address is left alone. `configure` then proves the rest by reading back what it wrote.
   */
  async prove(): Promise<void> {
    const alwaysZero: readonly (readonly [register: number, mask: number])[] = [
      [Register.mode2, 0xe0],
      [Register.subAddress1, 0x01],
      [Register.subAddress2, 0x01],
      [Register.subAddress3, 0x01],
      [Register.allCallAddress, 0x01],
    ]
    for (const [register, mask] of alwaysZero) {
      const value = await this.#read(register)
      if (value & mask) throw this.#stranger(register, value)
    }
  }

  /** Everything off, then frequency and modes, then awake with auto-increment. Takes about 1 ms besides the bus. */
  async configure(): Promise<void> {
    await this.allOff()
    const asleep = Mode1.autoIncrement | Mode1.sleep
    await this.#write(Register.mode1, asleep)
    const preScale = preScaleFor(this.#options.frequencyHz)
    await this.#writeProven(Register.preScale, preScalePattern(preScale))
    await this.#writeProven(Register.preScale, preScale)
    await this.#writeProven(Register.mode2, MODE2)
    await this.#write(Register.mode1, Mode1.autoIncrement)
    await wait(this.#clock, OSCILLATOR_MS)
    // After the orderly shutdown above RESTART is 0; a chip that thinks otherwise is told to go on.
    if ((await this.#read(Register.mode1)) & Mode1.restart)
      await this.#write(Register.mode1, Mode1.autoIncrement | Mode1.restart)
  }

  /** One byte, right in every mode. What the channels held is lost (7.3.1.1): write all of them before the next use. */
  async allOff(): Promise<void> {
    await this.#write(Register.allLedOffHigh, FULL)
  }

  /** The same to be planned, and for when nobody here can send it any more: it was killed, or hangs. */
  get allOffWrite(): RegisterWrite {
    return { register: Register.allLedOffHigh, bytes: Uint8Array.of(FULL) }
  }

  async keepLastWords(isKept: boolean): Promise<void> {
    await this.#device.setLastWords(isKept ? [this.allOffWrite] : null)
  }

  async write(block: Block): Promise<void> {
    const { register, bytes } = this.blockWrite(block)
    await this.#writeAll(register, bytes)
  }

  blockWrite(block: Block): RegisterWrite {
    const step = this.#options.isStaggered ? COUNTS / CHANNEL_COUNT : 0
    const bytes = new Uint8Array(block.counts.length * BYTES_PER_CHANNEL)
    for (let at = 0; at < block.counts.length; at++)
      putChannel(
        bytes,
        at * BYTES_PER_CHANNEL,
        block.counts[at] ?? 0,
        (block.firstChannel + at) * step,
      )
    return { register: Register.firstLed + block.firstChannel * BYTES_PER_CHANNEL, bytes }
  }

  /** A chip that lost its supply is asleep and answers to all-call. */
  async requireAwake(): Promise<void> {
    const mode1 = await this.#read(Register.mode1)
    if (mode1 !== Mode1.autoIncrement)
      throw new DeviceError(
        'device.io',
        `PCA9685 at ${this.#place}: MODE1 reads ${hex(mode1, 2)}; the chip was reset`,
      )
  }

  async #writeProven(register: number, value: number): Promise<void> {
    await this.#write(register, value)
    const readBack = await this.#read(register)
    if (readBack !== value) throw this.#stranger(register, readBack)
  }

  #write(register: number, byte: number): Promise<void> {
    return this.#writeAll(register, Uint8Array.of(byte))
  }

  #writeAll(register: number, bytes: Uint8Array): Promise<void> {
    return again(() => this.#device.writeRegister(register, bytes))
  }

  async #read(register: number): Promise<number> {
    const bytes = await again(() => this.#device.readRegister(register, 1))
    return bytes[0] ?? 0
  }

  #stranger(register: number, value: number): DeviceError {
    return new DeviceError(
      'device.absent',
      `what answers at ${this.#place} is no PCA9685: register ${hex(register, 2)} reads ${hex(value, 2)}`,
    )
  }

  get #place(): string {
    return hex(this.#device.address, 2)
  }
}

/** A dimmer's long wires pick up switching noise: one lost transfer is not a fault. The last failure is thrown. */
async function again<T>(transfer: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await transfer()
    } catch (error) {
      if (tries === TRIES || !(error instanceof DeviceError)) throw error
    }
  }
}
