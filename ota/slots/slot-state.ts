/**
 * What is known of the two slots, and every step from one state to the next, as pure functions. A state is written whole;
 * the record with the higher sequence number is the truth, and so writing one is the switch.
 */
import { assert, BoxError } from '../../runtime/core/errors.js'
import { compareVersions } from '../release/version-order.js'

export const slotNames = ['a', 'b'] as const
export type SlotName = (typeof slotNames)[number]

export const otherSlot = (slot: SlotName): SlotName => (slot === 'a' ? 'b' : 'a')

export interface Release {
  /** SHA-256 of the manifest: 64 lower-case hexadecimal digits. */
  readonly digest: string
  readonly version: string
  /** Once it is found good, nothing below this version is taken; null: no new floor. */
  readonly floor: string | null
}

export type Slot =
  | { readonly kind: 'empty' }
  /** Being written: whatever is in it is not to be started. */
  | { readonly kind: 'installing'; readonly release: Release }
  /** Complete and verified, and never started. */
  | { readonly kind: 'ready'; readonly release: Release }
  /** `attempts`: how often it was started, counted before each start. */
  | { readonly kind: 'trial'; readonly release: Release; readonly attempts: number }
  /** Has passed its trial. Nothing counts its starts any more. */
  | { readonly kind: 'good'; readonly release: Release }
  /** Did not pass, or its bytes are not what they were. */
  | { readonly kind: 'failed'; readonly release: Release; readonly why: string }

/** A release that failed, and is not taken again until a person says so. */
export interface Refusal {
  readonly digest: string
  readonly version: string
  readonly why: string
}

export interface State {
  readonly slots: { readonly a: Slot; readonly b: Slot }
  /** The good slot that is started when there is no trial; null on a box that has none yet. */
  readonly chosen: SlotName | null
  /** Only ever rises. */
  readonly floor: string | null
  readonly refused: readonly Refusal[]
}

export const noSlots: State = {
  slots: { a: { kind: 'empty' }, b: { kind: 'empty' } },
  chosen: null,
  floor: null,
  refused: [],
}

/** A start, counted. A power cut in a trial costs one, too: three are no accident. */
export const ATTEMPTS_MAX = 3
/** One by one they come from failed trials; a person who sees so many has other work to do first. */
export const REFUSALS_MAX = 64
export const WHY_LETTERS_MAX = 512

export function trialSlot(state: State): SlotName | null {
  return slotNames.find(name => state.slots[name].kind === 'trial') ?? null
}

/** The other slot, with a good release that is another one than here; null: none, or one refused or below the floor. */
export function wayBack(state: State, from: SlotName): SlotName | null {
  const other = standIn(state, from)
  const slot = other && state.slots[other]
  if (slot?.kind !== 'good' || isCopy(state.slots.a, state.slots.b)) return null
  return isRefused(state, slot.release) ? null : other
}

/** Both hold one release: what rots in one of them is whole in the other. */
export const isCopy = (one: Slot, other: Slot): boolean =>
  one.kind !== 'empty' && other.kind !== 'empty' && one.release.digest === other.release.digest

/** A good slot other than this one, to be started when this one cannot be; null: none, or one below the floor. */
export function standIn(state: State, from: SlotName): SlotName | null {
  const other = otherSlot(from)
  const slot = state.slots[other]
  return slot.kind === 'good' && !isBelowFloor(state, slot.release) ? other : null
}

export const isBelowFloor = ({ floor }: State, { version }: Release): boolean =>
  floor !== null && compareVersions(version, floor) < 0

/**
 * From now on the slot is no longer to be started, and may be written.
 * @param running the slot that the programs run from; it must be the other one
 * @throws BoxError `slot.refused` with the reason
 */
export function beginInstall(state: State, running: SlotName | null, release: Release): State {
  const target = installTarget(state, running)
  const reason = whyNotInstall(state, release)
  if (reason !== null) throw refusal(reason)
  const chosen = state.chosen === target ? running : state.chosen
  return { ...withSlot(state, target, { kind: 'installing', release }), chosen }
}

/** The slot that may be written: never the one that runs, nor the one that would be started next. */
export function installTarget(
  { chosen }: Pick<State, 'chosen'>,
  running: SlotName | null,
): SlotName {
  return otherSlot(running ?? chosen ?? 'b')
}

