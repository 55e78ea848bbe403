/**
 * Why a box does not take a release, or not now: every criterion, met or not, in words. One list for `roadcase ota why`,
 * for the page and for the updater itself, so that nobody is told another reason than the one that counts.
 */
import type { ReleaseDescription } from '../release/description.js'
import { compareVersions } from '../release/version-order.js'
import { usableObjects } from './choice-of-object.js'
import type { CurrentHold } from './holds.js'
import type { SlotView } from './parts.js'
import {
  boardOf,
  criterion,
  fleetOf,
  no,
  rightMoment,
  room,
  uplink,
  yes,
} from './shared-criteria.js'
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
  /** False: it is what was ordered before the start. */
  readonly isLooked: boolean
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
  /** It lies there since it ran before, and nothing is known to be wrong with it: what is left is to read it as a whole. */
  readonly isLying: boolean
  /** Free bytes of the card, and those that give way to the release; null where nobody can tell. */
  readonly roomBytes: number | null
  /** Why an operating system keeps releases from being tried; null: it does not. Absent: nobody updates any here. */
  readonly systemTrial?: string | null | undefined
  /** For how long nothing has come of it while it is fetched; null: it comes, or is not fetched. */
  readonly stalledSeconds: number | null
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

/** What a file takes beyond its bytes, on an average: half a block of the card. */
const FILE_BYTES = 2048
const SHORT_DIGEST = 12

const ASKED_SOON =
  'the repository is asked within a minute of the start, or by "roadcase ota check"'

/** Every criterion, in the order in which they are looked at. */
export function judge(view: CriteriaView): readonly Criterion[] {
  const { description } = view
  if (description === null)
    return [
      no('take', 'order', view.orderTrouble ?? `nothing is known of the tour yet: ${ASKED_SOON}`),
    ]
  // Nothing else is asked of what runs.
  if (view.running?.digest === description.manifest.sha256) return [runs(view, description)]
  return [
    ...(view.isLooked
      ? []
      : [no('take', 'looked', `${description.version} was ordered; ${ASKED_SOON}`)]),
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
const FORCEABLE = ['asked', 'box', 'hold', 'battery', 'fleet', 'fleet-failures', 'turn', 'uplink']

/** As `unmet`, less what a person may overrule and has. */
export const unforced = (criteria: readonly Criterion[], step: Step): readonly Criterion[] =>
  unmet(criteria, step).filter(({ name }) => !FORCEABLE.includes(name))

const runs = ({ isOnTrial }: CriteriaView, { version }: ReleaseDescription): Criterion =>
  no(
    'take',
    'news',
    isOnTrial
      ? `${version} runs, on trial`
      : `${version} is ordered, and runs: there is nothing to take`,
  )

function toTake(view: CriteriaView, description: ReleaseDescription): Criterion[] {
  const { version, architecture, boards, minimumUpdater, manifest } = description
  const refusal = view.refused.find(({ digest }) => digest === manifest.sha256)
  const { floor } = view
  return [
    yes('take', 'news', `${version} is another release than the running one`),
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

function toFetch(view: CriteriaView, description: ReleaseDescription): Criterion[] {
  if (view.isPrepared) return [yes('fetch', 'prepared', 'it is in the other slot, verified')]
  if (view.isLying) return [yes('fetch', 'lying', 'it is in the other slot since it ran before')]
  return [
    room(neededBytes(description, view.running?.digest ?? null), view.roomBytes),
    uplink(view.isMetered, view.policy.mayUseMetered || view.isAskedFor),
  ]
}

/** In the slot, beside the object that it is made of: the one that is tried first. */
function neededBytes(description: ReleaseDescription, base: string | null): number {
  const { treeByteCount, treeFileCount } = description
  const objectBytes = usableObjects(description, base)[0]?.byteCount ?? 0
  return treeByteCount + treeFileCount * FILE_BYTES + objectBytes
}

function toSwitch(view: CriteriaView, description: ReleaseDescription): Criterion[] {
  return [
    criterion('switch', 'in-slot', view.isPrepared, {
      met: 'it is in the other slot, verified',
      unmet: 'it is not in the other slot yet',
    }),
    ...comes(view),
    reversible(view.formats),
    ...besideSystems(view.systemTrial),
    // Of what was ordered before the start nothing was judged yet: `looked` says so.
    ...rightMoment(view).filter(({ name }) => view.isLooked || name !== 'time'),
    ...fleetOf(view.fleet, description.version, {
      healthyPercentMin: view.policy.fleetHealthyPercentMin,
      failedMax: view.policy.fleetFailedMax,
    }),
  ]
}

/** Without it, zero percent for ten minutes would be all that people see. */
function comes({ stalledSeconds }: CriteriaView): Criterion[] {
  if (stalledSeconds === null) return []
  const words = `nothing of it has come for ${stalledSeconds} s: no stick, repository or other box that may be asked and answers has the rest`
  return [no('switch', 'pieces', words)]
}

/** Two that are new at once, and nobody could tell which of them fails. */
function besideSystems(systemTrial: CriteriaView['systemTrial']): Criterion[] {
  if (systemTrial === undefined) return []
  const words = { met: 'no operating system is on trial', unmet: systemTrial ?? '' }
  return [criterion('switch', 'no-os-trial', systemTrial === null, words)]
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
