/**
 * A battery that the kernel has a driver for, and the mains supply beside it: the power supply class
 * (Documentation/ABI/testing/sysfs-class-power, Documentation/power/power_supply_class.rst). Microvolts, microamperes,
 * microwatts, tenths of a degree, seconds. Drivers leave out what they do not know, and differ in the sign of a current.
 */
import { DeviceError } from '../runtime/core/errors.js'
import type { Clock, MonotonicMs } from '../runtime/ports/clock.js'
import type { Gauge, GaugeReading } from '../runtime/ports/gauge.js'
import type { PowerSupply } from '../runtime/ports/host.js'
import { ChipGauge, type GaugeChip } from './chip-gauge.js'
import { gaugeReading, type Known, known, troublesOf, unknown } from './gauge-reading.js'

/** The properties of a `uevent` by name, without `POWER_SUPPLY_`. */
export type Properties = ReadonlyMap<string, string>

const LINES_MAX = 200
const MILLIVOLTS_MIN = 500
const MILLIVOLTS_MAX = 100_000
const MILLIAMPS_MAX = 100_000
const PERCENT_MAX = 110
const CELSIUS_MIN = -60
const CELSIUS_MAX = 150
const MILLIAMP_HOURS_MAX = 1_000_000
const SECONDS_MAX = 30 * 24 * 3_600

export const propertiesOf = (uevent: string): Properties =>
  new Map(
    uevent
      .split('\n', LINES_MAX)
      .map(line => /^POWER_SUPPLY_([A-Z0-9_]+)=(.*)$/.exec(line.trim()))
      .flatMap(found => (found ? [[found[1] ?? '', found[2] ?? ''] as const] : [])),
  )

/** Null for what is not there and for what is no number. */
function numberOf(properties: Properties, name: string): number | null {
  const text = properties.get(name)
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : null
}

type Status = 'charging' | 'discharging' | 'idle' | 'unknown'

/** "Not charging" is said of a battery that something else keeps from charging: there is power. */
export function statusOf(properties: Properties): Status {
  switch (properties.get('STATUS')) {
    case 'Charging':
      return 'charging'
    case 'Discharging':
      return 'discharging'
    case 'Full':
    case 'Not charging':
      return 'idle'
    default:
      return 'unknown'
  }
}

/**
 * Into the battery is positive. Some drivers say so by a sign, some by its opposite, and some by STATUS alone, so STATUS
 * decides where it does. Where it does not, a sign is believed, and a number without one says nothing.
 */
export function signedMilliamps(microamps: number, status: Status): number | null {
  const size = Math.abs(microamps) / 1000
  if (status === 'charging') return size
  if (status === 'discharging') return 0 - size
  if (status === 'idle' || microamps < 0 || microamps === 0) return microamps / 1000
  return null
}

interface Range {
  readonly min: number
  readonly max: number
}

const within = (value: number | null, { min, max }: Range): Known<number | null> =>
  value === null || (value >= min && value <= max) ? known(value) : unknown('implausible')

/** @param mains of the mains supply; null when none is configured */
export function powerSupplyReading(
  at: MonotonicMs,
  battery: Properties,
  mains: Properties | null,
): GaugeReading {
  const status = statusOf(battery)
  const isExternal = mains === null ? externalBy(status) : onlineOf(mains)
  const isCharging = status === 'unknown' ? null : status === 'charging'
  if (battery.get('PRESENT') === '0')
    return gaugeReading(at, { isExternal, isCharging: false, troubles: ['no-pack'] })
  const millivolts = within(scaled(numberOf(battery, 'VOLTAGE_NOW'), 1000), {
    min: MILLIVOLTS_MIN,
    max: MILLIVOLTS_MAX,
  })
  const milliamps = within(milliampsOf(battery, status, millivolts.value), {
    min: -MILLIAMPS_MAX,
    max: MILLIAMPS_MAX,
  })
  const percent = chargeBeside(millivolts, within(percentOf(battery), { min: 0, max: PERCENT_MAX }))
  const celsius = within(scaled(numberOf(battery, 'TEMP'), 10), {
    min: CELSIUS_MIN,
    max: CELSIUS_MAX,
  })
  const hours = { min: 0, max: MILLIAMP_HOURS_MAX }
  const remaining = within(milliampHours(battery, 'NOW'), hours)
  const full = within(milliampHours(battery, 'FULL'), hours)
  return gaugeReading(at, {
    millivolts: millivolts.value,
    milliamps: milliamps.value,
    percent: percent.value,
    celsius: celsius.value,
    remainingMilliampHours: remaining.value,
    fullMilliampHours: full.value,
    isExternal,
    isCharging,
    secondsToEmpty: status === 'discharging' ? secondsToEmpty(battery) : null,
    troubles: troublesOf(millivolts, milliamps, percent, celsius, remaining, full),
  })
}

