/** What is published of a pack, and when it is worth saying again. Pure. */
import type { Payload } from '../../topics.js'
import type { PackView } from './pack.js'

type BatteryState = Payload<'battery/state'>

export const batteryState = (
  { name, gauge }: { readonly name: string; readonly gauge: string },
  view: PackView,
  swaps: number,
): BatteryState => ({
  pack: name,
  gauge,
  millivolts: rounded(view.millivolts, 1),
  milliamps: rounded(view.milliamps, 1),
  celsius: rounded(view.celsius, 0.1),
  percent: rounded(view.percent, 0.1),
  percentError: rounded(view.percentError, 0.1),
  method: view.percent === null ? 'none' : view.method,
  fullMilliampHours: rounded(view.fullMilliampHours, 1),
  remainingMilliampHours: rounded(view.remainingMilliampHours, 1),
  isExternal: view.isExternal,
  isCharging: view.isCharging,
  swaps,
  troubles: view.troubles.slice(0, 8),
})

/** To a multiple of `step`, without the tail that a division leaves. */
export const rounded = (value: number | null, step: number): number | null =>
  value === null ? null : Math.round(Math.round(value / step) * step * 1000) / 1000

/** Two states that look the same from afar need not be told apart. */
export const glanceOf = (state: BatteryState): string =>
  JSON.stringify([
    rounded(state.millivolts, 20),
    coarse(state.milliamps),
    rounded(state.celsius, 1),
    rounded(state.percent, 0.5),
    rounded(state.percentError, 2),
    state.method,
    state.isExternal,
    state.isCharging,
    state.swaps,
    state.troubles,
  ])

/** In steps of about a tenth of itself: 1.00 A and 1.04 A are the same, 20 mA and 60 mA are not. */
export const coarse = (value: number | null): number | null => {
  if (value === null) return null
  const size = Math.abs(value)
  return Math.sign(value) * (size < 20 ? 0 : Math.round(Math.log(size / 20) / Math.log(1.1)) + 1)
}
