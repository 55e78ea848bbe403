/**
 * One simulated I2C bus: transfers wait their turn, take as long as the wire would, and can be made to fail.
 * A transfer is nine bit times per byte (eight bits and the acknowledge, NXP UM10204 section 3.1.5) and two for start
 * and stop.
 */

import { BusTimetable } from '../../runtime/core/bus-timetable.js'
import { ClockedWrites } from '../../runtime/core/clocked-writes.js'
import { DeviceError, type ErrorCode } from '../../runtime/core/errors.js'
import { BLOCK_BYTES_MAX, WRITES_MAX } from '../../runtime/core/planned-writes.js'
import { wait } from '../../runtime/core/wait.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { I2cDevice, PlannedWrites, RegisterWrite } from '../../runtime/ports/host.js'
import type { SimulatedChip } from './chips.js'

export interface SimulatedI2cBusOptions {
  readonly name: string
  readonly frequencyHz: number
  /** False: transfers take no time, so that a test of something else need not move the clock. */
  readonly isTimed: boolean
  /** Share of transfers that fail with `device.io`, 0..1. */
  readonly failureShare: number
  /** Numbers in [0, 1) that choose which. */
  readonly random: () => number
}

/** As a real host does: a bus that somebody holds down is given up after so long. */
const TRANSFER_MS_MAX = 100
const WAITING_MAX = 256
const BITS_PER_BYTE = 9
const START_STOP_BITS = 2

export class SimulatedI2cBus {
  readonly #clock: Clock
  readonly #options: SimulatedI2cBusOptions
  #timetable: BusTimetable
  readonly #chips = new Map<number, SimulatedChip>()
  readonly #lastWords = new Map<number, readonly RegisterWrite[]>()
  readonly #planned = new Map<number, ClockedWrites>()
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  readonly #failures: ErrorCode[] = []
  /** True: a chip holds the data line down, so every transfer fails with `device.stuck`. */
  isStuck = false
  /** How many times longer a transfer takes, at least 1: a chip that holds the clock line down (UM10204, 3.1.9). */
  stretch = 1
  /** How many transfers went over the wire, failed ones included. */
  transferCount = 0

  constructor(clock: Clock, options: SimulatedI2cBusOptions) {
    this.#clock = clock
    this.#options = options
    this.#timetable = new BusTimetable(clock)
  }

  plug(address: number, chip: SimulatedChip): void {
    this.#chips.set(address, chip)
  }

  chipAt(address: number): SimulatedChip | null {
    return this.#chips.get(address) ?? null
  }

  /** The next transfers fail, one per code given. */
  failNext(...codes: readonly ErrorCode[]): void {
    this.#failures.push(...codes)
  }

  /** Those that were asked for and have not happened do not happen. */
  failNoMore(): void {
    this.#failures.length = 0
  }

  device(address: number): I2cDevice {
    return {
      address,
      readRegister: async (register, byteCount) => {
        this.#requireBlock(byteCount)
        // The address travels twice: once to point at the register, once to read.
        return this.#transfer(address, byteCount + 3, chip => chip.read(register, byteCount))
      },
      writeRegister: async (register, bytes) => {
        this.#requireBlock(bytes.length)
        await this.#write(address, { register, bytes: new Uint8Array(bytes) })
      },
      setLastWords: async writes => this.#setLastWords(address, writes),
      reserve: (durationMs, until) => this.#timetable.reserve(address, durationMs, until),
      planWrites: async () => this.#planWrites(address),
    }
  }

