/**
 * PiSugar 3 and 3 Plus: a battery board with a microcontroller of its own at 0x57.
 * Register facts from the vendor's "PiSugar3 I2C Datasheet" (docs.pisugar.com) and its driver pisugar-core/src/pisugar3.rs.
 * Both read one register at a time, and so does this: whether the firmware counts on within a transfer is not told.
 */
import { DeviceError } from '../runtime/core/errors.js'
import type { Clock } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import type { I2cDevice } from '../runtime/ports/host.js'
import { firmwareCharge } from './cell-limits.js'
import { ChipGauge, type GaugeChip } from './chip-gauge.js'
import { gaugeReading, type Known, known, troublesOf, unknown } from './gauge-reading.js'
import { HatRegisters } from './hat-registers.js'
import { StandingValues } from './standing-values.js'

const Register = {
  /** 3 for this generation. */
  version: 0x00,
  /** 0x0F while the application runs; something else in the boot loader. */
  mode: 0x01,
  control1: 0x02,
  /** Of the chip, not of the cell. */
  temperature: 0x04,
  /** Seconds from switching the output off to when it is off; firmware 1.0.6 and later. */
  offDelay: 0x09,
  /** 0x29 lets registers be written, anything else protects them; firmware 1.2.4 and later. */
  writeEnable: 0x0b,
  voltageHigh: 0x22,
  voltageLow: 0x23,
  percent: 0x2a,
  /** Text, ended by a zero, at most 15 characters. */
  firmware: 0xe2,
} as const

const VERSION = 3
const APPLICATION = 0x0f
const Control1 = { hasExternal: 0x80, mayCharge: 0x40, isOutputOn: 0x20 } as const
const WRITE_ENABLED = 0x29
const WRITE_PROTECTED = 0x00
const FIRMWARE_LENGTH_MAX = 15
/** A value that changes while it is read is read again, so often. */
const ROUNDS = 4
const MILLIVOLTS_MIN = 2_500
const MILLIVOLTS_MAX = 4_600
/** The vendor's own kernel module takes what is above for full. */
const PERCENT_MAX = 110

/** One lithium cell. All ones, or nothing at all, is no voltage. */
export function pisugarMillivolts(high: number, low: number): Known<number> {
  const millivolts = (high << 8) | low
  const isPossible = millivolts >= MILLIVOLTS_MIN && millivolts <= MILLIVOLTS_MAX
  return isPossible ? known(millivolts) : unknown('implausible')
}

export const pisugarPercent = (byte: number): Known<number> =>
  byte <= PERCENT_MAX ? known(byte) : unknown('implausible')

/** Zero stands for -40 degrees; the range ends at 85. */
export const pisugarCelsius = (byte: number): Known<number> =>
  byte <= 125 ? known(byte - 40) : unknown('implausible')

/** `1.2.4` is 10204. Null for what is no version. */
export function pisugarFirmware(text: string): number | null {
  const found = /(\d{1,2})\.(\d{1,2})\.(\d{1,2})/.exec(text)
  if (found === null) return null
  const [, major, minor, patch] = found
  return Number(major) * 10_000 + Number(minor) * 100 + Number(patch)
}

const FIRMWARE_WITH_DELAY = 10_006
const FIRMWARE_WITH_PROTECTION = 10_204

export interface PiSugar3Options {
  readonly name: string
  /** From `cutPower` until the output is off: longer than the machine takes to go down. 1..255, not exact. */
  readonly cutSeconds: number
}

export const piSugar3 = (device: I2cDevice, clock: Clock, options: PiSugar3Options): Gauge =>
  new ChipGauge(options.name, new PiSugar3Chip(device, clock, options))

class PiSugar3Chip implements GaugeChip {
  readonly packCount = 1
  readonly #registers: HatRegisters
  readonly #clock: Clock
  readonly #options: PiSugar3Options
  readonly #standing = new StandingValues(Number.POSITIVE_INFINITY)
  #firmware: number | null = null

