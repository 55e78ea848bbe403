/** Whether the card may be written for something that has time. */
import type { BoxView } from '../updater/criteria.js'
import type { OtaState } from '../updater/parts.js'
import { rightMoment } from '../updater/shared-criteria.js'
import type { UpdaterPolicy } from '../updater/updater-config.js'

/**
 * Not while something is fetched, written, tried or about to be; nor while a show is armed, or the battery is low.
 * @returns for people; null: it may be
 */
export function whyNotQuiet(
  state: OtaState | null,
  box: BoxView | null,
  policy: UpdaterPolicy,
): string | null {
  if (state === null) return 'nothing is known yet'
  const { phase, os } = state
  if (phase !== 'idle' && phase !== 'waiting') return 'a release is under way'
  // What nothing keeps from being fetched is fetched again in a moment, should that have failed.
  const isComing = phase === 'waiting' && !state.unmet.some(({ step }) => IN_THE_WAY.has(step))
  if (isComing) return 'a release is to come, or to be tried'
  if (os !== null && os.phase !== 'idle' && os.phase !== 'waiting')
    return 'an operating system is under way'
  const moment = rightMoment({ isTimeKnown: true, isAskedFor: true, holds: [], box, policy })
  return moment.find(({ isMet }) => !isMet)?.words ?? null
}

const IN_THE_WAY: ReadonlySet<OtaState['unmet'][number]['step']> = new Set(['take', 'fetch'])
