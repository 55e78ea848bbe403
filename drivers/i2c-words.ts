/** Registers of 16 bits on I2C, and the numbers in them. */
import { DeviceError } from '../runtime/core/errors.js'
import type { I2cDevice } from '../runtime/ports/host.js'
import { again } from './again.js'

/** Which byte of a word is first on the wire. */
export type ByteOrder = 'high-first' | 'low-first'

/** @returns 0..65535 */
export function wordOf(bytes: Uint8Array, order: ByteOrder): number {
  const [first = 0, second = 0] = bytes
  return order === 'high-first' ? (first << 8) | second : (second << 8) | first
}

export function bytesOf(word: number, order: ByteOrder): Uint8Array {
  const [high, low] = [(word >> 8) & 0xff, word & 0xff]
  return order === 'high-first' ? Uint8Array.of(high, low) : Uint8Array.of(low, high)
}

/** Two's complement. @returns -32768..32767 */
export const signed16 = (word: number): number => (word << 16) >> 16

/** @returns -128..127 */
export const signed8 = (byte: number): number => (byte << 24) >> 24

/** What a bus that nobody drives, or that somebody holds down, reads like. */
export const isBlank = (word: number): boolean => word === 0xffff || word === 0

/**
 * Whether what was read as words, one register after the other, are registers of a single byte: within a transfer such
 * a chip goes on to the next register, or repeats the one it was asked for.
 */
export function areBytes(words: readonly number[]): boolean {
  const bytes = words.map(word => ({ high: word >> 8, low: word & 0xff }))
  return (
    bytes.every(({ high, low }) => high === low) ||
    bytes.slice(1).every(({ high }, before) => high === bytes[before]?.low)
  )
}

export const hex = (word: number, digits = 4): string =>
  `0x${word.toString(16).padStart(digits, '0')}`

/** A chip whose registers are words. */
export class WordRegisters {
  readonly #device: I2cDevice
  readonly #chip: string
  readonly #order: ByteOrder

  /** @param chip its name, for messages */
  constructor(device: I2cDevice, chip: string, order: ByteOrder) {
    this.#device = device
    this.#chip = chip
    this.#order = order
  }

  async read(register: number): Promise<number> {
    const bytes = await again(() => this.#device.readRegister(register, 2))
    return wordOf(bytes, this.#order)
  }

  async write(register: number, word: number): Promise<void> {
    await again(() => this.#device.writeRegister(register, bytesOf(word, this.#order)))
  }

  /** Writes, and reads back. Throws DeviceError `device.absent` when the word was not kept. */
  async writeProven(register: number, word: number): Promise<void> {
    await this.write(register, word)
    const readBack = await this.read(register)
    if (readBack !== word) throw this.stranger(register, readBack)
  }

  /** What answers is something else. */
  stranger(register: number, word: number): DeviceError {
    const place = hex(this.#device.address, 2)
    const found = `register ${hex(register, 2)} reads ${hex(word)}`
    return new DeviceError(
      'device.absent',
      `what answers at ${place} is no ${this.#chip}: ${found}`,
    )
  }
}
