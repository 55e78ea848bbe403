/** Whether the card may be written for something that has time. */
import type { BoxView } from '../updater/criteria.js'
import type { OtaState } from '../updater/parts.js'
import { rightMoment } from '../updater/shared-criteria.js'
import type { UpdaterPolicy } from '../updater/updater-config.js'

interface QuietTerms {
  readonly policy: UpdaterPolicy
  /** `Together.isToBeTakenAgain` */
  readonly isToBeTakenAgain: boolean
}

/**
 * Not while something is fetched, written, tried or about to be; nor while the box starts, a show is armed, or the battery
 * is low.
 * @returns for people; null: it may be
 */
export function whyNotQuiet(
  state: OtaState | null,
  box: BoxView | null,
  { policy, isToBeTakenAgain }: QuietTerms,
): string | null {
  if (state === null) return 'nothing is known yet'
  // Minutes at most: then it is cleared, or refused.
  if (isToBeTakenAgain) return 'the other boxes may take the release in the other slot again'
  const { phase, os } = state
  // Of a release that does not come, the other slot knows nothing yet.
  if (phase !== 'idle' && phase !== 'waiting' && !isStalled(state)) return 'a release is under way'
  if (isComing(state)) return 'a release is to come, or to be tried'
  if (os !== null && os.phase !== 'idle' && os.phase !== 'waiting')
    return 'an operating system is under way'
  if (box !== null && !box.isReady) return 'the box is starting'
  const moment = rightMoment({ isTimeKnown: true, isAskedFor: true, holds: [], box, policy })
  return moment.find(({ isMet }) => !isMet)?.words ?? null
}

/**
 * What nothing keeps from being fetched is fetched in a moment; what has failed to come is tried again later and later. What
 * is there and waits for a person may wait for days, in which neither slot is to rot: it is heard of within a second.
 */
const isComing = ({ phase, unmet, trouble }: OtaState): boolean =>
  phase === 'waiting' &&
  trouble === null &&
  !unmet.some(({ step }) => IN_THE_WAY.has(step)) &&
  (!unmet.some(({ name }) => FOR_A_PERSON.has(name)) ||
    unmet.some(({ name }) => name === 'in-slot'))

const FOR_A_PERSON: ReadonlySet<string> = new Set(['hold', 'asked'])
const IN_THE_WAY: ReadonlySet<OtaState['unmet'][number]['step']> = new Set(['take', 'fetch'])

const isStalled = ({ phase, unmet }: OtaState): boolean =>
  phase === 'fetching' && unmet.some(({ name }) => name === 'pieces')

/**
 * Whether what an update has left in the other slot may give way. Half a release starts no box: it is in the way as soon as
 * nothing comes of it, and is written again from what was fetched. What is written as a whole cost the uplink something: it
 * stays until a look at the repository has found that nobody orders it.
 */
export function isNobodys(state: OtaState | null, left: 'unfinished' | 'prepared'): boolean {
  if (state === null) return false
  if (left === 'unfinished')
    return state.candidate === null || state.phase === 'waiting' || isStalled(state)
  return state.candidate === null && state.checked?.isFresh === true
}
