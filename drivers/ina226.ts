/**
 * TI INA226, voltage of a bus and current through a shunt, on I2C.
 * Data sheet SBOS547B: 6.5.1 (calibration), 7.1 (registers). All words high byte first.
 *
 * The current is computed here from the drop across the shunt. The chip's own current register is that drop times the
 * calibration divided by 2048 (equation 3), truncated: it cannot know more, and reads 0 after a reset.
 */
import type { Clock } from '../runtime/ports/clock.js'
import type { Gauge } from '../runtime/ports/gauge.js'
import type { I2cDevice } from '../runtime/ports/host.js'
import { ChipGauge } from './chip-gauge.js'
import { atLeast, type Known, known, unknown } from './gauge-reading.js'
import { isBlank, signed16, WordRegisters } from './i2c-words.js'
import { type Measurement, type Shunt, type ShuntChip, ShuntGauge } from './shunt-gauge.js'

const Register = {
  configuration: 0x00,
  shuntVoltage: 0x01,
  busVoltage: 0x02,
  calibration: 0x05,
  /** What the alert pin tells, and two flags of the conversion. Reading it clears CVRF. */
  maskEnable: 0x06,
  manufacturer: 0xfe,
  die: 0xff,
} as const

const TEXAS_INSTRUMENTS = 0x5449
/** The lowest four bits are the revision (7.1.10). */
const DIE = 0x2260
const DIE_MASK = 0xfff0

/**
 * 128 samples of 1.1 ms each of bus and shunt, without end: bit 14 reads 1, AVG b11..9, VBUSCT b8..6, VSHCT b5..3,
 * MODE b2..0 (7.1.1).
 */
const CONFIGURATION = 0x4927

/** Section 7.1.2. @param word register 0x01 */
export const shuntMicrovolts = (word: number): number => signed16(word) * 2.5

/** Section 7.1.3. @param word register 0x02, whose highest bit is always 0 */
export const busMillivolts = (word: number): number => word * 1.25

/** CVRF: a conversion has ended since this was last read. @param mask register 0x06 */
export const isConverted = (mask: number): boolean => (mask & 0x0008) !== 0

/** OVF: "an arithmetic operation resulted in an overflow error. Current and power data may be invalid" (7.1.7). */
export const isOverflown = (mask: number): boolean => (mask & 0x0004) !== 0

/** Equation 1; the register has 15 bits. */
export function calibrationFor(range: { shuntMilliohms: number; milliampsMax: number }): number {
  const milliampsPerBit = range.milliampsMax / 32_768
  // 0.00512 in volts, here in milliohms times milliamps; what is whole must not become less by a rounding.
  const exact = 5_120 / (milliampsPerBit * range.shuntMilliohms)
  return Math.min(0x7fff, Math.floor(exact + 1e-6))
}

/** The drop, which may be more at either end of the range, 81.92 mV. */
export function shuntDrop(word: number): Known<number> {
  const isAtEnd = word === 0x7fff || word === 0x8000
  return isAtEnd ? atLeast(shuntMicrovolts(word)) : known(shuntMicrovolts(word))
}

/** The voltage, unless no INA226 can say so: 40.96 V. */
export function busVoltage(word: number): Known<number> {
  if (word > 0x7fff) return unknown('implausible')
  return word === 0x7fff ? unknown('overflow') : known(busMillivolts(word))
}

export interface Ina226Options extends Shunt {
  readonly name: string
}

export const ina226 = (device: I2cDevice, clock: Clock, options: Ina226Options): Gauge =>
  new ChipGauge(options.name, new ShuntGauge(clock, new Ina226Chip(device, options), [options]))

class Ina226Chip implements ShuntChip {
  readonly offsetMicrovoltsMax = 10
  readonly loadedMicrovolts = 125
  readonly #registers: WordRegisters
  readonly #calibration: number

  constructor(device: I2cDevice, { shuntMilliohms }: Shunt) {
    this.#registers = new WordRegisters(device, 'INA226', 'high-first')
    // The current register then counts what the shunt register counts, and neither current nor power can overflow.
    this.#calibration = calibrationFor({ shuntMilliohms, milliampsMax: 81_920 / shuntMilliohms })
  }

  async prove(): Promise<void> {
    const manufacturer = await this.#registers.read(Register.manufacturer)
    if (manufacturer !== TEXAS_INSTRUMENTS)
      throw this.#registers.stranger(Register.manufacturer, manufacturer)
    const die = await this.#registers.read(Register.die)
    if ((die & DIE_MASK) !== DIE) throw this.#registers.stranger(Register.die, die)
  }

  async isConfigured(): Promise<boolean | null> {
    const configuration = await this.#registers.read(Register.configuration)
    const calibration = await this.#registers.read(Register.calibration)
    if (isBlank(configuration) && calibration === configuration) return null
    return configuration === CONFIGURATION && calibration === this.#calibration
  }

  /** Writing the configuration clears CVRF (7.1.7). */
  async configure(): Promise<void> {
    await this.#registers.writeProven(Register.calibration, this.#calibration)
    await this.#registers.writeProven(Register.configuration, CONFIGURATION)
  }

  async measure(): Promise<Measurement> {
    const mask = await this.#registers.read(Register.maskEnable)
    const bus = await this.#registers.read(Register.busVoltage)
    const shunt = await this.#registers.read(Register.shuntVoltage)
    const microvolts = isOverflown(mask) ? unknown('overflow') : shuntDrop(shunt)
    return {
      isReady: isConverted(mask),
      words: [bus, shunt],
      channels: [{ millivolts: busVoltage(bus), microvolts, isZero: bus === 0 }],
    }
  }
}
