/**
 * A UPS that somebody else's NUT server reads: names and meanings of docs/nut-names.txt and of the status words in
 * docs/new-drivers.txt. Everything comes as text, and much of it not at all.
 */
import type { Cancel, Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import type { ByteStream } from '../runtime/ports/host.js'
import { GaugeLife } from './gauge-life.js'
import { gaugeReading, type Known, known, troublesOf, unknown } from './gauge-reading.js'
import { NutClient, type NutLogin, type UpsVariables } from './nut-client.js'

const PERCENT_MAX = 110
const VOLTS_MAX = 1_000
const AMPERES_MAX = 1_000
const CELSIUS_MIN = -60
const CELSIUS_MAX = 150
const AMPERE_HOURS_MAX = 1_000
const SECONDS_MAX = 30 * 24 * 3_600

/** Which of the words stand in `ups.status`. A server that knows nothing yet says WAIT. */
export interface UpsStatus {
  /** On line (OL) or on battery (OB); null when neither is said. */
  readonly isExternal: boolean | null
  readonly isCharging: boolean | null
  /** LB: the UPS is at its end. */
  readonly isLow: boolean
  /** FSD: somebody is about to switch it off, whatever is left in it. */
  readonly isForced: boolean
}

export function upsStatus(text: string | undefined): UpsStatus {
  const words = new Set((text ?? '').toUpperCase().split(/\s+/))
  const isOnBattery = words.has('OB')
  const isCharging = words.has('CHRG')
  const isNotCharging = isOnBattery || words.has('DISCHRG')
  return {
    // A UPS that says both is between the two; what it may lose counts.
    isExternal: isOnBattery ? false : words.has('OL') ? true : null,
    isCharging: isNotCharging ? false : isCharging ? true : null,
    isLow: words.has('LB'),
    isForced: words.has('FSD'),
  }
}

/** @param variables null: the server does not know how the UPS is */
export function upsReading(at: MonotonicMs, variables: UpsVariables | null): GaugeReading {
  if (variables === null) return gaugeReading(at, { troubles: ['not-ready'] })
  const status = upsStatus(variables.get('ups.status'))
  const percent = quantity(variables, 'battery.charge', { min: 0, max: PERCENT_MAX })
  const volts = quantity(variables, 'battery.voltage', { min: 0, max: VOLTS_MAX })
  const amperes = quantity(variables, 'battery.current', { min: -AMPERES_MAX, max: AMPERES_MAX })
  const celsius = quantity(variables, 'battery.temperature', { min: CELSIUS_MIN, max: CELSIUS_MAX })
  const full = quantity(variables, 'battery.capacity', { min: 0, max: AMPERE_HOURS_MAX })
  const runtime = quantity(variables, 'battery.runtime', { min: 0, max: SECONDS_MAX })
  return gaugeReading(at, {
    // Some say 0 of what they do not measure.
    millivolts: nonZero(thousandfold(volts.value)),
    milliamps: signed(thousandfold(amperes.value), status),
    percent: percent.value,
    celsius: celsius.value,
    fullMilliampHours: nonZero(thousandfold(full.value)),
    // A UPS that is being switched off leaves no power, whatever it stands on.
    isExternal: status.isForced ? false : status.isExternal,
    isCharging: status.isForced ? false : status.isCharging,
    secondsToEmpty: secondsToEmpty(status, runtime.value, variables),
    troubles: troublesOf(percent, volts, amperes, celsius, full, runtime),
  })
}

/** Whether what leaves the battery is negative differs between drivers of NUT: the status decides. */
function signed(milliamps: number | null, status: UpsStatus): number | null {
  if (milliamps === null) return null
  if (status.isCharging === true) return Math.abs(milliamps)
  return status.isExternal === false ? 0 - Math.abs(milliamps) : null
}

/** On mains a UPS tells how long it would last; that is not how long it does. */
function secondsToEmpty(
  { isExternal, isLow, isForced }: UpsStatus,
  runtimeSeconds: number | null,
  variables: UpsVariables,
): number | null {
  if (isForced) return 0
  if (isExternal !== false) return null
  if (runtimeSeconds !== null || !isLow) return runtimeSeconds
  // LB without a runtime: no more than that for which it would have begun to say so.
  const low = quantity(variables, 'battery.runtime.low', { min: 0, max: SECONDS_MAX })
  return low.value
}

interface Range {
  readonly min: number
  readonly max: number
}

/** Null for what the UPS does not tell. */
function quantity(
  variables: UpsVariables,
  name: string,
  { min, max }: Range,
): Known<number | null> {
  const text = variables.get(name)
  if (text === undefined) return known(null)
  // NUT forbids exponents, hexadecimals and commas; values are padded with zeros now and then.
  if (!/^[+-]?\d{1,9}(\.\d{1,9})?$/.test(text)) return unknown('implausible')
  const value = Number(text)
  return value >= min && value <= max ? known(value) : unknown('implausible')
}

const thousandfold = (value: number | null): number | null =>
  value === null ? null : Math.round(value * 1_000_000) / 1000

const nonZero = (value: number | null): number | null => (value === 0 ? null : value)

export interface NutUpsOptions {
  readonly name: string
  /** As the server calls it. */
  readonly ups: string
  /** Null: the server shows it to everybody. */
  readonly login: NutLogin | null
}

export class NutUps implements Gauge {
  readonly name: string
  readonly packCount = 1
  readonly #client: NutClient
  readonly #clock: Clock
  readonly #ups: string
  readonly #life: GaugeLife
  #cancelFaults: Cancel = () => {}
  /** Whoever asks while an answer is awaited gets the same. */
  #asked: Promise<readonly GaugeReading[]> | null = null

  constructor(stream: ByteStream, clock: Clock, options: NutUpsOptions) {
    this.#client = new NutClient(stream, clock, options.login)
    this.#clock = clock
    this.name = options.name
    this.#ups = options.ups
    this.#life = new GaugeLife(options.name)
  }

  /** The server must know the UPS; how it is may come later. */
  async start(): Promise<void> {
    try {
      await this.#client.open()
      await this.#client.variables(this.#ups)
      this.#cancelFaults = this.#client.onFault(fault => this.#life.fail(fault))
      this.#life.begin()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#life.end()
    this.#cancelFaults()
    await this.#client.close()
  }

  read(): Promise<readonly GaugeReading[]> {
    this.#asked ??= this.#life
      .watch(() => this.#ask())
      .finally(() => {
        this.#asked = null
      })
    return this.#asked
  }

  /** Nobody tells it: it is read. */
  onExternal(): Cancel {
    return () => {}
  }

  /** The connection is lost: the owner starts the gauge again. */
  onFault(listener: (fault: Error) => void): Cancel {
    return this.#life.onFault(listener)
  }

  /** It may feed others, and is theirs to switch off. */
  async cutPower(): Promise<boolean> {
    return false
  }

  async #ask(): Promise<readonly GaugeReading[]> {
    const variables = await this.#client.variables(this.#ups)
    return [upsReading(this.#clock.monotonicMs(), variables)]
  }
}
