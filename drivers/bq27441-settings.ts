/**
 * What a BQ27441 must be told of its pack. It keeps that in volatile memory, and forgets it with the last of its supply.
 * Technical reference SLUUAC9A, section 3.1, step by step: unseal, enter CONFIG UPDATE, change the block, write its
 * checksum, leave by SOFT_RESET, seal again.
 */

import { DeviceError } from '../runtime/core/errors.js'
import { after } from '../runtime/core/time.js'
import { wait } from '../runtime/core/wait.js'
import type { Clock } from '../runtime/ports/clock.js'
import type { I2cDevice } from '../runtime/ports/host.js'
import { again } from './again.js'
import { hex, WordRegisters } from './i2c-words.js'

export interface PackSettings {
  /** What is printed on the pack. 100..8000 */
  readonly milliampHours: number
  /** At which the pack is empty. 2500..3700 */
  readonly emptyMillivolts: number
}

const Command = {
  control: 0x00,
  flags: 0x06,
  operationConfig: 0x3a,
  designCapacity: 0x3c,
  blockClass: 0x3e,
  block: 0x3f,
  blockData: 0x40,
  blockChecksum: 0x60,
  blockControl: 0x61,
} as const

const Subcommand = {
  status: 0x0000,
  batteryInsert: 0x000c,
  enterConfigUpdate: 0x0013,
  seal: 0x0020,
  softReset: 0x0042,
  unseal: 0x8000,
} as const

/** CONTROL_STATUS: SS. */
const SEALED = 0x2000
/** OpConfig: BIE, a pin tells whether there is a battery. */
const INSERTION_PIN = 0x2000
const Flag = { configUpdate: 0x0010, battery: 0x0008 } as const

/** "State" (82), and where in it the parameters are, each high byte first (5.3). */
const STATE_CLASS = 0x52
const Offset = { designCapacity: 10, designEnergy: 12, emptyVoltage: 16 } as const
/** Milliwatt hours to a milliamp hour, as the gauge itself has it. */
const NOMINAL_VOLTS = 3.7
/** "May take up to 1 second" (section 3.1, step 3). */
const MODE_MS_MAX = 2_000
const MODE_POLL_MS = 50
/** The gauge fetches a block, and takes one over. */
const BLOCK_MS = 5

/** 255 minus the sum of the block (section 3.1, step 11), from the checksum before and the bytes that change. */
export function blockChecksum(
  before: number,
  oldBytes: readonly number[],
  newBytes: readonly number[],
): number {
  const sum = (bytes: readonly number[]): number => bytes.reduce((total, byte) => total + byte, 0)
  return (before + sum(oldBytes) - sum(newBytes)) & 0xff
}

const highFirst = (word: number): readonly [number, number] => [(word >> 8) & 0xff, word & 0xff]

export class Bq27441Settings {
  readonly #device: I2cDevice
  readonly #registers: WordRegisters
  readonly #clock: Clock
  readonly #settings: PackSettings

  constructor(device: I2cDevice, clock: Clock, settings: PackSettings) {
    this.#device = device
    this.#registers = new WordRegisters(device, 'BQ27441', 'low-first')
    this.#clock = clock
    this.#settings = settings
  }

