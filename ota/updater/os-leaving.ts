/** When a box leaves a system on trial that nobody can judge, because the machine does not say what runs; every reason, met or not. */
import { SILENT_REBOOTS_MAX } from '../os/silent-trial.js'
import type { BoxView, Criterion } from './criteria.js'
import type { CurrentHold } from './holds.js'
import { criterion, holdOf, no, quietBox, yes } from './shared-criteria.js'

const MS_PER_SECOND = 1_000

export interface LeavingView {
  /** What the machine says in place of an answer. */
  readonly words: string
  /** Since it was asked first, in this boot. */
  readonly waitedMs: number
  /** It has as long as the gate of a trial. */
  readonly deadlineMs: number
  /** That were made already, in vain. */
  readonly reboots: number
  /** Null: it has not answered for a minute, or never did. */
  readonly box: BoxView | null
  /** A release has to prove itself, or is just being started. */
  readonly isAppOnTrial: boolean
  readonly holds: readonly CurrentHold[]
  /** Which box of the venue is in the way; null: none. */
  readonly turn: string | null
  /** What the last try of a reboot ended with; null: there was none. */
  readonly refusal: string | null
}

/** The first one is never met: it is why. */
export function judgeLeaving(view: LeavingView): readonly Criterion[] {
  const { words, waitedMs, deadlineMs, reboots, box, holds, turn, refusal } = view
  const leftSeconds = Math.ceil((deadlineMs - waitedMs) / MS_PER_SECOND)
  const mayReboot = reboots < SILENT_REBOOTS_MAX
  const then = mayReboot ? '; then the box reboots, and its boot loader goes back in the end' : ''
  return [
    no('switch', 'answer', `nobody can judge the system on trial: ${words}`),
    criterion('switch', 'waited', leftSeconds <= 0, {
      met: 'it has had its time to answer',
      unmet: `it has ${leftSeconds} s to answer${then}`,
    }),
    criterion('switch', 'reboots', mayReboot, {
      met: `the box has rebooted ${reboots} times for that, and may ${SILENT_REBOOTS_MAX} times`,
      unmet: `${reboots} reboots have not led back: the box stays as it is. "roadcase ota rollback --os" reboots once more; else the card is to be written anew`,
    }),
    // As at the end of any trial: a box that has not answered for a minute has no show.
    ...(box === null
      ? [yes('switch', 'box', 'the box does not answer, and has no show')]
      : quietBox(box)),
    criterion('switch', 'no-trial', !view.isAppOnTrial, {
      met: 'no release is on trial',
      unmet: 'a release of Roadcase is on trial: a reboot would count against it',
    }),
    holdOf(holds),
    criterion('switch', 'turn', turn === null, {
      met: 'no other box of the venue is in the way',
      unmet: turn ?? '',
    }),
    ...(refusal === null ? [] : [no('switch', 'reboot', `it cannot reboot: ${refusal}`)]),
  ]
}
