/** How a fade gets from its beginning to its end. Every curve starts at 0, ends at 1 and stays between. */

export const curveNames = ['linear', 'sine', 'quad-in', 'quad-out', 'cubic'] as const

/** Named, or points `[share of time, share of way]` joined by straight lines, from [0, 0] to [1, 1]. */
export type Curve = (typeof curveNames)[number] | readonly (readonly number[])[]

/** @param share of the fade's time, 0..1 @returns share of the way, 0..1 */
export function shape(curve: Curve, share: number): number {
  if (share <= 0) return 0
  if (share >= 1) return 1
  switch (curve) {
    case 'linear':
      return share
    case 'sine':
      return (1 - Math.cos(Math.PI * share)) / 2
    case 'quad-in':
      return share * share
    case 'quad-out':
      return share * (2 - share)
    case 'cubic':
      return share < 0.5 ? 4 * share ** 3 : 1 - 4 * (1 - share) ** 3
    default:
      return between(curve, share)
  }
}

function between(points: readonly (readonly number[])[], share: number): number {
  let [fromTime, fromWay] = [0, 0]
  for (const [time = 1, way = 1] of points) {
    if (time === share) return way
    if (time > share) return fromWay + ((way - fromWay) * (share - fromTime)) / (time - fromTime)
    fromTime = time
    fromWay = way
  }
  return 1
}
