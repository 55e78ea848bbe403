/**
 * Why a box does not take a release, or not now: every criterion, met or not, in words. One list for `roadcase ota why`,
 * for the page and for the updater itself, so that nobody is told another reason than the one that counts.
 */
import type { ReleaseDescription } from '../release/description.js'
import { compareVersions } from '../release/version-order.js'
import { usableObjects } from './choice-of-object.js'
import type { CurrentHold } from './holds.js'
import type { SlotView } from './parts.js'
import type { UpdaterPolicy } from './updater-config.js'

/** How far a release may go: known of, into the other slot, running. */
export type Step = 'take' | 'fetch' | 'switch'

export interface Criterion {
  readonly step: Step
  /** A stable word for programs. */
  readonly name: string
  readonly isMet: boolean
  /** A sentence for people, whether it is met or not. */
  readonly words: string
}

export interface RunningRelease {
  readonly digest: string
  readonly version: string
}

/** What the running box says of itself that matters here; null while it cannot be asked. */
export interface BoxView {
  readonly board: string
  readonly isReady: boolean
  /** Whether it knows the date. */
  readonly isUtcKnown: boolean
  readonly isArmed: boolean
  readonly isPanic: boolean
  /** Cues that are being carried out. */
  readonly runningCues: number
  /** Null where there is no battery to watch. */
  readonly power: { readonly percent: number | null; readonly isOnMains: boolean | null } | null
}

/** Boxes of the same tour, as far as this one hears them. */
export interface FleetView {
  readonly heard: number
  readonly healthy: number
  /** That went back from this release, or refuse it. */
  readonly failed: readonly string[]
}

export interface CriteriaView {
  /** What the tour orders; null: nothing, for the reason given by `orderTrouble`. */
  readonly description: ReleaseDescription | null
  readonly orderTrouble: string | null
  /** False: the order may be of the past. */
  readonly isTimeKnown: boolean
  /** The runtime that judges. */
  readonly updaterVersion: string
  readonly architecture: string
  /** Null on a box that was not installed by an update. */
  readonly running: RunningRelease | null
  readonly floor: string | null
  readonly refused: readonly { readonly digest: string; readonly why: string }[]
  readonly isOnTrial: boolean
  /** The release lies in the other slot, verified. */
  readonly isPrepared: boolean
  /** Free bytes of the card, and those that give way to the release; null where nobody can tell. */
  readonly roomBytes: number | null
  readonly formats: SlotView['formats']
  readonly box: BoxView | null
  readonly fleet: FleetView | null
  readonly holds: readonly CurrentHold[]
  /** Everything fetched from now on costs money. */
  readonly isMetered: boolean
  readonly policy: UpdaterPolicy
  /** A person has said `apply` for this very release. */
  readonly isAskedFor: boolean
}

/** Room that is left to the box when a release has been installed. */
const SPARE_BYTES = 64 * 1024 * 1024
/** What a file takes beyond its bytes, on an average: half a block of the card. */
const FILE_BYTES = 2048
const SHORT_DIGEST = 12

/** Every criterion, in the order in which they are looked at. */
export function judge(view: CriteriaView): readonly Criterion[] {
  const { description } = view
  if (description === null)
    return [no('take', 'order', view.orderTrouble ?? 'nothing is known of the tour yet')]
  return [
    ...toTake(view, description),
    ...toFetch(view, description),
    ...toSwitch(view, description),
  ]
}

/** Those that stand in the way of a step: its own, and those of the steps before it. */
export function unmet(criteria: readonly Criterion[], step: Step): readonly Criterion[] {
  const steps: readonly Step[] = ['take', 'fetch', 'switch']
  const upTo = steps.slice(0, steps.indexOf(step) + 1)
  return criteria.filter(({ isMet, step: its }) => !isMet && upTo.includes(its))
}

