/** A reading in which whatever is not said is unknown. */

import type { MonotonicMs } from '../runtime/ports/clock.js'
import type { GaugeReading, GaugeTrouble } from '../runtime/ports/gauge.js'

/** No battery that holds any charge has so little: nothing is connected to what measures. */
export const NO_PACK_MILLIVOLTS = 500

export const gaugeReading = (
  at: MonotonicMs,
  known: Partial<Omit<GaugeReading, 'at'>>,
): GaugeReading => ({
  at,
  millivolts: null,
  milliamps: null,
  percent: null,
  celsius: null,
  remainingMilliampHours: null,
  fullMilliampHours: null,
  isExternal: null,
  isCharging: null,
  secondsToEmpty: null,
  wasReset: false,
  troubles: [],
  ...known,
})

/** A quantity, with what is to be said against it; or why it is not known. */
export type Known<T> =
  | { readonly value: T; readonly trouble: GaugeTrouble | null }
  | { readonly value: null; readonly trouble: GaugeTrouble }

export const known = <T>(value: T): Known<T> => ({ value, trouble: null })
/** At the end of what a register holds: it is at least this, away from zero. */
export const atLeast = <T>(value: T): Known<T> => ({ value, trouble: 'overflow' })
export const unknown = (trouble: GaugeTrouble): Known<never> => ({ value: null, trouble })

/** Each trouble once, in the order it was met. */
export const troublesOf = (
  ...quantities: readonly { readonly trouble: GaugeTrouble | null }[]
): readonly GaugeTrouble[] => [
  ...new Set(quantities.map(({ trouble }) => trouble).filter(trouble => trouble !== null)),
]
