/**
 * What is known of the two operating systems, and every step from one state to the next, as pure functions. What starts is
 * not decided here but by one digit of autoboot.txt: this is the memory beside it, and `settle` makes the two agree.
 */
import { assert, BoxError } from '../../runtime/core/errors.js'
import { compareVersions } from '../release/version-order.js'
import {
  higher,
  otherSlot,
  REFUSALS_MAX,
  type Refusal,
  type SlotName,
  WHY_LETTERS_MAX,
} from '../slots/slot-state.js'

/** Each has two partitions of its own; the one with the data belongs to both. */
export type OsName = SlotName
export const osNames = ['a', 'b'] as const
export const otherOs = otherSlot

/** In the order in which they are written: what the firmware starts comes last. */
export const osParts = ['root', 'boot'] as const
export type OsPart = (typeof osParts)[number]

export interface PartImage {
  readonly byteCount: number
  readonly sha256: string
}

interface NamedImage {
  /** 64 lower-case hexadecimal digits, over the digests of its parts. */
  readonly digest: string
  readonly version: string
  /** Once it is found good, nothing below this version is taken; null: no new floor. */
  readonly floor: string | null
}

/** What whole partitions hold, for a machine whose firmware chooses. */
export interface PartitionImage extends NamedImage {
  readonly boot: PartImage
  readonly root: PartImage
}

/** What RAUC installs, for a machine that has it. */
export interface BundleImage extends NamedImage {
  readonly bundle: PartImage
  /** What RAUC said is in it when it was written; none before that. */
  readonly slots: readonly SlotImage[]
}

export interface SlotImage extends PartImage {
  readonly slotClass: string
  /** Whether the medium gives it back as it was signed; else only RAUC's word is there. */
  readonly isReadable: boolean
}

export type OsImage = PartitionImage | BundleImage

export const isBundle = (image: OsImage): image is BundleImage => 'bundle' in image

export type OsSlot =
  /** Nothing is known of it, or nothing of use is in it. */
  | { readonly kind: 'unknown' }
  /** Being written: its boot partition has no beginning. */
  | { readonly kind: 'writing'; readonly image: OsImage }
  /** Complete and verified. `attempts`: how many trials of it ended before anybody could judge. */
  | { readonly kind: 'written'; readonly image: OsImage; readonly attempts: number }
  /** A trial was asked for in the boot `askedIn`; it runs if the system that runs is this one. */
  | {
      readonly kind: 'trial'
      readonly image: OsImage
      readonly attempts: number
      readonly askedIn: string
      /** That nobody could judge it, where the box has left it for that; null: it was not left so. */
      readonly silence: OsSilence | null
    }
  /** Has passed its trial; null: it was on the card from the beginning. */
  | { readonly kind: 'good'; readonly image: OsImage | null }
  | { readonly kind: 'failed'; readonly image: OsImage; readonly why: string }

/** Of a trial on which the machine did not say what runs. */
export interface OsSilence {
  /** In how many boots the box has asked for a reboot out of it, so that the boot loader counts. */
  readonly reboots: number
  /** The last of these boots. */
  readonly countedIn: string
  /** Whether it had been written to its end when it was started: else it may be left, and never found good. */
  readonly isWhole: boolean
  readonly why: string
}

/** What the kernel said of where it comes from when what is no trial ran last. */
export interface OsHome {
  readonly name: OsName
  readonly startedFrom: string
}

export type OsTrial = Extract<OsSlot, { readonly kind: 'trial' }>

export interface OsState {
  readonly slots: { readonly a: OsSlot; readonly b: OsSlot }
  /** Only ever rises. */
  readonly floor: string | null
  readonly refused: readonly Refusal[]
  /** Null: the kernel does not say it, or the firmware says more. */
  readonly home: OsHome | null
}

/** What the firmware says. */
export interface OsFacts {
  readonly running: OsName
  /** What a plain reboot starts. */
  readonly usual: OsName
  readonly bootId: string
}

export const nothingKnown: OsState = {
  slots: { a: { kind: 'unknown' }, b: { kind: 'unknown' } },
  floor: null,
  refused: [],
  home: null,
}