/** Those that a person may overrule. An armed show is disarmed instead. */
const FORCEABLE = ['asked', 'box', 'hold', 'battery', 'fleet', 'fleet-failures', 'uplink']

/** As `unmet`, less what a person may overrule and has. */
export const unforced = (criteria: readonly Criterion[], step: Step): readonly Criterion[] =>
  unmet(criteria, step).filter(({ name }) => !FORCEABLE.includes(name))

const yes = (step: Step, name: string, words: string): Criterion => ({
  step,
  name,
  isMet: true,
  words,
})
const no = (step: Step, name: string, words: string): Criterion => ({
  step,
  name,
  isMet: false,
  words,
})
const criterion = (
  step: Step,
  name: string,
  isMet: boolean,
  words: { readonly met: string; readonly unmet: string },
): Criterion => (isMet ? yes(step, name, words.met) : no(step, name, words.unmet))

function toTake(view: CriteriaView, description: ReleaseDescription): Criterion[] {
  const { version, architecture, boards, minimumUpdater, manifest } = description
  const refusal = view.refused.find(({ digest }) => digest === manifest.sha256)
  const { floor, running } = view
  return [
    criterion('take', 'news', running?.digest !== manifest.sha256, {
      met: `${version} is another release than the running one`,
      unmet: `${version} runs already`,
    }),
    criterion('take', 'architecture', architecture === view.architecture, {
      met: `it is for ${architecture}`,
      unmet: `it is for ${architecture}, and this box is ${view.architecture}`,
    }),
    boardOf(boards, view.box?.board ?? null),
    criterion(
      'take',
      'updater',
      minimumUpdater === null || compareVersions(view.updaterVersion, minimumUpdater) >= 0,
      {
        met: `the updater, ${view.updaterVersion}, can install it`,
        unmet: `it needs an updater of ${minimumUpdater} at least, and this is ${view.updaterVersion}: order a release in between`,
      },
    ),
    criterion('take', 'floor', floor === null || compareVersions(version, floor) >= 0, {
      met: floor === null ? 'there is no floor' : `it is not below the floor, ${floor}`,
      unmet: `it is below ${floor}, the oldest that this box takes since a newer one was found good`,
    }),
    criterion('take', 'not-refused', refusal === undefined, {
      met: 'it has not failed here',
      unmet: `it has failed here: ${refusal?.why}; "roadcase ota clear ${manifest.sha256.slice(0, SHORT_DIGEST)}" lets it try again`,
    }),
    criterion('take', 'no-trial', !view.isOnTrial, {
      met: 'no other release is on trial',
      unmet: 'the running release is on trial, and the other slot is the way back',
    }),
  ]
}

function boardOf(boards: readonly string[] | null, board: string | null): Criterion {
  if (boards === null) return yes('take', 'board', 'it is for every board')
  const known = board === null ? 'the box does not say what it runs on' : `this board is ${board}`
  return criterion('take', 'board', board !== null && boards.includes(board), {
    met: `it is for this board, ${board}`,
    unmet: `it is for ${boards.join(', ')}, and ${known}`,
  })
}

function toFetch(view: CriteriaView, description: ReleaseDescription): Criterion[] {
  if (view.isPrepared) return [yes('fetch', 'prepared', 'it is in the other slot, verified')]
  const { roomBytes, policy } = view
  const needed = neededBytes(description, view.running?.digest ?? null)
  const isRoom = roomBytes === null || roomBytes >= needed
  return [
    criterion('fetch', 'room', isRoom, {
      met: 'there is room on the card',
      unmet: `it needs ${megabytes(needed)} MB of the card, and there are ${megabytes(roomBytes ?? 0)}, with what gives way to it: remove what is not of the box`,
    }),
    criterion('fetch', 'uplink', !view.isMetered || policy.mayUseMetered || view.isAskedFor, {
      met: view.isMetered ? 'the metered uplink may be used' : 'the uplink is not metered',
      unmet:
        'the uplink is metered: it waits for another box of the venue, a stick, "mayUseMetered" in ota.json, or "roadcase ota apply"',
    }),
  ]
}

