/**
 * An INA219 made of memory: registers, ranges, conversion times and flags as TI's data sheet (SBOS448G) tells them in
 * section 8.6, and the truth they follow from.
 */
import type { Clock } from '../../runtime/ports/clock.js'
import type { SimulatedChip } from './chips.js'
import { Converter } from './converter.js'
import { type PackTruth, packAtRest } from './pack-truth.js'
import {
  clamp,
  type Pattern,
  patternBytes,
  wireBytesOf,
  wordFrom,
  wordOfSigned,
} from './word-bus.js'

const Register = {
  configuration: 0x00,
  shunt: 0x01,
  bus: 0x02,
  power: 0x03,
  current: 0x04,
  calibration: 0x05,
} as const

const RESET = 0x8000
const CONFIGURATION_AFTER_RESET = 0x399f
/** Bits that exist. */
const CONFIGURATION_BITS = 0x3fff
const CALIBRATION_BITS = 0xfffe
const CONTINUOUS_BOTH = 0x7
const BUS_32_VOLTS = 0x2000
const Flag = { converted: 0x2, overflow: 0x1 } as const
const POWER_DIVISOR = 5_000
const CALIBRATION_DIVISOR = 4_096

export class Ina219Chip implements SimulatedChip {
  isPlugged = true
  pattern: Pattern = null
  /** True: it converts, and finds what it found before. */
  isStuck = false
  readonly converter: Converter
  readonly truth: PackTruth
  readonly #shuntMilliohms: number
  #configuration = CONFIGURATION_AFTER_RESET
  #calibration = 0
  #busCount = 0
  #shuntCount = 0
  #isConverted = false

  constructor(clock: Clock, options: { shuntMilliohms: number; truth?: PackTruth }) {
    this.#shuntMilliohms = options.shuntMilliohms
    this.truth = options.truth ?? packAtRest()
    this.converter = new Converter(clock)
    this.reset()
  }

  /** What a loss of supply does: table 2. */
  reset(): void {
    this.#calibration = 0
    this.#busCount = 0
    this.#shuntCount = 0
    this.#configure(CONFIGURATION_AFTER_RESET)
  }

  get isConfigured(): boolean {
    return this.#configuration !== CONFIGURATION_AFTER_RESET && this.#calibration !== 0
  }

  read(register: number, byteCount: number): Uint8Array {
    if (this.pattern !== null) return patternBytes(this.pattern, byteCount)
    this.#convert()
    const word = this.#word(register)
    if (register === Register.power) this.#isConverted = false
    return wireBytesOf(word, 'high-first', byteCount)
  }

  write(register: number, bytes: Uint8Array): void {
    const word = wordFrom(bytes, 'high-first')
    if (register === Register.calibration) this.#calibration = word & CALIBRATION_BITS
    if (register !== Register.configuration) return
    if (word & RESET) this.reset()
    else this.#configure(word & CONFIGURATION_BITS)
  }

  #configure(word: number): void {
    this.#configuration = word
    this.#isConverted = false
    const isContinuous = (word & 0x7) === CONTINUOUS_BOTH
    this.converter.restart(isContinuous ? conversionMs(word >> 3) + conversionMs(word >> 7) : 0)
  }

  #convert(): void {
    if (!this.converter.hasNew()) return
    this.#isConverted = true
    if (this.isStuck) return
    const { millivolts, milliamps } = this.truth
    const countMax = this.#configuration & BUS_32_VOLTS ? 8_000 : 4_000
    this.#busCount = clamp(Math.round(millivolts / 4), 0, countMax)
    const shuntMax = 4_000 << ((this.#configuration >> 11) & 0x3)
    const shuntCount = Math.round((milliamps * this.#shuntMilliohms) / 10) + this.converter.noise
    this.#shuntCount = clamp(shuntCount, -shuntMax, shuntMax)
  }

  #word(register: number): number {
    switch (register) {
      case Register.configuration:
        return this.#configuration
      case Register.shunt:
        return wordOfSigned(this.#shuntCount)
      case Register.bus:
        return (this.#busCount << 3) | this.#flags
      case Register.power:
        return Math.trunc((Math.abs(this.#current) * this.#busCount) / POWER_DIVISOR) & 0xffff
      case Register.current:
        return wordOfSigned(this.#current)
      case Register.calibration:
        return this.#calibration
      default:
        return 0
    }
  }

  /** Equation 4. */
  get #current(): number {
    return Math.trunc((this.#shuntCount * this.#calibration) / CALIBRATION_DIVISOR)
  }

  get #flags(): number {
    const power = (Math.abs(this.#current) * this.#busCount) / POWER_DIVISOR
    const isOverflown = Math.abs(this.#current) > 0x7fff || power > 0xffff
    return (this.#isConverted ? Flag.converted : 0) | (isOverflown ? Flag.overflow : 0)
  }
}

/** Table 5, of the four bits BADC or SADC. */
function conversionMs(bits: number): number {
  const single = [0.084, 0.148, 0.276, 0.532][bits & 0x3] ?? 0
  if ((bits & 0x8) === 0) return single
  // From 1 to 128 samples of 12 bits.
  return 0.532 * 2 ** (bits & 0x7)
}