/** Null: nothing stands against it. */
export function whyNotInstall(state: State, release: Release): string | null {
  const trial = trialSlot(state)
  if (trial !== null) return `slot ${trial} is on trial, and the other one is the way back`
  const known = state.refused.find(({ digest }) => digest === release.digest)
  if (known) return `${release.version} failed: ${known.why}`
  if (isBelowFloor(state, release))
    return `${release.version} is below ${state.floor}, the oldest that this box takes`
  if (state.refused.length >= REFUSALS_MAX)
    return `${REFUSALS_MAX} releases have failed here: clear some of them first`
  return null
}

/**
 * Where this release lies as a good one, and may be tried anew. Not where it is to run already: what is to run and does not
 * could not be started. Null: nowhere.
 */
export function lyingGood(
  state: State,
  running: SlotName | null,
  release: Release,
): SlotName | null {
  const target = installTarget(state, running)
  const slot = state.slots[target]
  if (slot.kind !== 'good' || slot.release.digest !== release.digest) return null
  return state.chosen === target || whyNotInstall(state, release) !== null ? null : target
}

/** A good release, to be proven anew. What is ordered now says of it what counts: the floor may be another one. */
export function takeUp(state: State, target: SlotName, release: Release): State {
  const slot = state.slots[target]
  assert(slot.kind === 'good' && state.chosen !== target, 'it is good, and does not run')
  assert(slot.release.digest === release.digest, 'it is the same one')
  return withSlot(state, target, { kind: 'ready', release })
}

export function finishInstall(state: State, target: SlotName): State {
  const slot = state.slots[target]
  assert(slot.kind === 'installing', 'what is finished was begun')
  return withSlot(state, target, { kind: 'ready', release: slot.release })
}

/** A person, or its trial, says that it is not to run; it is started for want of a better only. */
export const isRefused = ({ refused }: State, { digest }: Release): boolean =>
  refused.some(one => one.digest === digest)

/** Nothing of use is in the slot. */
export const emptySlot = (state: State, target: SlotName): State => {
  assert(state.chosen !== target, 'the slot that is started next is not given up')
  return withSlot(state, target, { kind: 'empty' })
}

/** @throws BoxError `slot.refused` when no slot is ready, or its release may not be started any more */
export function activate(state: State): State {
  const target = slotNames.find(name => state.slots[name].kind === 'ready')
  const slot = target && state.slots[target]
  if (slot?.kind !== 'ready' || target === undefined) throw refusal('no slot is ready')
  const reason = whyNotInstall(state, slot.release)
  if (reason !== null) throw refusal(reason)
  return withSlot(state, target, { kind: 'trial', release: slot.release, attempts: 0 })
}

/** The trial that was asked for, and has not begun, is not to be: the slot is ready as before. */
export function withdraw(state: State): State {
  const name = trialSlot(state)
  const slot = name && state.slots[name]
  if (name === null || slot?.kind !== 'trial' || slot.attempts > 0) return state
  return withSlot(state, name, { kind: 'ready', release: slot.release })
}

/** To be on the disk before the start that it counts. */
export function countAttempt(state: State, name: SlotName): State {
  const slot = state.slots[name]
  assert(slot.kind === 'trial', 'attempts are counted during a trial only')
  return withSlot(state, name, { ...slot, attempts: slot.attempts + 1 })
}

/** A trial without a way back is never exhausted: a box that starts is better than one that does not. */
export function isExhausted(state: State, name: SlotName): boolean {
  const slot = state.slots[name]
  return slot.kind === 'trial' && slot.attempts >= ATTEMPTS_MAX && standIn(state, name) !== null
}

/**
 * The trial is over, and passed. Only here the floor rises. Twice is once.
 * @throws BoxError `slot.refused` when the running slot is not on trial (any more)
 */
export function markGood(state: State, running: SlotName): State {
  const slot = state.slots[running]
  if (slot.kind === 'good' && state.chosen === running) return state
  if (slot.kind !== 'trial') throw refusal(`slot ${running} is not on trial`)
  const { release } = slot
  return {
    ...withSlot(state, running, { kind: 'good', release }),
    chosen: running,
    floor: higher(state.floor, release.floor),
  }
}

/** The slot on trial failed: its release is refused from now on. */
export function failTrial(state: State, why: string): State {
  const name = trialSlot(state)
  const slot = name && state.slots[name]
  assert(slot?.kind === 'trial' && name !== null, 'a trial is on')
  const short = why.slice(0, WHY_LETTERS_MAX)
  const failed = withSlot(state, name, { kind: 'failed', release: slot.release, why: short })
  return { ...failed, refused: refuse(state, slot.release, short) }
}

