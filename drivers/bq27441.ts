/**
 * TI BQ27441-G1, a fuel gauge for one lithium cell that counts charge through a shunt, on I2C at 0x55.
 * Technical reference SLUUAC9A: chapter 4 (commands), section 3.1 (how a parameter is changed), 5.3 (parameters).
 * All words low byte first. The gauge holds the clock line down while it is busy, up to 4 ms, which a Raspberry Pi's
 * I2C block bears badly: a slow bus, or `dtoverlay=i2c-gpio`.
 */
import { DeviceError } from '../runtime/core/errors.js'
import type { Clock } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import type { I2cDevice } from '../runtime/ports/host.js'
import { Bq27441Settings, type PackSettings } from './bq27441-settings.js'
import { cellCharge, cellVoltage, temperature } from './cell-limits.js'
import { ChipGauge, type GaugeChip } from './chip-gauge.js'
import { gaugeReading, type Known, known, troublesOf, unknown } from './gauge-reading.js'
import { hex, signed16, WordRegisters } from './i2c-words.js'
import { StandingValues } from './standing-values.js'

export const BQ27441_ADDRESS = 0x55

const Command = {
  control: 0x00,
  temperature: 0x02,
  voltage: 0x04,
  flags: 0x06,
  remainingCapacity: 0x0c,
  fullCapacity: 0x0e,
  averageCurrent: 0x10,
  stateOfCharge: 0x1c,
} as const

/** Two bytes written to Control() ask, two bytes read there answer. */
const DEVICE_TYPE = { subcommand: 0x0001, answer: 0x0421 } as const

/** The gauge takes less for rest. */
const CHARGING_MILLIAMPS_MIN = 10
/** A computer's current wanders by more than the gauge's one milliamp: see `stuckOf`. */
const LOADED_MILLIAMPS = 50
const CHARGE_MAX = 100
/** No cell has more: the parameter for it ends at 8000. */
const CAPACITY_MAX = 20_000

/** What the gauge says of itself: Flags() (4.4). */
export interface Bq27441Flags {
  /** ITPOR: it was reset, and knows no more than its read-only memory. */
  readonly wasReset: boolean
  /** CFGUPMODE: somebody is changing its parameters; it does not gauge. */
  readonly isBeingConfigured: boolean
  /** BAT_DET. */
  readonly hasBattery: boolean
  /** DSG. The bit beside FC, CHG, is no opposite of it: it tells that fast charging would be allowed. */
  readonly isDischarging: boolean
}

/** @param word command 0x06 */
export const flagsOf = (word: number): Bq27441Flags => ({
  wasReset: (word & 0x0020) !== 0,
  isBeingConfigured: (word & 0x0010) !== 0,
  hasBattery: (word & 0x0008) !== 0,
  isDischarging: (word & 0x0001) !== 0,
})

/** 0.1 K a step. @param word command 0x02 */
export const celsiusOf = (word: number): number => (word - 2731.5) / 10

/** Milliamps, two's complement; charging is positive. @param word command 0x10 */
export const milliampsOf = (word: number): number => signed16(word)

/** The current, unless it is at either end of what the word can hold. */
export const currentOf = (word: number): Known<number> =>
  word === 0x7fff || word === 0x8000 ? unknown('overflow') : known(milliampsOf(word))

/** Whether charge flows in: more than is taken for rest, and nothing said against it. */
export const chargingOf = (
  { value }: Known<number>,
  { isDischarging }: Bq27441Flags,
): boolean | null => (value === null ? null : !isDischarging && value >= CHARGING_MILLIAMPS_MIN)

/** The charge in percent, unless it cannot be. */
export const chargeOf = (word: number, cell: Known<number>): Known<number> =>
  word > CHARGE_MAX ? unknown('implausible') : cellCharge(word, cell)

/** Milliamp hours, unless no pack has so many. */
export const capacityOf = (word: number): Known<number> =>
  word > CAPACITY_MAX ? unknown('implausible') : known(word)

export interface Bq27441Options extends PackSettings {
  readonly name: string
}

export const bq27441 = (device: I2cDevice, clock: Clock, options: Bq27441Options): Gauge =>
  new ChipGauge(options.name, new Bq27441Chip(device, clock, options))

