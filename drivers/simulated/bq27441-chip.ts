/**
 * A BQ27441-G1 made of memory: commands, seal, CONFIG UPDATE mode and data blocks as TI's technical reference (SLUUAC9A)
 * tells them, and the truth they follow from.
 */
import { monotonicMs } from '../../runtime/core/time.js'
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { SimulatedChip } from './chips.js'
import { type PackTruth, packAtRest } from './pack-truth.js'
import { clamp, type Pattern, patternBytes, wordOfSigned } from './word-bus.js'

const Command = {
  control: 0x00,
  temperature: 0x02,
  voltage: 0x04,
  flags: 0x06,
  remaining: 0x0c,
  full: 0x0e,
  current: 0x10,
  charge: 0x1c,
  operationConfig: 0x3a,
  designCapacity: 0x3c,
  blockClass: 0x3e,
  block: 0x3f,
  blockData: 0x40,
  blockChecksum: 0x60,
} as const

const Flag = { reset: 0x20, configUpdate: 0x10, battery: 0x08, discharging: 0x01 } as const
const Subcommand = {
  status: 0x0000,
  deviceType: 0x0001,
  batteryInsert: 0x000c,
  enterConfigUpdate: 0x0013,
  seal: 0x0020,
  softReset: 0x0042,
  unseal: 0x8000,
} as const

const DEVICE_TYPE = 0x0421
const SEALED = 0x2000
const STATE_CLASS = 0x52
const BLOCK_LENGTH = 32
/** Entering and leaving CONFIG UPDATE "may take up to 1 second". */
const MODE_MS = 300
/** Design capacity 1340 mAh, design energy 4960 mWh, terminate voltage 3200 mV. */
const STATE_AFTER_RESET: readonly (readonly [offset: number, word: number])[] = [
  [10, 1340],
  [12, 4960],
  [16, 3200],
]

export class Bq27441Chip implements SimulatedChip {
  isPlugged = true
  pattern: Pattern = null
  /** True: it tells what it told before. */
  isStuck = false
  hasBattery = true
  /** OpConfig: BIE. */
  hasInsertionPin = true
  /** True: a block that is written is not kept. */
  isForgetful = false
  readonly truth: PackTruth
  readonly #clock: Clock
  readonly #registers = new Uint8Array(256)
  readonly #state = new Uint8Array(BLOCK_LENGTH)
  #flags = 0
  #isSealed = true
  #unsealKeys = 0
  #modeDue: { readonly at: MonotonicMs; readonly isConfiguring: boolean } | null = null
  /** How often somebody changed its parameters. */
  configurations = 0

  constructor(clock: Clock, truth: PackTruth = packAtRest()) {
    this.#clock = clock
    this.truth = truth
    this.reset()
  }

  /** What a loss of supply does. */
  reset(): void {
    this.#registers.fill(0)
    this.#state.fill(0)
    for (const [offset, word] of STATE_AFTER_RESET) this.#setState(offset, word)
    this.#flags = Flag.reset
    this.#isSealed = true
    this.#modeDue = null
  }

  get isSealed(): boolean {
    return this.#isSealed
  }