/**
 * Back to the other release, for a reason: out of a trial, or from a good release that turned out not to be.
 * @throws BoxError `slot.refused` when there is nothing to go back to
 */
export function goBack(state: State, why: string): State {
  if (trialSlot(state) !== null) return failTrial(state, why)
  const { chosen } = state
  const current = chosen && state.slots[chosen]
  if (chosen === null || current?.kind !== 'good') throw refusal('no good release runs')
  const back = wayBack(state, chosen)
  if (back === null) throw refusal(whyNoWayBack(state, chosen, current.release))
  const refused = refuse(state, current.release, why.slice(0, WHY_LETTERS_MAX))
  return { ...state, chosen: back, refused }
}

function whyNoWayBack(state: State, from: SlotName, { digest, version }: Release): string {
  const name = standIn(state, from)
  const other = name && state.slots[name]
  if (other?.kind !== 'good')
    return 'no other slot holds a good release that is not below the floor'
  const known = state.refused.find(one => one.digest === other.release.digest)
  if (other.release.digest === digest)
    return `the other slot holds ${version} as well, against rot: there is no older release to go back to`
  return `${other.release.version} failed, too: ${known?.why}`
}

/** A person says that the release may be tried again. Unknown digests change nothing. */
export function clear(state: State, digest: string): State {
  const refused = state.refused.filter(one => one.digest !== digest)
  const name = slotNames.find(one => isFailed(state.slots[one], digest))
  const slot = name && state.slots[name]
  if (name === undefined || slot?.kind !== 'failed') return { ...state, refused }
  return { ...withSlot(state, name, { kind: 'ready', release: slot.release }), refused }
}

const isFailed = (slot: Slot, digest: string): boolean =>
  slot.kind === 'failed' && slot.release.digest === digest

/**
 * The bytes in a slot are not what was verified. That is the card's fault and not the release's, which may be installed
 * again. The last good slot stays what it is: it is tried again rather than given up.
 */
export function markRotten(state: State, name: SlotName, why: string): State {
  const slot = state.slots[name]
  if (slot.kind === 'empty' || slot.kind === 'installing') return state
  const back = standIn(state, name)
  if (back === null) return state
  const failed: Slot = { kind: 'failed', release: slot.release, why: why.slice(0, WHY_LETTERS_MAX) }
  return { ...withSlot(state, name, failed), chosen: state.chosen === name ? back : state.chosen }
}

export interface Candidate {
  readonly slot: SlotName
  readonly release: Release
  /** `last`: nothing better is left. */
  readonly mode: 'trial' | 'good' | 'last'
}

/** What to start, best first; each only if its bytes are sound. */
export function startOrder(state: State): readonly Candidate[] {
  const ranked = slotNames.flatMap(name => rankOf(state, name))
  return ranked.toSorted((one, other) => one.rank - other.rank).map(({ candidate }) => candidate)
}

function rankOf(state: State, name: SlotName): { rank: number; candidate: Candidate }[] {
  const slot = state.slots[name]
  if (slot.kind === 'empty' || slot.kind === 'installing') return []
  const { release } = slot
  const as = (rank: number, mode: Candidate['mode']) => [
    { rank, candidate: { slot: name, release, mode } },
  ]
  if (slot.kind === 'trial' && !isExhausted(state, name)) return as(0, 'trial')
  const isBelow = isBelowFloor(state, release)
  if (slot.kind === 'good' && state.chosen === name) return as(1, 'good')
  if (slot.kind === 'good' && !isBelow) return as(2, 'good')
  return as(isBelow ? 4 : 3, 'last')
}

export const higher = (one: string | null, other: string | null): string | null => {
  if (one === null || other === null) return one ?? other
  return compareVersions(one, other) >= 0 ? one : other
}

export const withSlot = (state: State, name: SlotName, slot: Slot): State => ({
  ...state,
  slots: { ...state.slots, [name]: slot },
})

const refuse = (state: State, { digest, version }: Release, why: string): readonly Refusal[] => [
  ...state.refused.filter(one => one.digest !== digest),
  { digest, version, why },
]

const refusal = (why: string): BoxError => new BoxError('slot.refused', why)
