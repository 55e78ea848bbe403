/**
 * A gauge made of a chip that measures voltages and the drops across shunts, whatever the chip: what was measured, of
 * which pack, and whether it may be believed.
 */
import type { Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type { GaugeReading, GaugeTrouble } from '../runtime/ports/gauge.js'
import type { GaugeChip } from './chip-gauge.js'
import {
  gaugeReading,
  type Known,
  NO_PACK_MILLIVOLTS,
  troublesOf,
  unknown,
} from './gauge-reading.js'
import { nothingWatched, stuckOf, type Watched, watch } from './gauge-watch.js'
import { LastConversion } from './last-conversion.js'

/** One place where the chip measures. */
export interface Shunt {
  /** 0.1..1000 */
  readonly shuntMilliohms: number
  /** True where the board is wired so that a positive drop means discharging. */
  readonly isReversed: boolean
}

export interface Measured {
  readonly millivolts: Known<number>
  /** Across the shunt, with the chip's sign. */
  readonly microvolts: Known<number>
  /** The register of the voltage holds zero, as after power-on. */
  readonly isZero: boolean
}

export interface Measurement {
  /** A conversion has ended since the flag was last looked at. */
  readonly isReady: boolean
  /** What the registers hold, flags aside. */
  readonly words: readonly number[]
  readonly channels: readonly Measured[]
}

export interface ShuntChip {
  /** What the chip promises at worst of a drop of zero: less is no current. */
  readonly offsetMicrovoltsMax: number
  /** Some fifty steps: from so much on, a drop cannot be the same for minutes (see `stuckOf`). */
  readonly loadedMicrovolts: number
  /** Reads, and writes nothing. Throws DeviceError `device.absent` when something else answers. */
  prove(): Promise<void>
  /** Null: the registers read like a bus that nobody drives. */
  isConfigured(): Promise<boolean | null>
  /** Writes, and reads back. */
  configure(): Promise<void>
  measure(): Promise<Measurement>
}

type Pair = Pick<Measured, 'millivolts' | 'microvolts'>

/** Into the pack is positive. */
export const milliampsOf = (microvolts: number, { shuntMilliohms, isReversed }: Shunt): number =>
  (isReversed ? 0 - microvolts : microvolts) / shuntMilliohms

export class ShuntGauge implements GaugeChip {
  readonly #clock: Clock
  readonly #chip: ShuntChip
  readonly #shunts: readonly Shunt[]
  readonly #conversion = new LastConversion()
  #watched: Watched[] = []
  #hasStarted = false
  /** Found out by `start`, told by the next reading. */
  #wasReset = false

  /** @param shunts of each of the chip's channels */
  constructor(clock: Clock, chip: ShuntChip, shunts: readonly Shunt[]) {
    this.#clock = clock
    this.#chip = chip
    this.#shunts = shunts
  }

  async start(): Promise<void> {
    await this.#chip.prove()
    const isConfigured = await this.#chip.isConfigured()
    await this.#configure()
    // On its first start a chip is as its supply left it; later on it was this driver that had configured it.
    if (this.#hasStarted && isConfigured !== true) this.#wasReset = true
    this.#hasStarted = true
    this.#watched = []
  }

  get packCount(): number {
    return this.#shunts.length
  }

  /** One reading of each channel. */
  async read(): Promise<readonly GaugeReading[]> {
    const isConfigured = await this.#chip.isConfigured()
    if (isConfigured === null) return this.#allUnknown('implausible')
    const { isReady, words, channels } = await this.#chip.measure()
    const at = this.#clock.monotonicMs()
    if (!isConfigured) this.#conversion.forget()
    this.#conversion.note(isReady, words, at)
    const measured = channels.map(measured => this.#believed(measured, at))
    if (!isConfigured) await this.#recover()
    const readings = measured.map(({ millivolts, microvolts }, channel) =>
      this.#reading(channel, at, {
        millivolts,
        // By whose settings it was measured is not known.
        microvolts: isConfigured ? microvolts : unknown('reset'),
      }),
    )
    this.#wasReset = false
    return readings
  }

  #believed(measured: Measured, at: MonotonicMs): Pair {
    const isNothing = measured.isZero && !this.#conversion.isZeroMeasured()
    if (!isNothing && !this.#conversion.hasStopped(at)) return measured
    return { millivolts: unknown('not-ready'), microvolts: unknown('not-ready') }
  }

  async #recover(): Promise<void> {
    this.#wasReset = true
    await this.#configure()
  }

  async #configure(): Promise<void> {
    await this.#chip.configure()
    this.#conversion.forget()
  }

  #allUnknown(trouble: GaugeTrouble): readonly GaugeReading[] {
    const at = this.#clock.monotonicMs()
    return this.#shunts.map(() => gaugeReading(at, { troubles: [trouble] }))
  }

  #reading(
    channel: number,
    at: MonotonicMs,
    { millivolts: voltage, microvolts: drop }: Pair,
  ): GaugeReading {
    const shunt = this.#shunts[channel] ?? { shuntMilliohms: 1, isReversed: false }
    const isAbsent = voltage.value !== null && voltage.value < NO_PACK_MILLIVOLTS
    const isStuck = this.#isStuck(channel, at, voltage.value, milliampsOrNull(drop, shunt))
    const isKnown = !isAbsent && !isStuck
    const milliamps = isKnown ? milliampsOrNull(drop, shunt) : null
    const { offsetMicrovoltsMax } = this.#chip
    return gaugeReading(at, {
      millivolts: isKnown ? voltage.value : null,
      milliamps,
      isCharging:
        milliamps === null ? null : milliamps * shunt.shuntMilliohms > offsetMicrovoltsMax,
      wasReset: this.#wasReset,
      troubles: troublesOf(
        { trouble: this.#wasReset ? 'reset' : null },
        voltage,
        drop,
        { trouble: isAbsent ? 'no-pack' : null },
        { trouble: isStuck ? 'stuck' : null },
      ),
    })
  }

  #isStuck(
    channel: number,
    at: MonotonicMs,
    millivolts: number | null,
    milliamps: number | null,
  ): boolean {
    const sample = { at, millivolts, milliamps, percent: null }
    const watched = watch(this.#watched[channel] ?? nothingWatched, sample)
    this.#watched[channel] = watched
    const { shuntMilliohms = 1 } = this.#shunts[channel] ?? {}
    return stuckOf(watched, sample, this.#chip.loadedMicrovolts / shuntMilliohms).milliamps
  }
}

const milliampsOrNull = (drop: Known<number>, shunt: Shunt): number | null =>
  drop.value === null ? null : milliampsOf(drop.value, shunt)