  /** As a real machine does it, beside the queue. A chip that is not there hears nothing; what was planned is dropped. */
  carryOutLastWords(): void {
    for (const planned of this.#planned.values()) planned.dropAloud()
    if (this.isStuck) return
    for (const [address, writes] of this.#lastWords) {
      const chip = this.#chips.get(address)
      if (chip?.isPlugged) for (const { register, bytes } of writes) chip.write(register, bytes)
    }
  }

  /** What a dead process has said, and the time that it had set aside. */
  forgetLastWords(): void {
    for (const planned of this.#planned.values()) planned.drop()
    this.#planned.clear()
    this.#lastWords.clear()
    this.#timetable = new BusTimetable(this.#clock)
  }

  #setLastWords(address: number, writes: readonly RegisterWrite[] | null): void {
    if (writes === null) {
      this.#lastWords.delete(address)
      return
    }
    for (const { bytes } of writes) this.#requireBlock(bytes.length)
    if (writes.length < 1 || writes.length > WRITES_MAX)
      throw new DeviceError(
        'device.limit',
        `${this.#options.name}: last words are 1 to ${WRITES_MAX} writes`,
      )
    const copies = writes.map(({ register, bytes }) => ({
      register,
      bytes: Uint8Array.from(bytes),
    }))
    this.#lastWords.set(address, copies)
  }

  #planWrites(address: number): PlannedWrites {
    if (this.#planned.has(address))
      throw new DeviceError(
        'device.busy',
        `${this.#options.name}: writes to it are planned already`,
      )
    const planned = new ClockedWrites(this.#clock, write => this.#write(address, write), {
      source: 'firing',
      onClose: () => this.#planned.delete(address),
    })
    this.#planned.set(address, planned)
    return planned
  }

  #write(address: number, { register, bytes }: RegisterWrite): Promise<void> {
    return this.#transfer(address, bytes.length + 2, chip => chip.write(register, bytes))
  }

  #requireBlock(byteCount: number): void {
    if (!Number.isInteger(byteCount) || byteCount < 1 || byteCount > BLOCK_BYTES_MAX)
      throw new DeviceError(
        'device.limit',
        `${this.#options.name}: a transfer has 1 to ${BLOCK_BYTES_MAX} bytes, not ${byteCount}`,
      )
  }

  #transfer<T>(address: number, byteCount: number, act: (chip: SimulatedChip) => T): Promise<T> {
    if (this.#waiting >= WAITING_MAX)
      throw new DeviceError(
        'device.limit',
        `${this.#options.name}: ${WAITING_MAX} transfers wait already`,
      )
    this.#waiting++
    const turn = this.#last.then(async () => {
      try {
        return await this.#onTheWire(address, byteCount, act)
      } finally {
        this.#waiting--
      }
    })
    // The next transfer waits for this one's end, however it ends; whoever asked for this one hears of its failure.
    this.#last = turn.catch(() => {})
    return turn
  }

  async #onTheWire<T>(
    address: number,
    byteCount: number,
    act: (chip: SimulatedChip) => T,
  ): Promise<T> {
    this.transferCount++
    const chip = this.#chips.get(address)
    const isThere = chip?.isPlugged === true
    await this.#pass(this.isStuck ? TRANSFER_MS_MAX : this.#wireMs(isThere ? byteCount : 1))
    const failure = this.#failure()
    if (failure) throw failure
    if (!(chip?.isPlugged && isThere))
      throw new DeviceError(
        'device.absent',
        `${this.#options.name}: nothing answers at 0x${address.toString(16)}`,
      )
    return act(chip)
  }

  #failure(): DeviceError | null {
    const { name, failureShare, random } = this.#options
    if (this.isStuck) return new DeviceError('device.stuck', `${name}: the data line is held down`)
    const asked = this.#failures.shift()
    if (asked) return new DeviceError(asked, `${name}: made to fail`)
    if (failureShare > 0 && random() < failureShare)
      return new DeviceError('device.io', `${name}: the transfer was not acknowledged`)
    return null
  }

  #wireMs(byteCount: number): number {
    const bits = byteCount * BITS_PER_BYTE + START_STOP_BITS
    return (bits * this.stretch * 1000) / this.#options.frequencyHz
  }

  async #pass(durationMs: number): Promise<void> {
    if (this.#options.isTimed) await wait(this.#clock, durationMs)
  }
}
