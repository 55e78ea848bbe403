/**
 * An LC709203F made of memory: registers, checksums and modes as onsemi's data sheet (LC709203F/D Rev. 9) tells them,
 * and the truth they follow from. What is written with a wrong checksum is not taken.
 */
import type { SimulatedChip } from './chips.js'
import { type PackTruth, packAtRest } from './pack-truth.js'
import { clamp, type Pattern, patternBytes } from './word-bus.js'

const Register = {
  initialRsoc: 0x07,
  cellTemperature: 0x08,
  cellVoltage: 0x09,
  packAdjustment: 0x0b,
  rsoc: 0x0d,
  indicatorToEmpty: 0x0f,
  version: 0x11,
  profile: 0x12,
  alarmRsoc: 0x13,
  alarmVoltage: 0x14,
  powerMode: 0x15,
  status: 0x16,
} as const

const writable: ReadonlySet<number> = new Set([
  Register.cellTemperature,
  Register.packAdjustment,
  Register.profile,
  Register.alarmRsoc,
  Register.alarmVoltage,
  Register.powerMode,
  Register.status,
])

const ADDRESS_WRITE = 0x16
const ADDRESS_READ = 0x17
const INITIALISE = 0xaa55
const ASLEEP = 0x0002
const VERSION = 0x2717

export class Lc709203fChip implements SimulatedChip {
  isPlugged = true
  pattern: Pattern = null
  /** True: it tells what it told before. */
  isStuck = false
  /** So many of the next reads have a wrong checksum. */
  badChecksums = 0
  /** How often the charge was estimated anew. */
  initialisations = 0
  readonly truth: PackTruth
  readonly #words = new Map<number, number>()

  constructor(truth: PackTruth = packAtRest()) {
    this.truth = truth
    this.reset()
  }

  /** What a new cell does. */
  reset(): void {
    this.#words.clear()
    this.#words.set(Register.cellTemperature, 0x0ba6)
    this.#words.set(Register.packAdjustment, 0x001e)
    this.#words.set(Register.version, VERSION)
    this.#words.set(Register.alarmRsoc, 0x0008)
    this.#words.set(Register.powerMode, ASLEEP)
  }

  read(register: number, byteCount: number): Uint8Array {
    if (this.pattern !== null) return patternBytes(this.pattern, byteCount)
    this.#measure()
    const word = this.#words.get(register) ?? 0
    const bytes = [word & 0xff, word >> 8]
    const checksum = crc8([ADDRESS_WRITE, register, ADDRESS_READ, ...bytes])
    const isBad = this.badChecksums > 0
    if (isBad) this.badChecksums--
    const sent = [...bytes, isBad ? checksum ^ 0x01 : checksum]
    return Uint8Array.from({ length: byteCount }, (_, at) => sent[at] ?? 0xff)
  }

  write(register: number, bytes: Uint8Array): void {
    const [low = 0, high = 0, checksum] = bytes
    if (checksum !== crc8([ADDRESS_WRITE, register, low, high])) return
    const word = (high << 8) | low
    if (register === Register.initialRsoc && word === INITIALISE) this.initialisations++
    if (writable.has(register)) this.#words.set(register, word)
  }

  /** For a test that wants a word no pack makes. */
  force(register: number, word: number): void {
    this.isStuck = true
    this.#words.set(register, word)
  }

  #measure(): void {
    const isAsleep = this.#words.get(Register.powerMode) === ASLEEP
    if (this.isStuck || isAsleep) return
    const { millivolts, percent, celsius } = this.truth
    this.#words.set(Register.cellVoltage, clamp(Math.round(millivolts), 0, 0xffff))
    this.#words.set(Register.rsoc, clamp(Math.round(percent), 0, 100))
    this.#words.set(Register.indicatorToEmpty, clamp(Math.round(percent * 10), 0, 1000))
    if (this.#words.get(Register.status) === 1)
      this.#words.set(Register.cellTemperature, Math.round(celsius * 10) + 0x0aac)
  }
}

/** By table: another way than the driver's. */
const crcTable = Uint8Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? (crc << 1) ^ 0x107 : crc << 1
  return crc
})

const crc8 = (bytes: readonly number[]): number =>
  bytes.reduce((crc, byte) => crcTable[crc ^ byte] ?? 0, 0)