class Bq27441Chip implements GaugeChip {
  readonly packCount = 1
  readonly #device: I2cDevice
  readonly #registers: WordRegisters
  readonly #clock: Clock
  readonly #settings: Bq27441Settings
  readonly #standing = new StandingValues(LOADED_MILLIAMPS)
  /** Found out by `start`, told by the next reading. */
  #wasReset = false

  constructor(device: I2cDevice, clock: Clock, options: Bq27441Options) {
    this.#device = device
    this.#clock = clock
    this.#registers = new WordRegisters(device, 'BQ27441', 'low-first')
    this.#settings = new Bq27441Settings(device, clock, options)
  }

  /** Takes some seconds when the gauge must be told its pack. */
  async start(): Promise<void> {
    await this.#registers.write(Command.control, DEVICE_TYPE.subcommand)
    const type = await this.#registers.read(Command.control)
    if (type !== DEVICE_TYPE.answer)
      throw new DeviceError(
        'device.absent',
        `what answers at ${hex(this.#device.address, 2)} is no BQ27441: its device type is ${hex(type)}`,
      )
    await this.#settings.leaveConfiguring()
    const { wasReset } = flagsOf(await this.#registers.read(Command.flags))
    const isKnown = await this.#settings.areWritten()
    if (wasReset || !isKnown) await this.#settings.write()
    await this.#settings.insertBattery()
    // The flag stays until the gauge is configured, however long ago the reset was: it is news all the same.
    if (wasReset) this.#wasReset = true
  }

  /** Seven short transfers; some seconds more when the gauge was reset and must be told its pack. */
  async read(): Promise<readonly GaugeReading[]> {
    return [this.#standing.judge(await this.#reading())]
  }

  async #reading(): Promise<GaugeReading> {
    const word = await this.#registers.read(Command.flags)
    if (word === 0xffff) return this.#unknown('implausible')
    const flags = flagsOf(word)
    if (!flags.hasBattery) return this.#unknown('no-pack')
    if (flags.isBeingConfigured) return this.#unknown('not-ready')
    const measured = await this.#measure()
    if (!flags.wasReset) return this.#told(flags, measured)
    this.#wasReset = true
    await this.#settings.write()
    // What it makes of a pack that it took for another one is not worth telling.
    return this.#told(flags, { ...measured, charge: reset, remaining: reset, full: reset })
  }

  async #measure(): Promise<Measured> {
    const cell = cellVoltage(await this.#registers.read(Command.voltage))
    return {
      cell,
      current: currentOf(await this.#registers.read(Command.averageCurrent)),
      warmth: temperature(celsiusOf(await this.#registers.read(Command.temperature))),
      charge: chargeOf(await this.#registers.read(Command.stateOfCharge), cell),
      remaining: capacityOf(await this.#registers.read(Command.remainingCapacity)),
      full: capacityOf(await this.#registers.read(Command.fullCapacity)),
    }
  }

  #told(flags: Bq27441Flags, measured: Measured): GaugeReading {
    const { cell, current, warmth, charge, remaining, full } = measured
    const wasReset = this.#wasReset
    this.#wasReset = false
    return gaugeReading(this.#clock.monotonicMs(), {
      millivolts: cell.value,
      milliamps: current.value,
      percent: charge.value,
      celsius: warmth.value,
      // A count that goes with a charge that cannot be is as wrong as that.
      remainingMilliampHours: charge.value === null ? null : remaining.value,
      // No pack holds nothing when it is full.
      fullMilliampHours: full.value === 0 ? null : full.value,
      isCharging: chargingOf(current, flags),
      wasReset,
      troubles: troublesOf(
        { trouble: wasReset ? 'reset' : null },
        ...[cell, current, warmth, charge, remaining, full],
      ),
    })
  }

  #unknown(trouble: 'implausible' | 'no-pack' | 'not-ready'): GaugeReading {
    return gaugeReading(this.#clock.monotonicMs(), { troubles: [trouble] })
  }
}

interface Measured {
  readonly cell: Known<number>
  readonly current: Known<number>
  readonly warmth: Known<number>
  readonly charge: Known<number>
  readonly remaining: Known<number>
  readonly full: Known<number>
}

const reset = unknown('reset')
