import type { Payload } from '../../runtime/topics.js'

/** A box on mains of which nothing else is known. */
export const powerState: Payload<'power/state'> = {
  stage: 'mains',
  isExternal: true,
  isCharging: null,
  percent: null,
  percentError: null,
  millivolts: null,
  milliwatts: null,
  secondsToEmpty: null,
  secondsToEmptyMin: null,
  emptyAtWallMs: null,
  showEndsAtWallMs: null,
  isEnough: null,
  forecast: null,
  lightCap: 1,
  arePrintsRefused: false,
  packs: 0,
}
