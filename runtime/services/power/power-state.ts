/** When the state of the power is worth saying again. Pure. */
import type { Payload } from '../../topics.js'
import { coarse, rounded } from './battery-state.js'

export type PowerState = Payload<'power/state'>

/** Two states that look the same from afar need not be told apart. The forecast's minute moves with every breath. */
export const powerGlance = (state: PowerState): string =>
  JSON.stringify([
    state.stage,
    state.isExternal,
    state.isCharging,
    rounded(state.percent, 0.5),
    rounded(state.percentError, 2),
    rounded(state.millivolts, 20),
    coarse(state.milliwatts),
    coarse(state.secondsToEmpty),
    coarse(state.secondsToEmptyMin),
    state.showEndsAtWallMs,
    state.isEnough,
  ])
