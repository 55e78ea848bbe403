/**
 * Waveshare UPS HAT (E): four lithium cells in series, watched by a microcontroller at 0x2D that passes on what a BQ4050
 * gauge and an IP2368 charger say. Registers from the vendor's wiki page "UPS HAT (E) Register" (the revision that gives
 * the low byte first); what it leaves open was compared with the independent drivers waveshare-ups-hat-e (Rust) and
 * ha-ups-hat-e (Python), which agree.
 */
import type { Clock } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import type { I2cDevice } from '../runtime/ports/host.js'
import { firmwareCharge } from './cell-limits.js'
import { ChipGauge, type GaugeChip } from './chip-gauge.js'
import { gaugeReading, type Known, known, troublesOf, unknown } from './gauge-reading.js'
import { HatRegisters } from './hat-registers.js'
import { signed16, wordOf } from './i2c-words.js'
import { StandingValues } from './standing-values.js'

const Register = {
  /** Always 0x0A. */
  identity: 0x00,
  /** 0x55 cuts the power some 30 seconds later, and lets it come back with the charger. It cannot be taken back. */
  powerOff: 0x01,
  /** b7 charging, b5 USB-C power, b2..0 the charger's phase; then 0x03: b1 the gauge answers, b0 the charger does. */
  charging: 0x02,
  /** Twelve bytes: mV, mA, percent, mAh, minutes to empty, minutes to full. */
  battery: 0x20,
  /** Eight bytes: mV of the four cells. */
  cells: 0x30,
} as const

const IDENTITY = 0x0a
const POWER_OFF = 0x55
const Charging = { isCharging: 0x80, hasExternal: 0x20 } as const
const Link = { gauge: 0x02, charger: 0x01 } as const
const CELLS = 4
const CELL_MILLIVOLTS_MIN = 2_000
const CELL_MILLIVOLTS_MAX = 4_400
/** Pack and cells are measured one after the other; the load changes between. Beyond it one of the two is wrong. */
const PACK_TOLERANCE_MILLIVOLTS = 600
/** Fifty steps of what the gauge tells: more cannot stand still. */
const LOADED_MILLIAMPS = 50
const UNKNOWN_WORD = 0xffff
const PERCENT_MAX = 100
const MINUTES_MAX = 60 * 24 * 30

export interface WaveshareBattery {
  readonly millivolts: Known<number>
  readonly milliamps: Known<number>
  readonly percent: Known<number>
  readonly remainingMilliampHours: Known<number>
  /** While it discharges. */
  readonly secondsToEmpty: number | null
}

/** @param bytes the twelve from 0x20 on; @param cells the eight from 0x30 on */
export function waveshareBattery(bytes: Uint8Array, cells: Uint8Array): WaveshareBattery {
  const word = (at: number): number => wordOf(bytes.subarray(at, at + 2), 'low-first')
  // All ones: nobody has written the block, rather than a battery that takes one milliamp.
  const isBlank = bytes.every(byte => byte === 0xff)
  const milliamps = isBlank ? unknown('implausible') : known(signed16(word(2)))
  const minutes = word(8)
  const isDischarging = milliamps.value !== null && milliamps.value < 0
  const millivolts = packMillivolts(word(0), cellMillivolts(cells))
  const percent = word(4) <= PERCENT_MAX ? known(word(4)) : unknown('implausible')
  return {
    millivolts,
    milliamps,
    percent: firmwareCharge(percent, ofOneCell(millivolts)),
    remainingMilliampHours: word(6) === UNKNOWN_WORD ? unknown('implausible') : known(word(6)),
    secondsToEmpty: isDischarging && minutes <= MINUTES_MAX ? minutes * 60 : null,
  }
}

export const cellMillivolts = (bytes: Uint8Array): readonly number[] =>
  Array.from({ length: CELLS }, (_, cell) =>
    wordOf(bytes.subarray(cell * 2, cell * 2 + 2), 'low-first'),
  )

const isCell = (millivolts: number): boolean =>
  millivolts >= CELL_MILLIVOLTS_MIN && millivolts <= CELL_MILLIVOLTS_MAX

/** Cells that are all zero were not told: the pack stands alone then. */
function packMillivolts(pack: number, cells: readonly number[]): Known<number> {
  const sum = cells.reduce((total, cell) => total + cell, 0)
  const isSum = cells.every(isCell) && Math.abs(pack - sum) <= PACK_TOLERANCE_MILLIVOLTS
  return isCell(pack / CELLS) && (isSum || sum === 0) ? known(pack) : unknown('implausible')
}

const ofOneCell = (pack: Known<number>): Known<number> =>
  pack.value === null ? pack : known(pack.value / CELLS)

export interface WaveshareUpsEOptions {
  readonly name: string
}

export const waveshareUpsE = (
  device: I2cDevice,
  clock: Clock,
  options: WaveshareUpsEOptions,
): Gauge => new ChipGauge(options.name, new WaveshareUpsEChip(device, clock, options))

class WaveshareUpsEChip implements GaugeChip {
  readonly packCount = 1
  readonly #registers: HatRegisters
  readonly #clock: Clock
  readonly #standing = new StandingValues(LOADED_MILLIAMPS)

  constructor(device: I2cDevice, clock: Clock, _options: WaveshareUpsEOptions) {
    this.#registers = new HatRegisters(device, 'UPS HAT (E)')
    this.#clock = clock
  }

  async start(): Promise<void> {
    const identity = await this.#registers.byte(Register.identity)
    if (identity !== IDENTITY) throw this.#registers.stranger(Register.identity, identity)
  }

  async read(): Promise<readonly GaugeReading[]> {
    return [this.#standing.judge(await this.#read())]
  }

  async cutPower(): Promise<boolean> {
    await this.#registers.write(Register.powerOff, POWER_OFF)
    return (await this.#registers.byte(Register.powerOff)) === POWER_OFF
  }

  async #read(): Promise<GaugeReading> {
    const at = this.#clock.monotonicMs()
    const [charging = 0, link = 0] = await this.#registers.block(Register.charging, 2)
    // The other bits are always 0: all ones is a bus that nobody answers on.
    const isLinkKnown = link <= (Link.gauge | Link.charger)
    const hasCharger = isLinkKnown && (link & Link.charger) !== 0
    const flags = {
      isExternal: hasCharger ? (charging & Charging.hasExternal) !== 0 : null,
      isCharging: hasCharger ? (charging & Charging.isCharging) !== 0 : null,
    }
    if (!isLinkKnown || (link & Link.gauge) === 0)
      return gaugeReading(at, { ...flags, troubles: ['not-ready'] })
    const battery = waveshareBattery(
      await this.#registers.block(Register.battery, 12),
      await this.#registers.block(Register.cells, 8),
    )
    const { millivolts, milliamps, percent, remainingMilliampHours, secondsToEmpty } = battery
    return gaugeReading(at, {
      ...flags,
      millivolts: millivolts.value,
      milliamps: milliamps.value,
      percent: percent.value,
      remainingMilliampHours: remainingMilliampHours.value,
      secondsToEmpty,
      troubles: [
        ...(hasCharger ? [] : (['not-ready'] as const)),
        ...troublesOf(millivolts, milliamps, percent, remainingMilliampHours),
      ],
    })
  }
}