  get isConfiguring(): boolean {
    this.#change()
    return (this.#flags & Flag.configUpdate) !== 0
  }

  /** A parameter of the class State. */
  parameter(offset: number): number {
    return ((this.#state[offset] ?? 0) << 8) | (this.#state[offset + 1] ?? 0)
  }

  read(register: number, byteCount: number): Uint8Array {
    if (this.pattern !== null) return patternBytes(this.pattern, byteCount)
    this.#change()
    this.#measure()
    return Uint8Array.from({ length: byteCount }, (_, at) => this.#registers[register + at] ?? 0)
  }

  write(register: number, bytes: Uint8Array): void {
    this.#change()
    if (register === Command.control) this.#control(((bytes[1] ?? 0) << 8) | (bytes[0] ?? 0))
    else if (register >= Command.blockClass) this.#writeBlock(register, bytes)
  }

  /** For a test that wants a word no pack makes. */
  force(command: number, word: number): void {
    this.isStuck = true
    this.#set(command, word)
  }

  #control(subcommand: number): void {
    this.#unsealKeys = subcommand === Subcommand.unseal ? this.#unsealKeys + 1 : 0
    if (this.#unsealKeys === 2) this.#isSealed = false
    if (subcommand === Subcommand.status) this.#set(Command.control, this.#isSealed ? SEALED : 0)
    if (subcommand === Subcommand.deviceType) this.#set(Command.control, DEVICE_TYPE)
    if (subcommand === Subcommand.batteryInsert && !this.hasInsertionPin) this.hasBattery = true
    if (this.#isSealed) return
    if (subcommand === Subcommand.seal) this.#isSealed = true
    if (subcommand === Subcommand.enterConfigUpdate) this.#changeMode(true)
    if (subcommand === Subcommand.softReset) this.#changeMode(false)
  }

  #changeMode(isConfiguring: boolean): void {
    const at = monotonicMs(this.#clock.monotonicMs() + MODE_MS)
    this.#modeDue = { at, isConfiguring }
  }

  #change(): void {
    const due = this.#modeDue
    if (due === null || this.#clock.monotonicMs() < due.at) return
    this.#modeDue = null
    // SOFT_RESET ends what the reset began.
    this.#flags = due.isConfiguring ? this.#flags | Flag.configUpdate : 0
  }

  #writeBlock(register: number, bytes: Uint8Array): void {
    if (this.#isSealed || !this.isConfiguring) return
    this.#registers.set(bytes, register)
    if (register === Command.block) this.#loadBlock()
    if (register !== Command.blockChecksum || bytes[0] !== this.#sum()) return
    this.configurations++
    if (!this.isForgetful)
      this.#state.set(this.#registers.subarray(Command.blockData, Command.blockData + BLOCK_LENGTH))
  }

  #loadBlock(): void {
    const isState = this.#registers[Command.blockClass] === STATE_CLASS
    const isFirst = this.#registers[Command.block] === 0
    this.#registers.set(
      isState && isFirst ? this.#state : new Uint8Array(BLOCK_LENGTH),
      Command.blockData,
    )
    this.#registers[Command.blockChecksum] = this.#sum()
  }

  #sum(): number {
    const block = this.#registers.subarray(Command.blockData, Command.blockData + BLOCK_LENGTH)
    return 255 - (block.reduce((sum, byte) => sum + byte, 0) & 0xff)
  }

  #setState(offset: number, word: number): void {
    this.#state[offset] = word >> 8
    this.#state[offset + 1] = word & 0xff
  }

  #set(command: number, word: number): void {
    this.#registers[command] = word & 0xff
    this.#registers[command + 1] = (word >> 8) & 0xff
  }

  #measure(): void {
    this.#set(Command.designCapacity, this.parameter(10))
    this.#set(Command.operationConfig, this.hasInsertionPin ? 0x25f8 : 0x05f8)
    const discharging = this.truth.milliamps < 0 ? Flag.discharging : 0
    this.#set(Command.flags, this.#flags | discharging | (this.hasBattery ? Flag.battery : 0))
    if (this.isStuck) return
    const { millivolts, milliamps, percent, celsius } = this.truth
    const full = this.parameter(10)
    this.#set(Command.voltage, clamp(Math.round(millivolts), 0, 0xffff))
    this.#set(Command.current, wordOfSigned(clamp(Math.round(milliamps), -0x8000, 0x7fff)))
    this.#set(Command.temperature, Math.round((celsius + 273.15) * 10))
    this.#set(Command.charge, clamp(Math.round(percent), 0, 100))
    this.#set(Command.full, full)
    this.#set(Command.remaining, Math.round((full * percent) / 100))
  }
}
