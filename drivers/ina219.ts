/**
 * TI INA219, voltage of a bus and current through a shunt, on I2C.
 * Data sheet SBOS448G: 8.5.1 (calibration), 8.6.2 (registers), 8.6.3 (what it measures). All words high byte first.
 *
 * The current is computed here from the drop across the shunt. The chip's own current register is that drop times the
 * calibration divided by 4096 (equation 4), truncated: it cannot know more, and reads 0 after a reset.
 */
import type { Clock } from '../runtime/ports/clock.js'
import type { Gauge } from '../runtime/ports/gauge.js'
import type { I2cDevice } from '../runtime/ports/host.js'
import { ChipGauge } from './chip-gauge.js'
import { atLeast, type Known, known, unknown } from './gauge-reading.js'
import { areBytes, isBlank, signed16, WordRegisters } from './i2c-words.js'
import { type Measurement, type Shunt, type ShuntChip, ShuntGauge } from './shunt-gauge.js'

const Register = {
  configuration: 0x00,
  shuntVoltage: 0x01,
  busVoltage: 0x02,
  power: 0x03,
  current: 0x04,
  calibration: 0x05,
  /** No register of this chip: TI's later ones tell their maker here. */
  manufacturer: 0xfe,
} as const

/** Read from a chip that has them, these bits are 0: then it is none. */
const alwaysZero: readonly (readonly [register: number, mask: number])[] = [
  // RST, and bit 14, which does not exist (8.6.2.1).
  [Register.configuration, 0xc000],
  // Between the voltage and its flags there is a bit that does not exist (8.6.3.2).
  [Register.busVoltage, 0x0004],
  // "Bit FS0 is a void bit and will always be 0" (8.6.4.1).
  [Register.calibration, 0x0001],
]
const TEXAS_INSTRUMENTS = 0x5449

/**
 * 32 V, 320 mV across the shunt, 128 samples of each, without end: BRNG b13, PG b12..11, BADC b10..7, SADC b6..3,
 * MODE b2..0 (8.6.2.1, table 5). One step is 10 uV in every range of PG, so the widest costs no resolution.
 */
const CONFIGURATION = 0x3fff
/** A drop of 320 mV, and whatever is more (table 7). */
const SHUNT_WORD_MAX = 32_000
/** 32 V. */
const BUS_COUNT_MAX = 8_000

/** Section 8.6.3.1. @param word register 0x01 */
export const shuntMicrovolts = (word: number): number => signed16(word) * 10

/** Section 8.6.3.2: the upper 13 bits. @param word register 0x02 */
export const busMillivolts = (word: number): number => (word >> 3) * 4

/**
 * CNVR: a conversion has ended since the mode was written or the power was read. "The data from the last conversion can
 * be read at any time" all the same (8.6.3.2).
 */
export const isConverted = (word: number): boolean => (word & 0x0002) !== 0

/** OVF: current and power "may be meaningless" (8.6.3.2). */
export const isOverflown = (word: number): boolean => (word & 0x0001) !== 0

/** Equation 1, without the lowest bit, which the register does not have. */
export function calibrationFor(range: { shuntMilliohms: number; milliampsMax: number }): number {
  const milliampsPerBit = range.milliampsMax / 32_768
  // 0.04096 in volts, here in milliohms times milliamps; what is whole must not become less by a rounding.
  const exact = 40_960 / (milliampsPerBit * range.shuntMilliohms)
  return Math.min(0xfffe, Math.floor(exact + 1e-6) & ~1)
}

/** The drop, which may be more at the end of the range that `CONFIGURATION` sets; beyond, no INA219 can say so. */
export function shuntDrop(word: number): Known<number> {
  const size = Math.abs(signed16(word))
  if (size > SHUNT_WORD_MAX) return unknown('implausible')
  return size === SHUNT_WORD_MAX ? atLeast(shuntMicrovolts(word)) : known(shuntMicrovolts(word))
}

/** The voltage, unless no INA219 can say so. */
export function busVoltage(word: number): Known<number> {
  const count = word >> 3
  if ((word & 0x0004) !== 0 || count > BUS_COUNT_MAX) return unknown('implausible')
  return count === BUS_COUNT_MAX ? unknown('overflow') : known(busMillivolts(word))
}

export interface Ina219Options extends Shunt {
  readonly name: string
}

export const ina219 = (device: I2cDevice, clock: Clock, options: Ina219Options): Gauge =>
  new ChipGauge(options.name, new ShuntGauge(clock, new Ina219Chip(device, options), [options]))

class Ina219Chip implements ShuntChip {
  readonly offsetMicrovoltsMax = 100
  readonly loadedMicrovolts = 500
  readonly #registers: WordRegisters
  readonly #calibration: number

  constructor(device: I2cDevice, { shuntMilliohms }: Shunt) {
    this.#registers = new WordRegisters(device, 'INA219', 'high-first')
    // The current register then counts what the shunt register counts, and neither current nor power can overflow.
    this.#calibration = calibrationFor({ shuntMilliohms, milliampsMax: 327_680 / shuntMilliohms })
  }

  /**
   * The chip has no identity register. This looks at bits that do not exist on it, and at the shape of its registers:
   * dimmers of the type PCA9685 have the same addresses and registers of one byte each, which follow one another
   * within a transfer or repeat; both show.
   */
  async prove(): Promise<void> {
    const words: number[] = []
    for (const register of [0, 1, 2, 3, 4, 5]) words.push(await this.#registers.read(register))
    for (const [register, mask] of alwaysZero) {
      const word = words[register] ?? 0
      if (word & mask) throw this.#registers.stranger(register, word)
    }
    if (areBytes(words)) throw this.#registers.stranger(Register.configuration, words[0] ?? 0)
    const manufacturer = await this.#registers.read(Register.manufacturer)
    if (manufacturer === TEXAS_INSTRUMENTS)
      throw this.#registers.stranger(Register.manufacturer, manufacturer)
  }

  async isConfigured(): Promise<boolean | null> {
    const configuration = await this.#registers.read(Register.configuration)
    const calibration = await this.#registers.read(Register.calibration)
    if (isBlank(configuration) && calibration === configuration) return null
    return configuration === CONFIGURATION && calibration === this.#calibration
  }

  /** Writing the mode clears CNVR. */
  async configure(): Promise<void> {
    await this.#registers.writeProven(Register.calibration, this.#calibration)
    await this.#registers.writeProven(Register.configuration, CONFIGURATION)
  }

  async measure(): Promise<Measurement> {
    const bus = await this.#registers.read(Register.busVoltage)
    const shunt = await this.#registers.read(Register.shuntVoltage)
    const isReady = isConverted(bus)
    // This is what clears CNVR, so that it says something again the next time.
    if (isReady) await this.#registers.read(Register.power)
    const microvolts = isOverflown(bus) ? unknown('overflow') : shuntDrop(shunt)
    return {
      isReady,
      words: [bus >> 3, shunt],
      channels: [{ millivolts: busVoltage(bus), microvolts, isZero: bus >> 3 === 0 }],
    }
  }
}
