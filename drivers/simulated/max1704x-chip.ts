/**
 * A MAX17043 or MAX17048 made of memory: registers and flags as Maxim's data sheets (19-4811, 19-6171) tell them, and
 * the truth they follow from.
 */
import type { SimulatedChip } from './chips.js'
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
  vcell: 0x02,
  soc: 0x04,
  mode: 0x06,
  version: 0x08,
  hibernate: 0x0a,
  config: 0x0c,
  voltageAlert: 0x14,
  crate: 0x16,
  voltageReset: 0x18,
  status: 0x1a,
} as const

const CONFIG_AFTER_RESET = 0x971c
const SLEEP = 0x0080
/** RI. */
const RESET_INDICATOR = 0x0100
const QUICK_START = 0x4000
const VERSION = { max17040: 0x0003, max17048: 0x0012 } as const
const CRATE_STEP = 0.208

export class Max1704xChip implements SimulatedChip {
  isPlugged = true
  pattern: Pattern = null
  /** True: it tells what it told before. */
  isStuck = false
  readonly truth: PackTruth
  /** In series; the chip measures both and tells one. */
  readonly #cells: number
  readonly #family: 'max17040' | 'max17048'
  readonly #milliampHours: number
  readonly #words = new Map<number, number>()
  /** How often somebody threw away what the gauge had learned. */
  quickStarts = 0

  constructor(options: {
    family: 'max17040' | 'max17048'
    cells: number
    /** For the rate that it tells. */
    milliampHours: number
    truth?: PackTruth
  }) {
    this.#family = options.family
    this.#cells = options.cells
    this.#milliampHours = options.milliampHours
    this.truth = options.truth ?? packAtRest()
    this.reset()
  }

  /** What a new cell does. */
  reset(): void {
    this.#words.clear()
    this.#words.set(Register.config, CONFIG_AFTER_RESET)
    this.#words.set(Register.version, VERSION[this.#family])
    if (this.#family !== 'max17048') return
    this.#words.set(Register.status, RESET_INDICATOR)
    this.#words.set(Register.hibernate, 0x8030)
    this.#words.set(Register.voltageAlert, 0x00ff)
    this.#words.set(Register.voltageReset, 0x9600)
  }

  read(register: number, byteCount: number): Uint8Array {
    if (this.pattern !== null) return patternBytes(this.pattern, byteCount)
    this.#measure()
    return wireBytesOf(this.#words.get(register) ?? 0, 'high-first', byteCount)
  }

  write(register: number, bytes: Uint8Array): void {
    const word = wordFrom(bytes, 'high-first')
    if (register === Register.mode && word & QUICK_START) this.quickStarts++
    const isKept =
      register === Register.config ||
      (this.#family === 'max17048' &&
        register >= Register.voltageAlert &&
        register !== Register.crate)
    if (isKept) this.#words.set(register, word)
  }

  /** For a test that wants a word no pack makes. */
  force(register: number, word: number): void {
    this.isStuck = true
    this.#words.set(register, word)
  }

  #measure(): void {
    const isAsleep = ((this.#words.get(Register.config) ?? 0) & SLEEP) !== 0
    if (this.isStuck || isAsleep) return
    const { millivolts, milliamps, percent } = this.truth
    const cell = millivolts / this.#cells
    this.#words.set(Register.soc, clamp(Math.round(percent * 256), 0, 0xffff))
    if (this.#family === 'max17048') {
      this.#words.set(Register.vcell, clamp(Math.round(cell / 0.078125), 0, 0xffff))
      const rate = (milliamps / this.#milliampHours) * 100
      this.#words.set(Register.crate, wordOfSigned(Math.round(rate / CRATE_STEP)))
    } else this.#words.set(Register.vcell, clamp(Math.round(cell / 1.25), 0, 0xfff) << 4)
  }
}