  constructor(device: I2cDevice, clock: Clock, options: PiSugar3Options) {
    this.#registers = new HatRegisters(device, 'PiSugar 3')
    this.#clock = clock
    this.#options = options
  }

  async start(): Promise<void> {
    const version = await this.#registers.byte(Register.version)
    if (version !== VERSION) throw this.#registers.stranger(Register.version, version)
    const mode = await this.#registers.byte(Register.mode)
    if (mode !== APPLICATION)
      throw new DeviceError('device.io', `${this.#options.name}: the PiSugar is in its boot loader`)
    this.#firmware = pisugarFirmware(await this.#firmwareText())
  }

  async read(): Promise<readonly GaugeReading[]> {
    return [this.#standing.judge(await this.#read())]
  }

  /**
   * The output goes off after the delay, and comes back when power from outside does, as the board is set by itself.
   * False with firmware older than 1.0.6, or of an unknown version: writing to what was reserved then is forbidden.
   */
  async cutPower(): Promise<boolean> {
    const firmware = this.#firmware
    if (firmware === null || firmware < FIRMWARE_WITH_DELAY) return false
    const isProtected = firmware >= FIRMWARE_WITH_PROTECTION
    const control1 = await this.#steady(Register.control1)
    if (control1 === null) return false
    if (isProtected) await this.#registers.write(Register.writeEnable, WRITE_ENABLED)
    try {
      // In this order: the countdown begins when the output is switched off.
      await this.#registers.write(Register.offDelay, this.#options.cutSeconds)
      await this.#registers.write(Register.control1, control1 & ~Control1.isOutputOn)
    } finally {
      if (isProtected) await this.#registers.write(Register.writeEnable, WRITE_PROTECTED)
    }
    return true
  }

  async #read(): Promise<GaugeReading> {
    const at = this.#clock.monotonicMs()
    const control1 = await this.#steady(Register.control1)
    const millivolts = await this.#millivolts()
    const percent = firmwareCharge(
      pisugarPercent(await this.#registers.byte(Register.percent)),
      millivolts,
    )
    const celsius = pisugarCelsius(await this.#registers.byte(Register.temperature))
    const flags = control1 === null ? unknown('implausible') : known(control1)
    return gaugeReading(at, {
      millivolts: millivolts.value,
      percent: percent.value,
      celsius: celsius.value,
      isExternal: hasBits(flags, Control1.hasExternal),
      // The vendor's word for it: there is power, and it may charge. A full cell counts as well.
      isCharging: hasBits(flags, Control1.hasExternal | Control1.mayCharge),
      troubles: troublesOf(flags, millivolts, percent, celsius),
    })
  }

  /** Two registers, read one after the other: a step of the upper one in between would be a quarter of a volt. */
  async #millivolts(): Promise<Known<number>> {
    let high = await this.#registers.byte(Register.voltageHigh)
    for (let round = 0; round < ROUNDS; round++) {
      const low = await this.#registers.byte(Register.voltageLow)
      const highAgain = await this.#registers.byte(Register.voltageHigh)
      if (highAgain === high) return pisugarMillivolts(high, low)
      high = highAgain
    }
    return unknown('implausible')
  }

  /** Read twice and compared, as the vendor does. Null for what does not come to rest. */
  async #steady(register: number): Promise<number | null> {
    let value = await this.#registers.byte(register)
    for (let round = 0; round < ROUNDS; round++) {
      const valueAgain = await this.#registers.byte(register)
      // All ones is what a bus reads like that nobody answers on.
      if (valueAgain === value) return value === 0xff ? null : value
      value = valueAgain
    }
    return null
  }

  async #firmwareText(): Promise<string> {
    let text = ''
    for (let at = 0; at < FIRMWARE_LENGTH_MAX; at++) {
      const byte = await this.#registers.byte(Register.firmware + at)
      if (byte === 0) break
      text += String.fromCharCode(byte)
    }
    return text
  }
}

const hasBits = ({ value }: Known<number>, mask: number): boolean | null =>
  value === null ? null : (value & mask) === mask
