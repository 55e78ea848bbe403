/**
 * An INA3221 made of memory: registers, ranges, conversion times and flags as TI's data sheet (SBOS576B) tells them in
 * section 8.6, and the three truths they follow from.
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

const Register = { configuration: 0x00, maskEnable: 0x0f, manufacturer: 0xfe, die: 0xff } as const

const RESET = 0x8000
const CONFIGURATION_AFTER_RESET = 0x7127
const CONTINUOUS_BOTH = 0x7
const CHANNEL_ENABLE = [0x4000, 0x2000, 0x1000]
const CONVERTED = 0x1
const SAMPLES = [1, 4, 16, 64, 128, 256, 512, 1024]
const CONVERSION_MS = [0.14, 0.204, 0.332, 0.588, 1.1, 2.116, 4.156, 8.244]
const COUNT_MAX = 4095

export class Ina3221Chip implements SimulatedChip {
  isPlugged = true
  pattern: Pattern = null
  /** True: it converts, and finds what it found before. */
  isStuck = false
  readonly converter: Converter
  /** Of the channels 1 to 3. */
  readonly truths: readonly [PackTruth, PackTruth, PackTruth]
  readonly #shuntMilliohms: number
  #configuration = CONFIGURATION_AFTER_RESET
  readonly #shuntCounts = [0, 0, 0]
  readonly #busCounts = [0, 0, 0]
  #isConverted = false

  constructor(
    clock: Clock,
    options: { shuntMilliohms: number; truths?: readonly [PackTruth, PackTruth, PackTruth] },
  ) {
    this.#shuntMilliohms = options.shuntMilliohms
    this.truths = options.truths ?? [packAtRest(), packAtRest(), packAtRest()]
    this.converter = new Converter(clock)
    this.reset()
  }

  /** What a loss of supply does: table 3. */
  reset(): void {
    this.#shuntCounts.fill(0)
    this.#busCounts.fill(0)
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
    if (register !== Register.configuration) return
    const word = wordFrom(bytes, 'high-first')
    if (word & RESET) this.reset()
    else this.#configure(word)
  }

  #configure(word: number): void {
    this.#configuration = word
    this.#isConverted = false
    const channels = CHANNEL_ENABLE.filter(bit => word & bit).length
    const samples = SAMPLES[(word >> 9) & 0x7] ?? 0
    const bothMs = (CONVERSION_MS[(word >> 6) & 0x7] ?? 0) + (CONVERSION_MS[(word >> 3) & 0x7] ?? 0)
    this.converter.restart((word & 0x7) === CONTINUOUS_BOTH ? channels * samples * bothMs : 0)
  }

  #convert(): void {
    if (!this.converter.hasNew()) return
    this.#isConverted = true
    if (this.isStuck) return
    for (const [channel, { millivolts, milliamps }] of this.truths.entries()) {
      if ((this.#configuration & (CHANNEL_ENABLE[channel] ?? 0)) === 0) continue
      const shuntCount = Math.round((milliamps * this.#shuntMilliohms) / 40) + this.converter.noise
      this.#shuntCounts[channel] = clamp(shuntCount, -COUNT_MAX - 1, COUNT_MAX)
      this.#busCounts[channel] = clamp(Math.round(millivolts / 8), 0, COUNT_MAX)
    }
  }

  #word(register: number): number {
    if (register === Register.configuration) return this.#configuration
    if (register === Register.maskEnable) return this.#isConverted ? CONVERTED : 0
    if (register === Register.manufacturer) return 0x5449
    if (register === Register.die) return 0x3220
    const channel = Math.floor((register - 1) / 2)
    const counts = register % 2 === 1 ? this.#shuntCounts : this.#busCounts
    return wordOfSigned((counts[channel] ?? 0) << 3)
  }
}
