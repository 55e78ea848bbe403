/**
 * An INA226 made of memory: registers, ranges, conversion times and flags as TI's data sheet (SBOS547B) tells them in
 * section 7.1, and the truth they follow from.
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
  maskEnable: 0x06,
  alertLimit: 0x07,
  manufacturer: 0xfe,
  die: 0xff,
} as const

const RESET = 0x8000
const CONFIGURATION_AFTER_RESET = 0x4127
/** Bit 14 reads 1, bits 13 and 12 read 0. */
const CONFIGURATION_BITS = 0x0fff
const CONFIGURATION_FIXED = 0x4000
const CONTINUOUS_BOTH = 0x7
const Flag = { converted: 0x8, overflow: 0x4 } as const
/** What of Mask/Enable may be written. */
const MASK_BITS = 0xfc03
const SAMPLES = [1, 4, 16, 64, 128, 256, 512, 1024]
const CONVERSION_MS = [0.14, 0.204, 0.332, 0.588, 1.1, 2.116, 4.156, 8.244]
const POWER_DIVISOR = 20_000
const CALIBRATION_DIVISOR = 2_048

export class Ina226Chip implements SimulatedChip {
  isPlugged = true
  pattern: Pattern = null
  /** True: it converts, and finds what it found before. */
  isStuck = false
  readonly converter: Converter
  readonly truth: PackTruth
  readonly #shuntMilliohms: number
  readonly #kept = new Map<number, number>()
  #configuration = CONFIGURATION_AFTER_RESET
  #busCount = 0
  #shuntCount = 0
  #isConverted = false

  constructor(clock: Clock, options: { shuntMilliohms: number; truth?: PackTruth }) {
    this.#shuntMilliohms = options.shuntMilliohms
    this.truth = options.truth ?? packAtRest()
    this.converter = new Converter(clock)
    this.reset()
  }

  /** What a loss of supply does: table 7-1. */
  reset(): void {
    this.#kept.clear()
    this.#busCount = 0
    this.#shuntCount = 0
    this.#configure(CONFIGURATION_AFTER_RESET)
  }

  read(register: number, byteCount: number): Uint8Array {
    if (this.pattern !== null) return patternBytes(this.pattern, byteCount)
    this.#convert()
    const word = this.#word(register)
    if (register === Register.maskEnable) this.#isConverted = false
    return wireBytesOf(word, 'high-first', byteCount)
  }

  write(register: number, bytes: Uint8Array): void {
    const word = wordFrom(bytes, 'high-first')
    if (register === Register.configuration && word & RESET) this.reset()
    else if (register === Register.configuration) this.#configure(word)
    else if (register === Register.calibration) this.#kept.set(register, word & 0x7fff)
    else if (register === Register.maskEnable) this.#kept.set(register, word & MASK_BITS)
    else if (register === Register.alertLimit) this.#kept.set(register, word)
  }

  #configure(word: number): void {
    this.#configuration = (word & CONFIGURATION_BITS) | CONFIGURATION_FIXED
    this.#isConverted = false
    const samples = SAMPLES[(word >> 9) & 0x7] ?? 0
    const bothMs = (CONVERSION_MS[(word >> 6) & 0x7] ?? 0) + (CONVERSION_MS[(word >> 3) & 0x7] ?? 0)
    this.converter.restart((word & 0x7) === CONTINUOUS_BOTH ? samples * bothMs : 0)
  }

  #convert(): void {
    if (!this.converter.hasNew()) return
    this.#isConverted = true
    if (this.isStuck) return
    const { millivolts, milliamps } = this.truth
    this.#busCount = clamp(Math.round(millivolts / 1.25), 0, 0x7fff)
    const shuntCount = Math.round((milliamps * this.#shuntMilliohms) / 2.5) + this.converter.noise
    this.#shuntCount = clamp(shuntCount, -0x8000, 0x7fff)
  }

  #word(register: number): number {
    switch (register) {
      case Register.configuration:
        return this.#configuration
      case Register.shunt:
        return wordOfSigned(this.#shuntCount)
      case Register.bus:
        return this.#busCount
      case Register.power:
        return Math.trunc(this.#power) & 0xffff
      case Register.current:
        return wordOfSigned(this.#current)
      case Register.maskEnable:
        return (this.#kept.get(register) ?? 0) | this.#flags
      case Register.manufacturer:
        return 0x5449
      case Register.die:
        return 0x2260
      default:
        return this.#kept.get(register) ?? 0
    }
  }

  /** Equation 3. */
  get #current(): number {
    const calibration = this.#kept.get(Register.calibration) ?? 0
    return Math.trunc((this.#shuntCount * calibration) / CALIBRATION_DIVISOR)
  }

  /** Equation 4. */
  get #power(): number {
    return (Math.abs(this.#current) * this.#busCount) / POWER_DIVISOR
  }

  get #flags(): number {
    const isOverflown = Math.abs(this.#current) > 0x8000 || this.#power > 0xffff
    return (this.#isConverted ? Flag.converted : 0) | (isOverflown ? Flag.overflow : 0)
  }
}