const scaled = (value: number | null, divisor: number): number | null =>
  value === null ? null : value / divisor

function externalBy(status: Status): boolean | null {
  return status === 'unknown' ? null : status !== 'discharging'
}

/** 1: fixed, 2: programmable. */
function onlineOf(mains: Properties): boolean | null {
  const online = numberOf(mains, 'ONLINE')
  return online === null ? null : online > 0
}

function milliampsOf(
  battery: Properties,
  status: Status,
  millivolts: number | null,
): number | null {
  const microamps = numberOf(battery, 'CURRENT_NOW')
  if (microamps !== null) return signedMilliamps(microamps, status)
  const microwatts = numberOf(battery, 'POWER_NOW')
  if (microwatts === null || millivolts === null) return null
  return signedMilliamps((microwatts / millivolts) * 1000, status)
}

/** A driver that cannot reach its chip tells zeros: 0 % beside a voltage that cannot be is no charge. */
const chargeBeside = (
  millivolts: Known<number | null>,
  percent: Known<number | null>,
): Known<number | null> =>
  percent.value === 0 && millivolts.trouble !== null ? unknown(millivolts.trouble) : percent

function percentOf(battery: Properties): number | null {
  const capacity = numberOf(battery, 'CAPACITY')
  if (capacity !== null) return capacity
  for (const kind of ['CHARGE', 'ENERGY']) {
    const [now, full] = [numberOf(battery, `${kind}_NOW`), numberOf(battery, `${kind}_FULL`)]
    if (now !== null && full !== null && full > 0) return (now / full) * 100
  }
  return null
}

/** An energy becomes a charge by the voltage that the battery was designed for. */
function milliampHours(battery: Properties, which: 'NOW' | 'FULL'): number | null {
  const charge = numberOf(battery, `CHARGE_${which}`)
  if (charge !== null) return charge / 1000
  const energy = numberOf(battery, `ENERGY_${which}`)
  const volts = scaled(numberOf(battery, 'VOLTAGE_MIN_DESIGN'), 1_000_000)
  return energy === null || volts === null || volts <= 0 ? null : energy / 1000 / volts
}

function secondsToEmpty(battery: Properties): number | null {
  const seconds = numberOf(battery, 'TIME_TO_EMPTY_NOW') ?? numberOf(battery, 'TIME_TO_EMPTY_AVG')
  return seconds !== null && seconds > 0 && seconds <= SECONDS_MAX ? seconds : null
}

/** @param mains null: the battery's own status tells whether there is power */
export const powerSupplyGauge = (
  battery: PowerSupply,
  mains: PowerSupply | null,
  clock: Clock,
  { name }: { readonly name: string },
): Gauge => new ChipGauge(name, new PowerSupplyChip(battery, mains, clock))

class PowerSupplyChip implements GaugeChip {
  readonly packCount = 1
  readonly #battery: PowerSupply
  readonly #mains: PowerSupply | null
  readonly #clock: Clock

  constructor(battery: PowerSupply, mains: PowerSupply | null, clock: Clock) {
    this.#battery = battery
    this.#mains = mains
    this.#clock = clock
  }

  async start(): Promise<void> {
    const uevent = await this.#battery.read()
    const type = propertiesOf(uevent).get('TYPE') ?? 'Battery'
    // A UPS on USB is of the type UPS where the kernel knows it.
    if (type !== 'Battery' && type !== 'UPS')
      throw new DeviceError('device.absent', `${this.#battery.name} is no battery, but ${type}`)
    await this.#mains?.read()
  }

  async read(): Promise<readonly GaugeReading[]> {
    const battery = propertiesOf(await this.#battery.read())
    const mains = this.#mains && propertiesOf(await this.#mains.read())
    return [powerSupplyReading(this.#clock.monotonicMs(), battery, mains)]
  }
}
