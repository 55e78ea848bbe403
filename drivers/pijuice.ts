/**
 * PiJuice and PiJuice Zero: a battery board with a microcontroller at 0x14.
 * Commands and scales from the vendor's pijuice.py and its firmware (Sources-V1.6, command_server.c): an answer is the
 * data and a checksum, 0xFF and all bytes exclusive-ored.
 */
import { DeviceError } from '../runtime/core/errors.js'
import type { Clock } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import type { I2cDevice } from '../runtime/ports/host.js'
import { again } from './again.js'
import { firmwareCharge } from './cell-limits.js'
import { ChipGauge, type GaugeChip } from './chip-gauge.js'
import { gaugeReading, type Known, known, troublesOf, unknown } from './gauge-reading.js'
import { hex, signed8, signed16, wordOf } from './i2c-words.js'
import { StandingValues } from './standing-values.js'

const Command = {
  /** b3..2 battery, b5..4 the board's own input, b7..6 the computer's 5 V. */
  status: 0x40,
  chargePercent: 0x41,
  /** Degrees Celsius in the first byte; the second is always 0xFF. */
  temperature: 0x47,
  batteryMillivolts: 0x49,
  batteryMilliamps: 0x4b,
  /** Seconds until the 5 V output is switched off, 0..250; 255: never. */
  powerOff: 0x62,
  firmware: 0xfd,
} as const

const NO_BATTERY = 3
const CHARGING_FROM_INPUT = 1
const CHARGING_FROM_5V = 2
/** Weak: it is used, but does not carry the load alone. Bad, which is less, is not used. */
const WEAK = 2
const MILLIVOLTS_MIN = 2_000
const MILLIVOLTS_MAX = 5_000
/** 2.5 A at 5 V out of an empty cell, with what the converter loses, and some. */
const MILLIAMPS_MAX = 6_000
const PERCENT_MAX = 100
const CELSIUS_MIN = -40
const CELSIUS_MAX = 100

/** Of the data, or of what is to be written. */
export const pijuiceChecksum = (bytes: Uint8Array): number =>
  bytes.reduce((sum, byte) => sum ^ byte, 0xff)

/**
 * The data of an answer. The highest bit of its first byte is now and then read as 0 where it is 1, a fault that the
 * vendor's own program repairs, too: with the bit set, the checksum is right.
 * @returns null for an answer that is wrong otherwise
 */
export function pijuiceAnswer(bytes: Uint8Array): Uint8Array | null {
  const data = bytes.slice(0, -1)
  const checksum = bytes[bytes.length - 1]
  if (pijuiceChecksum(data) === checksum) return data
  data[0] = (data[0] ?? 0) | 0x80
  return pijuiceChecksum(data) === checksum ? data : null
}

export interface PijuiceStatus {
  readonly hasBattery: boolean
  readonly isExternal: boolean
  readonly isCharging: boolean
}

export function pijuiceStatus(byte: number): PijuiceStatus {
  const battery = (byte >> 2) & 3
  const inputs = [(byte >> 4) & 3, (byte >> 6) & 3]
  return {
    hasBattery: battery !== NO_BATTERY,
    isExternal: inputs.some(input => input >= WEAK),
    isCharging: battery === CHARGING_FROM_INPUT || battery === CHARGING_FROM_5V,
  }
}

export function pijuiceMillivolts(bytes: Uint8Array): Known<number> {
  const millivolts = wordOf(bytes, 'low-first')
  const isPossible = millivolts >= MILLIVOLTS_MIN && millivolts <= MILLIVOLTS_MAX
  return isPossible ? known(millivolts) : unknown('implausible')
}

/**
 * The firmware counts what leaves the battery as positive (fuel_gauge_lc709203f.c: `prevRsoc - batteryRsoc`;
 * PiSupply/PiJuice#552). It does not measure it, but works it out from how the charge changes.
 */
export const pijuiceMilliamps = (bytes: Uint8Array): number => {
  const out = signed16(wordOf(bytes, 'low-first'))
  return out === 0 ? 0 : -out
}