/** Trials that end in the old system without a word: the power may go once. */
export const OS_ATTEMPTS_MAX = 2

/** What runs is left with the next reboot, and nobody has found it good, whoever started it. */
export const isTrial = ({ slots }: OsState, { running, usual }: OsFacts): boolean =>
  running !== usual && slots[running].kind !== 'good'

/** Whether a trial may be on, as far as the records alone can tell: one was asked for, or somebody could have started it. */
export const mayBeTrial = (known: OsState | null): boolean =>
  osNames.some(name => ['trial', 'written'].includes((known ?? nothingKnown).slots[name].kind))

/** What the last boots mean. To be done first, and with every look at the firmware: it may be done any number of times. */
export function settle(state: OsState, facts: OsFacts): OsState {
  const settled = settleRunning(state, facts)
  const other = otherOs(facts.running)
  const slot = settled.slots[other]
  if (slot.kind !== 'trial') return settled
  const { image, attempts, askedIn, silence } = slot
  // The updater ended and the machine did not: there was no trial.
  if (askedIn === facts.bootId)
    return withSlot(settled, other, { kind: 'written', image, attempts: attempts - 1 })
  if (silence !== null) {
    const boots = silence.reboots === 1 ? 'a boot' : `${silence.reboots} boots`
    return fail(settled, other, `nobody could judge it in ${boots}: ${silence.why}`)
  }
  if (attempts < OS_ATTEMPTS_MAX)
    return withSlot(settled, other, { kind: 'written', image, attempts })
  return fail(settled, other, `it came back ${attempts} times without a word`)
}

function settleRunning(state: OsState, facts: OsFacts): OsState {
  const { running, usual } = facts
  const slot = state.slots[running]
  if (running !== usual) return state
  if (slot.kind === 'unknown') return withSlot(state, running, { kind: 'good', image: null })
  // The digit was changed and the record was not: a cut in `markGood`, or a person who knows better.
  if (slot.kind === 'trial' || slot.kind === 'written') return found(state, running, slot.image)
  return state
}

const found = (state: OsState, name: OsName, image: OsImage): OsState => ({
  ...withSlot(state, name, { kind: 'good', image }),
  floor: higher(state.floor, image.floor),
})

/** Null: nothing stands against it. */
export function whyNotWrite(state: OsState, facts: OsFacts, image: OsImage): string | null {
  if (isTrial(state, facts))
    return `system ${facts.running} is on trial, and the other one is the way back`
  const known = state.refused.find(({ digest }) => digest === image.digest)
  if (known) return `${image.version} failed: ${known.why}`
  if (isBelowFloor(state, image))
    return `${image.version} is below ${state.floor}, the oldest system that this box takes`
  if (state.refused.length >= REFUSALS_MAX)
    return `${REFUSALS_MAX} systems have failed here: clear some of them first`
  return null
}

const isBelowFloor = ({ floor }: OsState, { version }: OsImage): boolean =>
  floor !== null && compareVersions(version, floor) < 0

/** From now on what does not run may be overwritten. @throws BoxError `os.refused` with the reason */
export function beginWrite(state: OsState, facts: OsFacts, image: OsImage): OsState {
  const reason = whyNotWrite(state, facts, image)
  if (reason !== null) throw refusal(reason)
  return withSlot(state, otherOs(facts.running), { kind: 'writing', image })
}

export function finishWrite(state: OsState, target: OsName): OsState {
  const slot = state.slots[target]
  assert(slot.kind === 'writing', 'what is finished was begun')
  return withSlot(state, target, { kind: 'written', image: slot.image, attempts: 0 })
}

/** What is in it is of no use. */
export const forget = (state: OsState, target: OsName): OsState =>
  withSlot(state, target, { kind: 'unknown' })

/** Null: nothing stands against a trial of what is written. */
export function whyNotTry(state: OsState, facts: OsFacts, isAppOnTrial: boolean): string | null {
  if (isTrial(state, facts)) return `system ${facts.running} is on trial already`
  // Two that are new at once, and nobody could tell which of them fails.
  if (isAppOnTrial) return 'a release of Roadcase is on trial'
  if (state.slots[otherOs(facts.running)].kind !== 'written') return 'no system is written'
  return null
}

