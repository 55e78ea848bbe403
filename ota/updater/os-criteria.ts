/** Why a box does not take an operating system, or not now: every criterion, met or not, as for releases. */
import { type OsDescription, objectsOf } from '../os/os-description.js'
import type { OsImage } from '../os/os-state.js'
import type { OsStatus } from '../os/os-system.js'
import { compareVersions } from '../release/version-order.js'
import type { BoxView, Criterion, FleetView } from './criteria.js'
import type { CurrentHold } from './holds.js'
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

export interface OsCriteriaView {
  readonly status: OsStatus
  /** What the tour orders; null: nothing, for the reason given by `orderTrouble`. */
  readonly ordered: { readonly description: OsDescription; readonly image: OsImage } | null
  readonly orderTrouble: string
  readonly isTimeKnown: boolean
  /** Of Roadcase, as it runs. */
  readonly version: string
  readonly architecture: string
  /** What the machine itself has against it. */
  readonly machineWhys: readonly string[]
  /** A release has to prove itself, or is just being started. */
  readonly isAppOnTrial: boolean
  /** Its objects are on the disk. */
  readonly isFetched: boolean
  readonly roomBytes: number | null
  readonly box: BoxView | null
  readonly fleet: FleetView | null
  /** Why another box of the venue comes first; null: none does. Undefined: this box is alone. */
  readonly turn: string | null | undefined
  readonly holds: readonly CurrentHold[]
  readonly isMetered: boolean
  /** Of RAUC; else images of partitions. */
  readonly takesBundles: boolean
  readonly policy: UpdaterPolicy
  readonly isAskedFor: boolean
}

const SHORT_DIGEST = 12

/** Every criterion, in the order in which they are looked at. */
export function judgeOs(view: OsCriteriaView): readonly Criterion[] {
  const { ordered } = view
  if (ordered === null) return [no('take', 'order', view.orderTrouble)]
  return [
    ...toTake(view, ordered.description, ordered.image),
    ...toFetch(view, ordered.description, ordered.image),
    criterion('switch', 'written', isWritten(view.status, ordered.image), {
      met: 'it is written, verified',
      unmet: 'it is not written yet',
    }),
    ...rightMoment(view),
    ...fleetOf(view.fleet, ordered.description.version, {
      healthyPercentMin: view.policy.fleetHealthyPercentMin,
      failedMax: view.policy.fleetSystemFailedMax,
    }),
    ...turnOf(view.turn),
  ]
}

/** At a venue the boxes reboot one after the other. */
function turnOf(turn: OsCriteriaView['turn']): Criterion[] {
  if (turn === undefined) return []
  const words = { met: 'no other box of the venue is in the way', unmet: turn ?? '' }
  return [criterion('switch', 'turn', turn === null, words)]
}

export function isWritten({ running, slots }: OsStatus, { digest }: OsImage): boolean {
  const slot = slots[running === 'a' ? 'b' : 'a']
  return slot.kind === 'written' && slot.image.digest === digest
}

export function doesRun({ running, slots }: OsStatus, { digest }: OsImage): boolean {
  const slot = slots[running]
  return slot.kind !== 'unknown' && slot.image?.digest === digest
}

function toTake(view: OsCriteriaView, description: OsDescription, image: OsImage): Criterion[] {
  const { version, boards, architecture, minimumRelease } = description
  const { status, machineWhys } = view
  const refusal = status.refused.find(({ digest }) => digest === image.digest)
  const { floor } = status
  const isAboveFloor = floor === null || compareVersions(version, floor) >= 0
  const isKnown = refusal !== undefined || !isAboveFloor
  return [
    criterion('take', 'news', !doesRun(status, image), {
      met: `${version} is another operating system than the running one`,
      unmet: `${version} runs already`,
    }),
    criterion('take', 'architecture', architecture === view.architecture, {
      met: `it is for ${architecture}`,
      unmet: `it is for ${architecture}, and this box is ${view.architecture}`,
    }),
    formOf(description, view.takesBundles),
    boardOf(boards, view.box?.board ?? null),
    criterion(
      'take',
      'release',
      minimumRelease === null || compareVersions(view.version, minimumRelease) >= 0,
      {
        met: `Roadcase ${view.version} runs on it`,
        unmet: `it needs Roadcase ${minimumRelease} at least, and this is ${view.version}: order that first`,
      },
    ),
    criterion('take', 'floor', isAboveFloor, {
      met: floor === null ? 'there is no floor' : `it is not below the floor, ${floor}`,
      unmet: `it is below ${floor}, the oldest that this box takes since a newer one was found good`,
    }),
    criterion('take', 'not-refused', refusal === undefined, {
      met: 'it has not failed here',
      unmet: `it has failed here: ${refusal?.why}; "roadcase ota clear ${image.digest.slice(0, SHORT_DIGEST)}" lets it try again`,
    }),
    criterion('take', 'machine', isKnown || machineWhys.length === 0, {
      met: 'the machine can start it',
      unmet: machineWhys.join('; '),
    }),
    criterion('take', 'no-trial', !view.isAppOnTrial && !status.isTrial, {
      met: 'nothing else is on trial',
      unmet: status.isTrial
        ? 'the running operating system is on trial, and the other one is the way back'
        : 'a release of Roadcase is on trial',
    }),
  ]
}

function formOf({ bundle }: OsDescription, takesBundles: boolean): Criterion {
  const isBundle = bundle !== undefined
  const what = isBundle ? 'a bundle of RAUC' : 'two images of partitions'
  return criterion('take', 'form', isBundle === takesBundles, {
    met: `it is ${what}`,
    unmet: `it is ${what}, and "kind" of "os" in ota.json is ${takesBundles ? 'rauc' : 'tryboot'}`,
  })
}

function toFetch(view: OsCriteriaView, description: OsDescription, image: OsImage): Criterion[] {
  if (isWritten(view.status, image) || view.isFetched)
    return [yes('fetch', 'fetched', 'it is on the card')]
  const objectBytes = objectsOf(description).reduce((sum, { byteCount }) => sum + byteCount, 0)
  // RAUC is given a file of its own.
  const bundleBytes = description.bundle?.byteCount ?? 0
  return [
    room(objectBytes + bundleBytes, view.roomBytes),
    uplink(view.isMetered, view.policy.mayUseMetered || view.isAskedFor),
  ]
}
