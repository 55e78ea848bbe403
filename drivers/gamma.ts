/** From perceived brightness to the share of time a lamp is on. */

/** Screens and lamps alike look even at about this exponent. */
export const GAMMA_USUAL = 2.2

/**
 * @param level perceived brightness, 0..1; anything outside, and what is not a number, is brought inside
 * @param gamma 1 leaves the level as it is
 * @returns share of the time, 0..1
 */
export function dutyOf(level: number, gamma: number): number {
  if (!(level > 0)) return 0
  return level >= 1 ? 1 : level ** gamma
}
