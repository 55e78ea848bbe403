/**
 * onsemi LC709203F, a fuel gauge for one lithium cell without a shunt, on I2C at 0x0b.
 * Data sheet LC709203F/D Rev. 9: "Communication Protocol", and the table of its registers. All words low byte first,
 * and after each a CRC-8 (polynomial 0x07) over the whole transfer, addresses included: a transfer without it is worth
 * nothing. The chip holds the clock line down while it thinks, which a Raspberry Pi's I2C block bears badly: a bus of
 * its own at 10 to 50 kHz, or `dtoverlay=i2c-gpio`.
 */
import { DeviceError } from '../runtime/core/errors.js'
import type { Clock } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import type { I2cDevice } from '../runtime/ports/host.js'
import { again } from './again.js'
import { cellCharge, cellVoltage, temperature } from './cell-limits.js'
import { ChipGauge, type GaugeChip } from './chip-gauge.js'
import { gaugeReading, type Known, troublesOf, unknown } from './gauge-reading.js'
import { bytesOf, hex, isBlank, wordOf } from './i2c-words.js'
import { StandingValues } from './standing-values.js'

export const LC709203F_ADDRESS = 0x0b

const Register = {
  initialRsoc: 0x07,
  cellTemperature: 0x08,
  cellVoltage: 0x09,
  /** APA: what the pack's capacity and the wires to it do to the voltage. */
  packAdjustment: 0x0b,
  /** RSOC in tenths of a percent. */
  indicatorToEmpty: 0x0f,
  version: 0x11,
  /** "Change of the parameter": which of two kinds of cell. */
  profile: 0x12,
  powerMode: 0x15,
  /** Where the temperature comes from: the bus, or a thermistor. */
  status: 0x16,
} as const

const OPERATIONAL = 0x0001
const INITIALISE = 0xaa55
const THERMISTOR = 0x0001
/** ITE: 0.1 % a step. */
const CHARGE_STEPS_MAX = 1_000

/** CRC-8-ATM: x^8 + x^2 + x + 1, from 0, most significant bit first. */
export function crc8(bytes: readonly number[]): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80 ? 0x07 : 0)) & 0xff
  }
  return crc
}

/** The checksum that the chip sends after a word. @param address 7 bits */
export const readChecksum = (address: number, register: number, word: number): number =>
  crc8([address << 1, register, (address << 1) | 1, ...bytesOf(word, 'low-first')])

/** The checksum that the chip wants after a word. @param address 7 bits */
export const writeChecksum = (address: number, register: number, word: number): number =>
  crc8([address << 1, register, ...bytesOf(word, 'low-first')])

/** 0.1 K a step; 0x0aac is 0 degrees. @param word register 0x08 */
export const celsiusOf = (word: number): number => (word - 0x0aac) / 10

/** 0.1 % a step. @param word register 0x0f */
export const percentOf = (word: number): number => word / 10

/** The charge, unless it cannot be. */
export function chargeOf(word: number, cell: Known<number>): Known<number> {
  return word > CHARGE_STEPS_MAX ? unknown('implausible') : cellCharge(percentOf(word), cell)
}

interface NotMeasured {
  readonly value: null
  readonly trouble: null
}

export interface Lc709203fOptions {
  readonly name: string
  /** APA, from the data sheet's table: 25 for 1000 mAh, 45 for 2000 mAh, 54 for 3000 mAh. 0..255 */
  readonly packAdjustment: number
  /** Of the LC709203F-01; 1: 3.7 V nominal, charged to 4.2 V; 0: 3.8 V, charged to 4.35 V. */
  readonly profile: 0 | 1
  /** Whether the pack has a thermistor that is wired to the chip. */
  readonly hasThermistor: boolean
}

export const lc709203f = (device: I2cDevice, clock: Clock, options: Lc709203fOptions): Gauge =>
  new ChipGauge(options.name, new Lc709203fChip(device, clock, options))

class Lc709203fChip implements GaugeChip {
  readonly packCount = 1
  readonly #device: I2cDevice
  readonly #clock: Clock
  readonly #options: Lc709203fOptions
  readonly #standing = new StandingValues(Number.POSITIVE_INFINITY)
  /** Found out by `start`, told by the next reading. */
  #wasReset = false

