/**
 * Maxim MAX17040, 41, 43, 44 and MAX17048, 49: fuel gauges that know a cell by its voltage, on I2C at 0x36.
 * Data sheets 19-5210 (MAX17040/41), 19-4811 (MAX17043/44), 19-6171 Rev. 7 (MAX17048/49, section "Register Summary").
 * All words high byte first.
 *
 * Quick-start is never issued: it throws away what the gauge has learned of the cell since it was connected.
 * Hibernation is the chip's own affair.
 */
import type { Clock } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import type { I2cDevice } from '../runtime/ports/host.js'
import { cellCharge, cellVoltage } from './cell-limits.js'
import { ChipGauge, type GaugeChip } from './chip-gauge.js'
import { gaugeReading, troublesOf, unknown } from './gauge-reading.js'
import { isBlank, signed16, WordRegisters } from './i2c-words.js'
import { StandingValues } from './standing-values.js'

/** Every chip of the two families. */
export const MAX1704X_ADDRESS = 0x36

const Register = {
  /** Of one cell. */
  vcell: 0x02,
  soc: 0x04,
  version: 0x08,
  /** RCOMP in the high byte; SLEEP b7, ALRT b5, ATHD b4..0 below it. */
  config: 0x0c,
  /** From here on MAX17048 and 49 only. */
  crate: 0x16,
  status: 0x1a,
} as const

const SLEEP = 0x0080
/** What a bus reads like that nobody drives. */
const ALL_ONES = 0xffff

/** MAX17048: what has happened since each bit was last cleared. The low byte means nothing. */
const Status = {
  /** RI: "the IC is not configured", it was just powered. */
  reset: 0x0100,
  /** VR: the voltage was below VRESET. Only while EnVr is set. */
  voltageReset: 0x0800,
} as const

/** CRATE is "approximate": what is less is no trend. */
const TREND_PERCENT_PER_HOUR = 1
const SECONDS_PER_HOUR = 3_600

export type Max1704xFamily = 'max17040' | 'max17048'

/** MAX17048: 0x001_. The older family has other numbers, whose high byte is 0 too. */
export const familyOf = (version: number): Max1704xFamily | null => {
  if ((version & 0xfff0) === 0x0010) return 'max17048'
  return version > 0 && version <= 0x00ff ? 'max17040' : null
}

/**
 * MAX17048: 78.125 uV a step. MAX17040: the upper 12 bits, 1.25 mV a step, which is 16 times as much. The chips for two
 * cells count twice as much a step, of both cells: this much of each.
 */
export const cellMillivolts = (word: number, family: Max1704xFamily): number =>
  family === 'max17048' ? word * 0.078125 : (word >> 4) * 1.25

/** 1/256 % a step; can be more than 100. */
export const percentOf = (word: number): number => word / 256

/** MAX17048: two's complement, 0.208 %/h a step; charging is positive. */
export const percentPerHour = (word: number): number => signed16(word) * 0.208

/** RI, VH, VL, VR, HD, SC of MAX17048's STATUS. */
export const wasPoweredUp = (status: number): boolean =>
  (status & (Status.reset | Status.voltageReset)) !== 0

export interface Max1704xOptions {
  readonly name: string
  /** In series. */
  readonly cells: 1 | 2
  /**
   * Which chip must answer. Null: whatever the maker of a board has put there, clones with versions of their own
   * included; one that nobody knows is read as the older family, whose registers all of them have, and told once.
   */
  readonly family: Max1704xFamily | null
}

export const max1704x = (device: I2cDevice, clock: Clock, options: Max1704xOptions): Gauge =>
  new ChipGauge(options.name, new Max1704xChip(device, clock, options))

class Max1704xChip implements GaugeChip {
  readonly packCount = 1
  readonly #registers: WordRegisters
  readonly #clock: Clock
  readonly #options: Max1704xOptions
  #family: Max1704xFamily = 'max17040'
  readonly #standing = new StandingValues(Number.POSITIVE_INFINITY)
  /** Found out by `start`, told by the next reading. */
  #isUnfamiliar = false

  constructor(device: I2cDevice, clock: Clock, options: Max1704xOptions) {
    this.#registers = new WordRegisters(
      device,
      (options.family ?? 'max17040').toUpperCase(),
      'high-first',
    )
    this.#clock = clock
    this.#options = options
  }

  async start(): Promise<void> {
    const version = await this.#registers.read(Register.version)
    const found = familyOf(version)
    const wanted = this.#options.family
    const isAccepted = wanted === null ? version !== ALL_ONES : wanted === found
    if (!isAccepted) throw this.#registers.stranger(Register.version, version)
    this.#family = found ?? 'max17040'
    this.#isUnfamiliar = found === null
    await this.#wake()
  }

  /** Two to four short transfers. */
  async read(): Promise<readonly GaugeReading[]> {
    return [this.#standing.judge(await this.#reading())]
  }

  async #reading(): Promise<GaugeReading> {
    const isNewer = this.#family === 'max17048'
    const status = isNewer ? await this.#registers.read(Register.status) : 0
    const vcell = await this.#registers.read(Register.vcell)
    const soc = await this.#registers.read(Register.soc)
    const perHour = isNewer ? percentPerHour(await this.#registers.read(Register.crate)) : null
    const at = this.#clock.monotonicMs()
    // No such status exists.
    const wasReset = status !== ALL_ONES && wasPoweredUp(status)
    const isUnfamiliar = this.#isUnfamiliar
    this.#isUnfamiliar = false
    if (wasReset) await this.#acknowledgeReset(status)
    const cell = cellVoltage(cellMillivolts(vcell, this.#family))
    // What a gauge says first after it was powered is a guess from one look at a voltage.
    const charge = wasReset ? unknown('reset') : cellCharge(percentOf(soc), cell)
    return gaugeReading(at, {
      millivolts: cell.value === null ? null : cell.value * this.#options.cells,
      percent: charge.value,
      wasReset,
      troubles: troublesOf(
        { trouble: isUnfamiliar ? 'unfamiliar' : null },
        { trouble: wasReset ? 'reset' : null },
        cell,
        charge,
      ),
      ...trendOf(charge.value, perHour),
    })
  }

  /** Its flags stay until they are cleared: the next reset then shows. */
  async #acknowledgeReset(status: number): Promise<void> {
    await this.#registers.write(Register.status, status & ~(Status.reset | Status.voltageReset))
    await this.#wake()
  }

  /** A gauge that sleeps measures nothing (MAX17048: "all IC operations are halted"). */
  async #wake(): Promise<void> {
    const config = await this.#registers.read(Register.config)
    if (!isBlank(config) && config & SLEEP)
      await this.#registers.writeProven(Register.config, config & ~SLEEP)
  }
}

/** What the gauge's own charge and rate say; no time while no discharge is to be seen. */
function trendOf(
  percent: number | null,
  perHour: number | null,
): Pick<GaugeReading, 'isCharging' | 'secondsToEmpty'> {
  if (percent === null || perHour === null) return { isCharging: null, secondsToEmpty: null }
  return {
    isCharging: perHour >= TREND_PERCENT_PER_HOUR,
    secondsToEmpty:
      perHour > -TREND_PERCENT_PER_HOUR ? null : (percent / -perHour) * SECONDS_PER_HOUR,
  }
}