/** In the slot, beside the object that it is made of: the one that is tried first. */
function neededBytes(description: ReleaseDescription, base: string | null): number {
  const { treeByteCount, treeFileCount } = description
  const objectBytes = usableObjects(description, base)[0]?.byteCount ?? 0
  return treeByteCount + treeFileCount * FILE_BYTES + objectBytes + SPARE_BYTES
}

function toSwitch(view: CriteriaView, description: ReleaseDescription): Criterion[] {
  const { box, holds, policy } = view
  return [
    criterion('switch', 'in-slot', view.isPrepared, {
      met: 'it is in the other slot, verified',
      unmet: 'it is not in the other slot yet',
    }),
    reversible(view.formats),
    criterion('switch', 'time', view.isTimeKnown, {
      met: 'the order is of the present',
      unmet:
        'the box does not know the date, so nobody knows whether the order still holds: it waits for a time server, the venue, or "roadcase clock set"',
    }),
    criterion('switch', 'asked', policy.activation === 'automatic' || view.isAskedFor, {
      met: policy.activation === 'automatic' ? 'releases are taken as ordered' : 'it was asked for',
      unmet: '"activation" in ota.json is "manual": it waits for "roadcase ota apply"',
    }),
    criterion('switch', 'hold', holds.length === 0, {
      met: 'nobody holds it back',
      unmet: holds.map(wordsOfHold).join('; '),
    }),
    ...quietBox(box),
    battery(box, policy),
    ...fleetHealth(view.fleet, policy, description),
  ]
}

/**
 * What the next release has written, this one must be able to read, or a trial that fails leaves a box that does not start:
 * nobody may want that. box.json is no part of it: no release ever writes it. docs/decisions/0079.
 */
function reversible(formats: SlotView['formats']): Criterion {
  if (formats === null)
    return yes('switch', 'reversible', 'nothing is known of another format of the state')
  const { running, prepared } = formats
  return criterion('switch', 'reversible', prepared.store <= running.store, {
    met: 'the running release can read what it writes: there is a way back',
    unmet: `it writes the state in format ${prepared.store}, and the running release reads ${running.store} at most: there would be no way back. Order a release in between that reads both and writes the older one`,
  })
}

function quietBox(box: BoxView | null): Criterion[] {
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

/** What others have suffered from a release, and whether there are enough boxes left to take one away for a moment. */
function fleetHealth(
  fleet: FleetView | null,
  { fleetHealthyPercentMin, fleetFailedMax }: UpdaterPolicy,
  { version }: ReleaseDescription,
): Criterion[] {
  if (fleet === null || fleet.heard === 0)
    return [yes('switch', 'fleet', 'no other box of the tour is heard')]
  const percent = Math.floor((100 * fleet.healthy) / fleet.heard)
  const failed = fleet.failed.join(', ')
  return [
    criterion('switch', 'fleet', percent >= fleetHealthyPercentMin, {
      met: `${fleet.healthy} of ${fleet.heard} other boxes are well`,
      unmet: `only ${fleet.healthy} of ${fleet.heard} other boxes are well: ${fleetHealthyPercentMin} % are wanted`,
    }),
    criterion('switch', 'fleet-failures', fleet.failed.length <= fleetFailedMax, {
      met: failed === '' ? `nobody went back from ${version}` : `only ${failed} went back from it`,
      unmet: `${failed} went back from ${version}: ${fleetFailedMax} may`,
    }),
  ]
}

function wordsOfHold({ owner, reason, id, leftMinutes }: CurrentHold): string {
  const left = `${Math.floor(leftMinutes / 60)} h ${leftMinutes % 60} min`
  return `${owner} holds it back for ${left} more: ${reason} ("roadcase ota hold --release ${id}" ends that)`
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6)
