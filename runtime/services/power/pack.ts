/** One battery pack: what its gauge says, what is made of it, and what is said of it. Pure. */
import type { MonotonicMs } from '../../ports/clock.js'
import type { GaugeReading, GaugeTrouble } from '../../ports/gauge.js'
import { capacityShare } from './chemistry.js'
import { type Charge, chargeOf, estimated } from './estimate.js'
import { type Estimate, swapped } from './estimate-state.js'
import { ampHours, ohmsAt, type PackModel } from './knowledge.js'
import { freshSwapWatch, type SwapCause, type SwapWatch, watched } from './swap.js'

export interface Pack {
  readonly estimate: Estimate
  readonly reading: GaugeReading | null
  /** When the estimate was last moved on; null: never. */
  readonly steppedAt: MonotonicMs | null
  readonly swaps: number
  readonly swapWatch: SwapWatch
  /** The gauge's own charge when it last changed, and ours then: to see when it is stuck. */
  readonly gaugeMark: { readonly percent: number; readonly own: number | null } | null
}

export const freshPack = (estimate: Estimate, swaps: number): Pack => ({
  estimate,
  reading: null,
  steppedAt: null,
  swaps,
  swapWatch: freshSwapWatch,
  gaugeMark: null,
})

/** A reading that is older than this says nothing of now. */
const SILENT_MS = 5_000

/** A new reading of the gauge. */
export function heard(
  before: Pack,
  reading: GaugeReading,
  model: PackModel,
): { readonly pack: Pack; readonly swap: SwapCause | null } {
  if (before.reading !== null && reading.at <= before.reading.at)
    return { pack: before, swap: null }
  const { watch, cause } = watched(before.swapWatch, reading, {
    cells: model.cells,
    ampHours: ampHours(model),
    ohms: ohmsNow(before.estimate, reading),
    ohmsDeviation: before.estimate.knowledge.ohmsDeviation,
  })
  const known = cause === null ? before.estimate : swapped(before.estimate)
  const estimate = estimated(known, sampleOf(before.steppedAt, reading, model), model)
  const swaps = before.swaps + (cause === null ? 0 : 1)
  const pack = { ...before, estimate, reading, steppedAt: reading.at, swaps, swapWatch: watch }
  return { pack: { ...pack, gaugeMark: markOf(cause === null ? before : null, pack) }, swap: cause }
}

/** Of one cell. */
const ohmsNow = ({ knowledge, now }: Estimate, { celsius }: GaugeReading): number =>
  ohmsAt(knowledge, now?.charge ?? 0.5, celsius)

/** What a load beyond that of the last minutes takes from the voltage, of one cell. */
function peakMillivolts(estimate: Estimate, reading: GaugeReading): number {
  if (reading.milliamps === null) return 0
  const beyond = estimate.slowAmps * 1000 - reading.milliamps
  return Math.max(0, beyond) * ohmsNow(estimate, reading)
}

function sampleOf(steppedAt: MonotonicMs | null, reading: GaugeReading, { cells }: PackModel) {
  const { at, millivolts, milliamps, celsius, isCharging } = reading
  const isPack = !reading.troubles.includes('no-pack')
  return {
    elapsedMs: steppedAt === null ? 0 : at - steppedAt,
    volts: millivolts === null || millivolts <= 0 || !isPack ? null : millivolts / 1000 / cells,
    amps: milliamps === null || !isPack ? null : milliamps / 1000,
    celsius,
    isCharging,
  }
}

const SILENCE = { volts: null, amps: null, celsius: null, isCharging: null } as const

/** Nobody has said anything for so long: what is believed becomes less certain. */
export function waited(before: Pack, now: MonotonicMs, model: PackModel): Pack {
  if (before.steppedAt === null || now - before.steppedAt < SILENT_MS) return before
  const elapsedMs = now - before.steppedAt
  return {
    ...before,
    estimate: estimated(before.estimate, { ...SILENCE, elapsedMs }, model),
    steppedAt: now,
  }
}

function markOf(before: Pack | null, { reading, estimate }: Pack): Pack['gaugeMark'] {
  const percent = reading?.percent ?? null
  if (percent === null) return null
  if (before?.gaugeMark?.percent === percent) return before.gaugeMark
  return { percent, own: chargeOf(estimate)?.percent ?? null }
}

export interface PackView {
  /** Null where nothing is known, as everywhere. */
  readonly millivolts: number | null
  readonly milliamps: number | null
  /** What a peak of the load takes from the voltage right now, of one cell. */
  readonly peakMillivolts: number
  /** Of one cell as it would be without a load, smoothed. */
  readonly restMillivolts: number | null
  readonly celsius: number | null
  readonly percent: number | null
  readonly percentError: number | null
  readonly method: 'gauge' | 'coulomb' | 'voltage' | 'none'
  readonly fullMilliampHours: number | null
  readonly remainingMilliampHours: number | null
  readonly isExternal: boolean | null
  readonly isCharging: boolean | null
  readonly secondsToEmpty: number | null
  /** The gauge says that there is none. */
  readonly isAbsent: boolean
  readonly isSilent: boolean
  readonly troubles: readonly (GaugeTrouble | 'silent')[]
}