/** To be on the disk before the firmware is told. @throws BoxError `os.refused` with the reason */
export function beginTrial(state: OsState, facts: OsFacts, isAppOnTrial: boolean): OsState {
  const reason = whyNotTry(state, facts, isAppOnTrial)
  if (reason !== null) throw refusal(reason)
  const target = otherOs(facts.running)
  const slot = state.slots[target]
  assert(slot.kind === 'written', 'what is tried was written')
  const { image, attempts } = slot
  const askedIn = facts.bootId
  const trial = { kind: 'trial', image, attempts: attempts + 1, askedIn, silence: null } as const
  return withSlot(state, target, trial)
}

/** A trial that somebody else has begun. */
export const startedUnasked = (image: OsImage, attempts: number): OsTrial => ({
  ...{ kind: 'trial', image, attempts: attempts + 1, askedIn: '', silence: null },
})

/** Null: what runs is on trial, as was asked for, and may be found good. */
export function whyNotGood(state: OsState, facts: OsFacts): string | null {
  const slot = state.slots[facts.running]
  if (!isTrial(state, facts) && slot.kind === 'good') return null
  if (!isTrial(state, facts)) return `system ${facts.running} is not on trial`
  if (slot.kind !== 'trial') return `system ${facts.running} was started by somebody else`
  if (isTorn(slot)) return `system ${facts.running} was not written to its end`
  return null
}

/** The trial is over, and passed. Only here the floor rises. Twice is once. @throws BoxError `os.refused` */
export function markGood(state: OsState, facts: OsFacts): OsState {
  const reason = whyNotGood(state, facts)
  if (reason !== null) throw refusal(reason)
  const slot = state.slots[facts.running]
  return slot.kind === 'trial' ? found(state, facts.running, slot.image) : state
}

/** It runs, and is left, though it was never written to its end. */
export const isTorn = (slot: OsSlot): boolean =>
  slot.kind === 'trial' && slot.silence?.isWhole === false

/** The system is refused from now on. One without a name cannot be refused; one that a cut left half-written has not failed. */
export function fail(state: OsState, name: OsName, why: string): OsState {
  const slot = state.slots[name]
  if (slot.kind === 'unknown' || slot.image === null || isTorn(slot)) return forget(state, name)
  const { image } = slot
  const short = why.slice(0, WHY_LETTERS_MAX)
  const known = state.refused.filter(({ digest }) => digest !== image.digest)
  const one = { digest: image.digest, version: image.version, why: short }
  return {
    ...withSlot(state, name, { kind: 'failed', image, why: short }),
    refused: [...known, one],
  }
}

/** The good system to go back to from what runs; null: none, or one below the floor, or of unknown age where there is one. */
export function wayBackOs(state: OsState, facts: OsFacts): OsName | null {
  const other = otherOs(facts.running)
  // Out of a trial there is always a way: the firmware has chosen it.
  if (isTrial(state, facts)) return other
  const slot = state.slots[other]
  if (slot.kind !== 'good') return null
  const isLate = slot.image === null ? state.floor === null : !isBelowFloor(state, slot.image)
  return isLate ? other : null
}

/** A person says that a system that failed may be tried again. Unknown digests change nothing. */
export function clear(state: OsState, digest: string): OsState {
  const refused = state.refused.filter(one => one.digest !== digest)
  const name = osNames.find(one => {
    const slot = state.slots[one]
    return slot.kind === 'failed' && slot.image.digest === digest
  })
  const slot = name && state.slots[name]
  if (name === undefined || slot?.kind !== 'failed') return { ...state, refused }
  const written: OsSlot = { kind: 'written', image: slot.image, attempts: 0 }
  return { ...withSlot(state, name, written), refused }
}

export const withSlot = (state: OsState, name: OsName, slot: OsSlot): OsState => ({
  ...state,
  slots: { ...state.slots, [name]: slot },
})

export const refusal = (why: string): BoxError => new BoxError('os.refused', why)
