/** All packs of a box together: side by side, or a pair of which one waits for the other to be empty. Pure. */
import { cellOf } from './chemistry.js'
import type { Knowledge, PackModel } from './knowledge.js'
import type { PackView } from './pack.js'

/** One of them, with what is known of it. */
export interface Part {
  readonly view: PackView
  readonly model: PackModel
  readonly knowledge: Knowledge
}

export interface Whole {
  readonly percent: number | null
  readonly percentError: number | null
  /** Of the pack with the highest voltage: it carries the load. */
  readonly millivolts: number | null
  /** Out of the packs is negative; null when one of them does not say. */
  readonly milliwatts: number | null
  readonly isExternal: boolean | null
  readonly isCharging: boolean | null
  /**
   * How far the best pack is above the voltage at which the box must go, in millivolts of one cell; null when one of them
   * does not say.
   */
  readonly marginMillivolts: number | null
  /** The same at the load of the last minutes, without a peak of this moment. */
  readonly usualMarginMillivolts: number | null
}

/** @param shutdownCellMillivolts of all packs; null: as their chemistry asks for */
export function wholeOf(parts: readonly Part[], shutdownCellMillivolts: number | null): Whole {
  const present = parts.filter(({ view }) => !view.isAbsent)
  const views = present.map(({ view }) => view)
  return {
    ...chargeOf(present),
    millivolts: highest(views.map(({ millivolts }) => millivolts)),
    milliwatts: totalMilliwatts(views),
    isExternal: externalOf(views),
    isCharging: agreed(views.map(({ isCharging }) => isCharging)),
    marginMillivolts: marginOf(present, shutdownCellMillivolts, () => 0),
    usualMarginMillivolts: marginOf(
      present,
      shutdownCellMillivolts,
      ({ peakMillivolts }) => peakMillivolts,
    ),
  }
}

/** An absent pack holds nothing and hides nothing; one that is silent may be full or empty. */
function chargeOf(present: readonly Part[]): Pick<Whole, 'percent' | 'percentError'> {
  const weights = present.map(({ view, model }) => view.fullMilliampHours ?? model.milliampHours)
  const volts = present.map(({ model }) => model.cells)
  let known = 0
  let unknown = 0
  let sum = 0
  let errors = 0
  for (const [index, { view }] of present.entries()) {
    const weight = (weights[index] ?? 0) * (volts[index] ?? 1)
    if (view.percent === null || view.percentError === null) unknown += weight
    else {
      known += weight
      sum += weight * view.percent
      errors += weight * view.percentError
    }
  }
  if (known === 0) return { percent: null, percentError: null }
  const percent = sum / known
  const hidden = unknown / (known + unknown)
  const percentError = (1 - hidden) * (errors / known) + hidden * Math.max(percent, 100 - percent)
  return { percent, percentError: Math.min(100, percentError) }
}

function totalMilliwatts(views: readonly PackView[]): number | null {
  if (views.length === 0) return null
  let sum = 0
  for (const { millivolts, milliamps } of views) {
    if (millivolts === null || milliamps === null) return null
    sum += (millivolts * milliamps) / 1000
  }
  return sum
}

const highest = (values: readonly (number | null)[]): number | null =>
  values.reduce((best, value) => (best === null || (value ?? 0) > best ? value : best), null)

/** Who sees mains is believed; that there is none takes everybody who says anything. */
function externalOf(views: readonly PackView[]): boolean | null {
  if (views.some(({ isExternal }) => isExternal === true)) return true
  return views.some(({ isExternal }) => isExternal === false) ? false : null
}

const agreed = (values: readonly (boolean | null)[]): boolean | null =>
  values.includes(true) ? true : values.includes(false) ? false : null

/** One pack of a pair may be empty for as long as the other is not. */
function marginOf(
  present: readonly Part[],
  shutdownCellMillivolts: number | null,
  added: (view: PackView) => number,
): number | null {
  if (present.length === 0) return null
  let best = Number.NEGATIVE_INFINITY
  for (const { view, model } of present) {
    if (view.millivolts === null) return null
    const limit = shutdownCellMillivolts ?? cellOf(model.chemistry).shutdownVolts * 1000
    best = Math.max(best, view.millivolts / model.cells + added(view) - limit)
  }
  return best
}

/** Below this share of the capacity an hour a current is no direction. */
const DIRECTION_SHARE = 1 / 50

/** For boxes whose gauges have no line for the mains: by which way the current flows. Null: it does not say. */
export function externalByCurrent(parts: readonly Part[]): boolean | null {
  const directions = parts
    .filter(({ view }) => !view.isAbsent)
    .map(({ view, model }) => (view.milliamps ?? 0) / model.milliampHours)
  if (directions.some(share => share > DIRECTION_SHARE)) return true
  return directions.some(share => share < -DIRECTION_SHARE) ? false : null
}