/** The current, unless the firmware has worked out what the board cannot carry: 26 A after a plug was pulled (#287). */
export function pijuiceCurrent(bytes: Uint8Array): Known<number> {
  const milliamps = pijuiceMilliamps(bytes)
  return Math.abs(milliamps) <= MILLIAMPS_MAX ? known(milliamps) : unknown('implausible')
}

export function pijuiceCelsius(bytes: Uint8Array): Known<number> {
  const celsius = signed8(bytes[0] ?? 0)
  return celsius >= CELSIUS_MIN && celsius <= CELSIUS_MAX ? known(celsius) : unknown('implausible')
}

export const pijuicePercent = (byte: number): Known<number> =>
  byte <= PERCENT_MAX ? known(byte) : unknown('implausible')

export interface PijuiceOptions {
  readonly name: string
  /** From `cutPower` until the output is off: longer than the machine takes to go down. 1..250 */
  readonly cutSeconds: number
}

export const pijuice = (device: I2cDevice, clock: Clock, options: PijuiceOptions): Gauge =>
  new ChipGauge(options.name, new PijuiceChip(device, clock, options))

class PijuiceChip implements GaugeChip {
  readonly packCount = 1
  readonly #device: I2cDevice
  readonly #clock: Clock
  /** The current is no measurement, so that it proves nothing by standing still. */
  readonly #standing = new StandingValues(Number.POSITIVE_INFINITY)
  readonly #options: PijuiceOptions

  constructor(device: I2cDevice, clock: Clock, options: PijuiceOptions) {
    this.#device = device
    this.#clock = clock
    this.#options = options
  }

  /** Two answers with right checksums: another chip's would have to be right by chance. */
  async start(): Promise<void> {
    await this.#prove(Command.firmware, 2)
    await this.#prove(Command.status, 1)
  }

  async read(): Promise<readonly GaugeReading[]> {
    return [this.#standing.judge(await this.#read())]
  }

  /** Whether it comes back with power from outside is set on the board (wake-up on charge), not here. */
  async cutPower(): Promise<boolean> {
    const delay = Uint8Array.of(this.#options.cutSeconds)
    const written = Uint8Array.of(...delay, pijuiceChecksum(delay))
    await again(() => this.#device.writeRegister(Command.powerOff, written))
    const [left = 0] = await this.#ask(Command.powerOff, 1)
    return left <= this.#options.cutSeconds
  }

  async #read(): Promise<GaugeReading> {
    const at = this.#clock.monotonicMs()
    const status = pijuiceStatus((await this.#ask(Command.status, 1))[0] ?? 0)
    const { isExternal, isCharging } = status
    if (!status.hasBattery)
      return gaugeReading(at, { isExternal, isCharging: false, troubles: ['no-pack'] })
    const told = pijuicePercent((await this.#ask(Command.chargePercent, 1))[0] ?? 0)
    const millivolts = pijuiceMillivolts(await this.#ask(Command.batteryMillivolts, 2))
    const percent = firmwareCharge(told, millivolts)
    const milliamps = pijuiceCurrent(await this.#ask(Command.batteryMilliamps, 2))
    const celsius = pijuiceCelsius(await this.#ask(Command.temperature, 2))
    return gaugeReading(at, {
      millivolts: millivolts.value,
      milliamps: milliamps.value,
      percent: percent.value,
      celsius: celsius.value,
      isExternal,
      isCharging,
      troubles: troublesOf(millivolts, milliamps, percent, celsius),
    })
  }

  async #prove(command: number, byteCount: number): Promise<void> {
    try {
      await this.#ask(command, byteCount)
    } catch (cause) {
      if (!(cause instanceof DeviceError) || cause.code !== 'device.io') throw cause
      const place = hex(this.#device.address, 2)
      throw new DeviceError('device.absent', `what answers at ${place} is no PiJuice`, { cause })
    }
  }

  /** A disturbed answer is asked for again. */
  #ask(command: number, byteCount: number): Promise<Uint8Array> {
    return again(async () => {
      const answer = pijuiceAnswer(await this.#device.readRegister(command, byteCount + 1))
      if (answer !== null) return answer
      throw new DeviceError(
        'device.io',
        `${this.#options.name}: command ${hex(command, 2)}: wrong checksum`,
      )
    })
  }
}