  /** The capacity tells: whoever wrote that wrote the others with it. */
  async areWritten(): Promise<boolean> {
    return (await this.#registers.read(Command.designCapacity)) === this.#settings.milliampHours
  }

  /** Somebody may have died while changing parameters: the gauge then does not gauge. */
  async leaveConfiguring(): Promise<void> {
    if ((await this.#registers.read(Command.flags)) & Flag.configUpdate) await this.#leave()
  }

  /** Where no pin tells that there is a battery, the host does (4.1.7). */
  async insertBattery(): Promise<void> {
    if ((await this.#registers.read(Command.flags)) & Flag.battery) return
    if ((await this.#registers.read(Command.operationConfig)) & INSERTION_PIN) return
    await this.#control(Subcommand.batteryInsert)
  }

  /** Leaves the gauge sealed if it was. Throws DeviceError `device.io` when it does not keep what was written. */
  async write(): Promise<void> {
    const isSealed = ((await this.#ask(Subcommand.status)) & SEALED) !== 0
    if (isSealed) await this.#unseal()
    await this.#control(Subcommand.enterConfigUpdate)
    await this.#until(Flag.configUpdate, Flag.configUpdate)
    try {
      await this.#writeBlock()
    } catch (error) {
      // The first failure is the one to report; a gauge that is left in this mode is helped out of it at its next start.
      await this.#leave().catch(() => {})
      throw error
    }
    await this.#leave()
    if (isSealed) await this.#control(Subcommand.seal)
  }

  /** Twice the same, and nothing in between (section 3.1, step 1). */
  async #unseal(): Promise<void> {
    await this.#control(Subcommand.unseal)
    await this.#control(Subcommand.unseal)
  }

  async #writeBlock(): Promise<void> {
    const { milliampHours, emptyMillivolts } = this.#settings
    const changes = [
      { offset: Offset.designCapacity, bytes: highFirst(milliampHours) },
      { offset: Offset.designEnergy, bytes: highFirst(Math.round(milliampHours * NOMINAL_VOLTS)) },
      { offset: Offset.emptyVoltage, bytes: highFirst(emptyMillivolts) },
    ]
    await this.#selectBlock()
    let checksum = await this.#byte(Command.blockChecksum)
    for (const { offset, bytes } of changes) {
      const old = await this.#device.readRegister(Command.blockData + offset, bytes.length)
      checksum = blockChecksum(checksum, [...old], bytes)
      await this.#writeBytes(Command.blockData + offset, ...bytes)
    }
    await this.#writeBytes(Command.blockChecksum, checksum)
    await wait(this.#clock, BLOCK_MS)
    await this.#selectBlock()
    const kept = await this.#byte(Command.blockChecksum)
    if (kept !== checksum)
      throw this.#failure(
        'device.io',
        `its settings were not kept: checksum ${hex(kept, 2)}, not ${hex(checksum, 2)}`,
      )
  }

  async #selectBlock(): Promise<void> {
    await this.#writeBytes(Command.blockControl, 0)
    await this.#writeBytes(Command.blockClass, STATE_CLASS)
    await this.#writeBytes(Command.block, 0)
    await wait(this.#clock, BLOCK_MS)
  }

  async #leave(): Promise<void> {
    await this.#control(Subcommand.softReset)
    await this.#until(Flag.configUpdate, 0)
  }

  /** Looks until the flag is as wanted. Throws DeviceError `device.timeout`. */
  async #until(mask: number, wanted: number): Promise<void> {
    const limit = after(this.#clock.monotonicMs(), MODE_MS_MAX)
    while (((await this.#registers.read(Command.flags)) & mask) !== wanted) {
      if (this.#clock.monotonicMs() >= limit)
        throw this.#failure('device.timeout', `no change of mode within ${MODE_MS_MAX} ms`)
      await wait(this.#clock, MODE_POLL_MS)
    }
  }

  #control(subcommand: number): Promise<void> {
    return this.#registers.write(Command.control, subcommand)
  }

  async #ask(subcommand: number): Promise<number> {
    await this.#control(subcommand)
    return this.#registers.read(Command.control)
  }

  async #byte(command: number): Promise<number> {
    const bytes = await again(() => this.#device.readRegister(command, 1))
    return bytes[0] ?? 0
  }

  async #writeBytes(command: number, ...bytes: readonly number[]): Promise<void> {
    await again(() => this.#device.writeRegister(command, Uint8Array.from(bytes)))
  }

  #failure(code: 'device.io' | 'device.timeout', what: string): DeviceError {
    return new DeviceError(code, `BQ27441 at ${hex(this.#device.address, 2)}: ${what}`)
  }
}
