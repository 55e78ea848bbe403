/**
 * TI INA3221, three voltages and the drops across three shunts, on I2C.
 * Data sheet SBOS576B: 8.6.2 (registers). All words high byte first. It has no current register: nothing to calibrate.
 */
import type { Clock } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import type { I2cDevice } from '../runtime/ports/host.js'
import { ChipGauge, type GaugeChip } from './chip-gauge.js'
import { atLeast, type Known, known, unknown } from './gauge-reading.js'
import { isBlank, signed16, WordRegisters } from './i2c-words.js'
import { type Measurement, type Shunt, type ShuntChip, ShuntGauge } from './shunt-gauge.js'

/** As printed on the boards. */
export type Ina3221Channel = 1 | 2 | 3

const Register = {
  configuration: 0x00,
  shuntVoltage: { 1: 0x01, 2: 0x03, 3: 0x05 },
  busVoltage: { 1: 0x02, 2: 0x04, 3: 0x06 },
  /** Alerts, and CVRF in bit 0. Reading it clears them. */
  maskEnable: 0x0f,
  manufacturer: 0xfe,
  die: 0xff,
} as const

const TEXAS_INSTRUMENTS = 0x5449
const DIE = 0x3220

/**
 * 64 samples of 1.1 ms each, bus and shunt of every channel that is used, without end: AVG b11..9, VBUSCT b8..6,
 * VSHCT b5..3, MODE b2..0 (8.6.2.1). Never what the chip has after a reset, which is 0x7127.
 */
const CONFIGURATION = 0x0727
/** CH1en to CH3en. */
const ENABLE = { 1: 0x4000, 2: 0x2000, 3: 0x1000 } as const
/** The value stands in the upper 13 bits; those below are "reserved" and read 0. */
const RESERVED = 0x0007
const COUNT_MAX = 4095

/** Section 8.6.2.2: two's complement in the upper 13 bits. @param word register 0x01, 0x03 or 0x05 */
export const shuntMicrovolts = (word: number): number => (signed16(word) >> 3) * 40

/** Section 8.6.2.3: two's complement in the upper 13 bits. @param word register 0x02, 0x04 or 0x06 */
export const busMillivolts = (word: number): number => (signed16(word) >> 3) * 8

/** CVRF: a conversion of all channels has ended since this was last read. @param mask register 0x0f */
export const isConverted = (mask: number): boolean => (mask & 0x0001) !== 0

/** The drop, which may be more at either end of the range, 163.8 mV, unless it is nothing that this chip can say. */
export function shuntDrop(word: number): Known<number> {
  if (word & RESERVED) return unknown('implausible')
  const isAtEnd = Math.abs(signed16(word) >> 3) >= COUNT_MAX
  return isAtEnd ? atLeast(shuntMicrovolts(word)) : known(shuntMicrovolts(word))
}

/** The voltage, unless it is at the end of the range, 32.76 V, or nothing that this chip can say. */
export function busVoltage(word: number): Known<number> {
  if (word & RESERVED) return unknown('implausible')
  const isAtEnd = Math.abs(signed16(word) >> 3) >= COUNT_MAX
  return isAtEnd ? unknown('overflow') : known(busMillivolts(word))
}

export interface Ina3221Options extends Shunt {
  readonly name: string
  /** Where packs are connected, in the order of the readings. */
  readonly packChannels: readonly Ina3221Channel[]
  /** Where power from outside comes in; null: not on this chip. */
  readonly externalChannel: Ina3221Channel | null
  /** It is there from so much on. */
  readonly externalMillivoltsMin: number
}

export const ina3221 = (device: I2cDevice, clock: Clock, options: Ina3221Options): Gauge =>
  new ChipGauge(options.name, new Ina3221Packs(device, clock, options))

/** The packs among its channels; another one may watch what comes from outside. */
class Ina3221Packs implements GaugeChip {
  readonly packCount: number
  readonly #gauge: ShuntGauge
  readonly #options: Ina3221Options

  constructor(device: I2cDevice, clock: Clock, options: Ina3221Options) {
    this.packCount = options.packChannels.length
    this.#options = options
    const { packChannels, externalChannel } = options
    const channels = externalChannel === null ? packChannels : [...packChannels, externalChannel]
    const chip = new Ina3221Chip(device, channels)
    this.#gauge = new ShuntGauge(
      clock,
      chip,
      channels.map(() => options),
    )
  }

  async start(): Promise<void> {
    await this.#gauge.start()
  }

  /** Four to eight short transfers. */
  async read(): Promise<readonly GaugeReading[]> {
    const readings = await this.#gauge.read()
    const packs = readings.slice(0, this.packCount)
    const external = readings[this.packCount]
    if (external === undefined) return packs
    const isExternal = isThere(external, this.#options.externalMillivoltsMin)
    return packs.map(reading => ({ ...reading, isExternal }))
  }
}

class Ina3221Chip implements ShuntChip {
  readonly offsetMicrovoltsMax = 80
  readonly loadedMicrovolts = 2_000
  readonly #registers: WordRegisters
  readonly #channels: readonly Ina3221Channel[]
  readonly #configuration: number

  constructor(device: I2cDevice, channels: readonly Ina3221Channel[]) {
    this.#registers = new WordRegisters(device, 'INA3221', 'high-first')
    this.#channels = channels
    this.#configuration = channels.reduce((word, channel) => word | ENABLE[channel], CONFIGURATION)
  }

  async prove(): Promise<void> {
    const manufacturer = await this.#registers.read(Register.manufacturer)
    if (manufacturer !== TEXAS_INSTRUMENTS)
      throw this.#registers.stranger(Register.manufacturer, manufacturer)
    const die = await this.#registers.read(Register.die)
    if (die !== DIE) throw this.#registers.stranger(Register.die, die)
  }

  async isConfigured(): Promise<boolean | null> {
    const configuration = await this.#registers.read(Register.configuration)
    return isBlank(configuration) ? null : configuration === this.#configuration
  }

  /** Writing the configuration clears CVRF. */
  async configure(): Promise<void> {
    await this.#registers.writeProven(Register.configuration, this.#configuration)
  }

  async measure(): Promise<Measurement> {
    const mask = await this.#registers.read(Register.maskEnable)
    const words: number[] = []
    for (const channel of this.#channels) {
      words.push(await this.#registers.read(Register.busVoltage[channel]))
      words.push(await this.#registers.read(Register.shuntVoltage[channel]))
    }
    return {
      isReady: isConverted(mask),
      words,
      channels: this.#channels.map((_, index) => ({
        millivolts: busVoltage(words[2 * index] ?? 0),
        microvolts: shuntDrop(words[2 * index + 1] ?? 0),
        isZero: words[2 * index] === 0,
      })),
    }
  }
}

/** Nothing at the input is an answer, too; a reading that is not known is none. */
function isThere({ millivolts, troubles }: GaugeReading, millivoltsMin: number): boolean | null {
  if (millivolts !== null) return millivolts >= millivoltsMin
  return troubles.includes('no-pack') ? false : null
}
