import type { BoxLink } from './parts.js'

/** Whether a restart would be seen, as it is now. @param isForced a person has said that a box that does not answer is no reason */
export async function isOccupied(box: Pick<BoxLink, 'look'>, isForced: boolean): Promise<boolean> {
  const seen = await box.look()
  if (seen === null) return !isForced
  return seen.isArmed || seen.isPanic || seen.runningCues > 0
}
