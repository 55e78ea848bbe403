/** What the box tells of its power in the words of NUT (docs/nut-names.txt). What is not known is not there. */
import type { Payload } from '../../topics.js'

/** A number is answered as NUMBER, a text as STRING. */
export type NutValue = number | string
/** In the order of their names, as upsd lists them. */
export type NutVariables = ReadonlyMap<string, NutValue>

/** What does not change while the box runs. */
export interface NutFacts {
  /** Of the computer, e.g. `Raspberry Pi 4 Model B`. */
  readonly model: string
  readonly serial: string
  readonly version: string
  /** `Li-ion`, `LiFePO4`, `PbAc`; null when packs differ. */
  readonly batteryType: string | null
  /** Below so much, on battery, the box says LB. */
  readonly chargeLowPercent: number
  readonly chargeWarningPercent: number
  readonly runtimeLowSeconds: number
}

type Power = Payload<'power/state'>
type Pack = Payload<'battery/state'>

export function nutVariables(facts: NutFacts, power: Power, packs: readonly Pack[]): NutVariables {
  const celsius = packs.map(pack => pack.celsius).filter(value => value !== null)
  const variables: Readonly<Record<string, NutValue | null>> = {
    'battery.capacity': ampHours(packs),
    'battery.charge': rounded(power.percent, 1),
    'battery.charge.low': facts.chargeLowPercent,
    'battery.charge.warning': facts.chargeWarningPercent,
    'battery.current': amperes(power, packs),
    'battery.packs': power.packs,
    'battery.runtime': power.secondsToEmpty,
    'battery.runtime.low': facts.runtimeLowSeconds,
    // The warmest pack: the one that somebody must hear of.
    'battery.temperature': celsius.length === 0 ? null : rounded(Math.max(...celsius), 1),
    'battery.type': facts.batteryType,
    'battery.voltage': volts(power.millivolts),
    'device.mfr': 'Roadcase',
    'device.model': facts.model,
    'device.serial': facts.serial,
    'device.type': 'ups',
    'driver.name': 'roadcase',
    'driver.version': facts.version,
    'ups.mfr': 'Roadcase',
    'ups.model': facts.model,
    'ups.realpower': drawnWatts(power),
    'ups.serial': facts.serial,
    'ups.status': nutStatus(power),
  }
  return new Map(
    Object.entries(variables).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  )
}

/**
 * `WAIT` is what a driver says that does not know yet; whoever listens goes on with what was last known. LB means that the
 * end is near: others must be down before the box is, so it is said from the stage `protect` on. FSD says that the box
 * goes down now.
 */
export function nutStatus(power: Pick<Power, 'stage' | 'isExternal' | 'isCharging'>): string {
  const isOnBattery = onBattery(power)
  if (isOnBattery === null) return 'WAIT'
  if (!isOnBattery) return power.isCharging === true ? 'OL CHRG' : 'OL'
  const isLow = power.stage === 'protect' || power.stage === 'shutdown'
  return [
    ...(power.stage === 'shutdown' ? ['FSD'] : []),
    'OB',
    ...(isLow ? ['LB'] : []),
    ...(power.isCharging === true ? [] : ['DISCHRG']),
  ].join(' ')
}

/** Null: nobody knows. What charges has power from outside; a stage below mains was decided on something. */
function onBattery({
  stage,
  isExternal,
  isCharging,
}: Pick<Power, 'stage' | 'isExternal' | 'isCharging'>): boolean | null {
  if (isExternal !== null) return !isExternal
  if (isCharging === true) return false
  return stage === 'mains' ? null : true
}

/** Into the packs is positive, out of them negative, of all together. */
function amperes(power: Power, packs: readonly Pack[]): number | null {
  const currents = packs.map(pack => pack.milliamps)
  if (currents.length > 0 && currents.every(current => current !== null))
    return rounded(currents.reduce((sum, current) => sum + current, 0) / 1000, 3)
  const { milliwatts, millivolts } = power
  return milliwatts === null || millivolts === null || millivolts === 0
    ? null
    : rounded(milliwatts / millivolts, 3)
}

function ampHours(packs: readonly Pack[]): number | null {
  const full = packs.map(pack => pack.fullMilliampHours)
  if (full.length === 0 || !full.every(value => value !== null)) return null
  return rounded(full.reduce((sum, value) => sum + value, 0) / 1000, 2)
}

/** On battery what the box draws is what the packs give; on mains nobody measures it. */
function drawnWatts(power: Power): number | null {
  const { milliwatts } = power
  if (onBattery(power) !== true || milliwatts === null || milliwatts > 0) return null
  return rounded(-milliwatts / 1000, 1)
}

const volts = (millivolts: number | null): number | null =>
  millivolts === null ? null : rounded(millivolts / 1000, 3)

function rounded(value: number | null, digits: number): number | null {
  if (value === null) return null
  const factor = 10 ** digits
  // Not minus zero, which would be written as such.
  return Math.round(value * factor) / factor + 0
}

/** For `GET DESC`, as NUT's own cmdvartab says it. */
export const descriptions: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'battery.capacity': 'Battery capacity (Ah)',
    'battery.charge': 'Battery charge (percent)',
    'battery.charge.low': 'Remaining battery level when UPS switches to LB (percent)',
    'battery.charge.warning': 'Battery level when UPS switches to "Warning" state (percent)',
    'battery.current': 'Battery current (A): into the battery is positive',
    'battery.packs': 'Number of internal battery packs',
    'battery.runtime': 'Battery runtime (seconds)',
    'battery.runtime.low': 'Remaining battery runtime when UPS switches to LB (seconds)',
    'battery.temperature': 'Battery temperature (degrees C)',
    'battery.type': 'Battery chemistry',
    'battery.voltage': 'Battery voltage (V)',
    'device.mfr': 'Device manufacturer',
    'device.model': 'Device model',
    'device.serial': 'Device serial number',
    'device.type': 'Device type',
    'driver.name': 'Driver name',
    'driver.version': 'Driver version',
    'ups.mfr': 'UPS manufacturer',
    'ups.model': 'UPS model',
    'ups.realpower': 'Current value of real power (Watts)',
    'ups.serial': 'UPS serial number',
    'ups.status': 'UPS status',
  }),
)
