/** Criteria that a release and an operating system have in common. */
import type { BoxView, Criterion, FleetView, Step } from './criteria.js'
import type { CurrentHold } from './holds.js'
import type { UpdaterPolicy } from './updater-config.js'

export const yes = (step: Step, name: string, words: string): Criterion => ({
  step,
  name,
  isMet: true,
  words,
})
export const no = (step: Step, name: string, words: string): Criterion => ({
  step,
  name,
  isMet: false,
  words,
})
export const criterion = (
  step: Step,
  name: string,
  isMet: boolean,
  words: { readonly met: string; readonly unmet: string },
): Criterion => (isMet ? yes(step, name, words.met) : no(step, name, words.unmet))

export function boardOf(boards: readonly string[] | null, board: string | null): Criterion {
  if (boards === null) return yes('take', 'board', 'it is for every board')
  const known = board === null ? 'the box does not say what it runs on' : `this board is ${board}`
  return criterion('take', 'board', board !== null && boards.includes(board), {
    met: `it is for this board, ${board}`,
    unmet: `it is for ${boards.join(', ')}, and ${known}`,
  })
}

/** @param isAllowed whether a person or ota.json has said that it may cost */
export const uplink = (isMetered: boolean, isAllowed: boolean): Criterion =>
  criterion('fetch', 'uplink', !isMetered || isAllowed, {
    met: isMetered ? 'the metered uplink may be used' : 'the uplink is not metered',
    unmet:
      'the uplink is metered: it waits for another box of the venue, a stick, "mayUseMetered" in ota.json, or "roadcase ota apply"',
  })

/** Whether there is room for so many bytes more, and some to spare. @param bytes free, and giving way; null: nobody can tell */
export function room(byteCount: number, bytes: number | null): Criterion {
  const needed = byteCount + SPARE_BYTES
  return criterion('fetch', 'room', bytes === null || bytes >= needed, {
    met: 'there is room on the card',
    unmet: `it needs ${megabytes(needed)} MB of the card, and there are ${megabytes(bytes ?? 0)}, with what gives way to it: remove what is not of the box`,
  })
}

interface Moment {
  /** False: the order may be of the past. */
  readonly isTimeKnown: boolean
  readonly isAskedFor: boolean
  readonly holds: readonly CurrentHold[]
  readonly box: BoxView | null
  readonly policy: UpdaterPolicy
}

/** What is asked of the moment, whatever is to be switched to. */
export const rightMoment = ({
  isTimeKnown,
  isAskedFor,
  holds,
  box,
  policy,
}: Moment): Criterion[] => [
  criterion('switch', 'time', isTimeKnown, {
    met: 'the order is of the present',
    unmet:
      'the box does not know the date, so nobody knows whether the order still holds: it waits for a time server, the venue, or "roadcase clock set"',
  }),
  criterion('switch', 'asked', policy.activation === 'automatic' || isAskedFor, {
    met: policy.activation === 'automatic' ? 'releases are taken as ordered' : 'it was asked for',
    unmet: '"activation" in ota.json is "manual": it waits for "roadcase ota apply"',
  }),
  holdOf(holds),
  ...quietBox(box),
  battery(box, policy),
]

export const holdOf = (holds: readonly CurrentHold[]): Criterion =>
  criterion('switch', 'hold', holds.length === 0, {
    met: 'nobody holds it back',
    unmet: holds.map(wordsOfHold).join('; '),
  })

export function quietBox(box: BoxView | null): Criterion[] {
  if (box === null)
    return [no('switch', 'box', 'the box does not say whether a show is on: it is not disturbed')]
  return [
    criterion('switch', 'not-armed', !box.isArmed, {
      met: 'no show is armed',
      unmet: 'a show is armed: it waits until the show is disarmed',
    }),
    criterion('switch', 'no-cue', box.runningCues === 0, {
      met: 'no cue is running',
      unmet: `${box.runningCues} cues are running`,
    }),
    criterion('switch', 'no-panic', !box.isPanic, {
      met: 'there is no panic',
      unmet: 'there is a PANIC, which a person ends',
    }),
  ]
}

function battery(box: BoxView | null, { batteryPercentMin }: UpdaterPolicy): Criterion {
  const power = box?.power ?? null
  if (power === null) return yes('switch', 'battery', 'there is no battery to watch')
  if (power.isOnMains === true) return yes('switch', 'battery', 'the box is on mains')
  if (power.percent === null)
    return no('switch', 'battery', 'the box is on battery, and nobody knows how full it is')
  return criterion('switch', 'battery', power.percent >= batteryPercentMin, {
    met: `the battery has ${Math.round(power.percent)} %`,
    unmet: `the battery has ${Math.round(power.percent)} %, and ${batteryPercentMin} are wanted, or mains`,
  })
}

interface FleetTerms {
  /** So many of the other boxes must be well. */
  readonly healthyPercentMin: number
  /** So many may have gone back from it. */
  readonly failedMax: number
}

/** Whether there are enough boxes left to take one away for a moment, and what others have suffered from it. */
export function fleetOf(
  fleet: FleetView | null,
  version: string,
  { healthyPercentMin, failedMax }: FleetTerms,
): Criterion[] {
  if (fleet === null || (fleet.heard === 0 && fleet.failed.length === 0))
    return [yes('switch', 'fleet', 'no other box of the tour is heard')]
  const { healthy, heard } = fleet
  const percent = heard === 0 ? 100 : Math.floor((100 * healthy) / heard)
  const failed = fleet.failed.join(', ')
  return [
    criterion('switch', 'fleet', percent >= healthyPercentMin, {
      met: `${healthy} of ${heard} other boxes are well`,
      unmet: `only ${healthy} of ${heard} other boxes are well: ${healthyPercentMin} % are wanted`,
    }),
    criterion('switch', 'fleet-failures', fleet.failed.length <= failedMax, {
      met: failed === '' ? `nobody went back from ${version}` : `only ${failed} went back from it`,
      unmet: `${failed} went back from ${version}, or did not come back, and no more than ${failedMax} may: it is tried again when it was cleared on each of them ("roadcase ota clear ${version}")`,
    }),
  ]
}

function wordsOfHold({ owner, reason, id, leftMinutes }: CurrentHold): string {
  const left = `${Math.floor(leftMinutes / 60)} h ${leftMinutes % 60} min`
  return `${owner} holds it back for ${left} more: ${reason} ("roadcase ota hold --release ${id}" ends that)`
}

/** Room that is left to the box when it has all of it. */
const SPARE_BYTES = 64 * 1024 * 1024
const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6)