const GAUGE_ERROR_MIN = 5
/** Without a voltage to compare it with. */
const GAUGE_ERROR = 8
/** Beyond both errors by so much, the gauge's charge is not believed. */
const DISAGREEMENT_MAX = 15
const STUCK_POINTS = 15

export function viewOf(pack: Pack, now: MonotonicMs, model: PackModel): PackView {
  const { reading, estimate } = pack
  if (reading === null || now - reading.at > SILENT_MS)
    return { ...nothingHeard, ...chargeView(chargeOf(estimate), 'coulomb', pack, model) }
  const isAbsent = reading.troubles.includes('no-pack')
  const doubt = isAbsent ? null : gaugeDoubt(pack, chargeOf(estimate))
  const charge = isAbsent ? chargeView(null, 'none', pack, model) : bestCharge(pack, doubt, model)
  return {
    ...charge,
    millivolts: reading.millivolts,
    milliamps: reading.milliamps,
    peakMillivolts: peakMillivolts(estimate, reading),
    restMillivolts: estimate.restVolts === null ? null : estimate.restVolts * 1000,
    celsius: reading.celsius,
    fullMilliampHours: reading.fullMilliampHours ?? charge.fullMilliampHours,
    remainingMilliampHours: reading.remainingMilliampHours ?? charge.remainingMilliampHours,
    isExternal: reading.isExternal,
    isCharging: reading.isCharging ?? chargingBy(reading.milliamps, model),
    secondsToEmpty: reading.secondsToEmpty,
    isAbsent,
    isSilent: false,
    troubles: [...new Set([...reading.troubles, ...(doubt === null ? [] : [doubt])])],
  }
}

/** The gauge's, where it has one and nothing speaks against it; else ours. */
function bestCharge(pack: Pack, doubt: GaugeTrouble | null, model: PackModel): ChargeView {
  const own = chargeOf(pack.estimate)
  const gauged = pack.reading && doubt === null ? gaugeCharge(pack.reading, own) : null
  if (gauged) return chargeView(gauged, 'gauge', pack, model)
  return chargeView(own, pack.reading?.milliamps == null ? 'voltage' : 'coulomb', pack, model)
}

const nothingHeard = {
  millivolts: null,
  milliamps: null,
  peakMillivolts: 0,
  restMillivolts: null,
  celsius: null,
  isExternal: null,
  isCharging: null,
  secondsToEmpty: null,
  isAbsent: false,
  isSilent: true,
  troubles: ['silent'],
} as const

type ChargeView = Pick<
  PackView,
  'percent' | 'percentError' | 'method' | 'fullMilliampHours' | 'remainingMilliampHours'
>

function chargeView(
  charge: Charge | null,
  method: PackView['method'],
  { estimate, reading }: Pack,
  model: PackModel,
): ChargeView {
  const { capacityShare: share } = estimate.knowledge
  const warmth = capacityShare(model.chemistry, reading?.celsius ?? null)
  const fullMilliampHours = model.milliampHours * share * warmth
  if (charge === null)
    return {
      percent: null,
      percentError: null,
      method: 'none',
      fullMilliampHours,
      remainingMilliampHours: null,
    }
  return {
    ...charge,
    method,
    fullMilliampHours,
    remainingMilliampHours: (fullMilliampHours * charge.percent) / 100,
  }
}

/** Null: it may be believed, or it says nothing. */
function gaugeDoubt(
  { reading, gaugeMark }: Pack,
  own: Charge | null,
): 'stuck' | 'implausible' | null {
  const percent = reading?.percent ?? null
  if (percent === null) return null
  if (percent < -1 || percent > 120) return 'implausible'
  if (own === null) return null
  const moved = gaugeMark?.own == null ? 0 : Math.abs(own.percent - gaugeMark.own)
  if (moved > STUCK_POINTS + own.percentError) return 'stuck'
  const apart = Math.abs(percent - own.percent)
  return apart > own.percentError + DISAGREEMENT_MAX ? 'implausible' : null
}

function gaugeCharge({ percent }: GaugeReading, own: Charge | null): Charge | null {
  if (percent === null) return null
  const clamped = Math.min(100, Math.max(0, percent))
  if (own === null) return { percent: clamped, percentError: GAUGE_ERROR }
  const apart = Math.abs(clamped - own.percent)
  return { percent: clamped, percentError: Math.max(GAUGE_ERROR_MIN, apart - own.percentError / 2) }
}

/** Where the gauge does not say: by which way the current flows, beyond what is noise. */
function chargingBy(milliamps: number | null, { milliampHours }: PackModel): boolean | null {
  if (milliamps === null) return null
  return milliamps > milliampHours / 100
}