  constructor(device: I2cDevice, clock: Clock, options: Lc709203fOptions) {
    this.#device = device
    this.#clock = clock
    this.#options = options
  }

  async start(): Promise<void> {
    await this.#prove()
    // The cell supplies the chip, so one that knows nothing of its pack has a new one, or had none for a while.
    if (await this.#restore()) this.#wasReset = true
  }

  /** Seven short transfers. */
  async read(): Promise<readonly GaugeReading[]> {
    return [this.#standing.judge(await this.#reading())]
  }

  /** The chip tells its version, which can be any, and proves itself by the checksum. */
  async #prove(): Promise<void> {
    const version = await this.#read(Register.version).catch((error: unknown) => {
      throw error instanceof DeviceError && error.code === 'device.io'
        ? this.#stranger('device.absent', error.message)
        : error
    })
    if (isBlank(version)) throw this.#stranger('device.absent', `its version is ${hex(version)}`)
  }

  async #reading(): Promise<GaugeReading> {
    const hasForgotten = await this.#restore()
    const cell = cellVoltage(await this.#read(Register.cellVoltage))
    // What it says first after it was set up anew is a guess from one look at a voltage.
    const charge = hasForgotten
      ? unknown('reset')
      : chargeOf(await this.#read(Register.indicatorToEmpty), cell)
    const warmth = await this.#warmth(hasForgotten)
    const wasReset = hasForgotten || this.#wasReset
    this.#wasReset = false
    return gaugeReading(this.#clock.monotonicMs(), {
      millivolts: cell.value,
      percent: charge.value,
      celsius: warmth.value,
      wasReset,
      troubles: troublesOf({ trouble: wasReset ? 'reset' : null }, cell, charge, warmth),
    })
  }

  /** Without a thermistor the register holds what the host last wrote there: no measurement. */
  async #warmth(hasForgotten: boolean): Promise<Known<number> | NotMeasured> {
    if (!this.#options.hasThermistor) return { value: null, trouble: null }
    if (hasForgotten) return unknown('reset')
    return temperature(celsiusOf(await this.#read(Register.cellTemperature)))
  }

  /** Writes what is not as it should be. @returns whether the chip had forgotten what kind of pack it has */
  async #restore(): Promise<boolean> {
    const { profile, packAdjustment, hasThermistor } = this.#options
    await this.#set(Register.powerMode, OPERATIONAL)
    const isProfileNew = await this.#set(Register.profile, profile)
    const isAdjustmentNew = await this.#set(Register.packAdjustment, packAdjustment)
    await this.#set(Register.status, hasThermistor ? THERMISTOR : 0)
    // Its first estimate was made for another kind of cell. A chip that knows its pack is left its estimate.
    if (isProfileNew) await this.#write(Register.initialRsoc, INITIALISE)
    return isProfileNew || isAdjustmentNew
  }

  /** @returns whether it had to be written */
  async #set(register: number, word: number): Promise<boolean> {
    if ((await this.#read(register)) === word) return false
    await this.#write(register, word)
    const readBack = await this.#read(register)
    if (readBack === word) return true
    throw this.#stranger('device.io', `register ${hex(register, 2)} keeps ${hex(readBack)}`)
  }

  /** Throws DeviceError `device.io` when the checksum is wrong three times. */
  #read(register: number): Promise<number> {
    const { address } = this.#device
    return again(async () => {
      const bytes = await this.#device.readRegister(register, 3)
      const word = wordOf(bytes, 'low-first')
      if (bytes[2] !== readChecksum(address, register, word))
        throw this.#stranger('device.io', `register ${hex(register, 2)}: the checksum is wrong`)
      return word
    })
  }

  async #write(register: number, word: number): Promise<void> {
    const checksum = writeChecksum(this.#device.address, register, word)
    const bytes = Uint8Array.of(...bytesOf(word, 'low-first'), checksum)
    await again(() => this.#device.writeRegister(register, bytes))
  }

  #stranger(code: 'device.absent' | 'device.io', found: string): DeviceError {
    return new DeviceError(code, `LC709203F at ${hex(this.#device.address, 2)}: ${found}`)
  }
}
