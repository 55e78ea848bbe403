/** What is told of the slots to whoever runs from one of them. */
import type { Findings, Found } from './findings.js'
import { copyPlace } from './slot-copy.js'
import {
  type Refusal,
  type Release,
  type Slot,
  type SlotName,
  type State,
  slotNames,
  standIn,
  trialSlot,
  wayBack,
} from './slot-state.js'

export interface SlotStatus {
  readonly running: SlotName | null
  readonly chosen: SlotName | null
  readonly slots: { readonly a: Slot; readonly b: Slot }
  readonly floor: string | null
  readonly refused: readonly Refusal[]
  readonly isTrial: boolean
  /** Where a rollback would lead; null: nowhere. */
  readonly wayBack: SlotName | null
  /** What would be started if what runs could not be; a copy, too. Null: nothing. */
  readonly standIn: SlotName | null
  /** With a release that may be tried: a new one that is written as a whole, or one that was taken up. Null: neither. */
  readonly toTry: SlotName | null
  /** Another slot than the running one is to be started, as soon as that disturbs nobody. */
  readonly isRestartDue: boolean
  /** When each was last read as a whole by this process, and what was found; null: it was not. */
  readonly found: { readonly a: Found | null; readonly b: Found | null }
  readonly copying: Copying
  /** For people: what is wrong beside the releases themselves. */
  readonly troubles: readonly string[]
}

/** Of the copy against rot. */
export interface Copying {
  /** Where one is wanted, and nothing has to be waited for but a quiet moment; null: nowhere. */
  readonly place: SlotName | null
  readonly isUnderWay: boolean
  /** Why it failed last; null: it did not. */
  readonly trouble: string | null
}

/** What this process knows beside the records. */
export interface SlotSight {
  readonly findings: Pick<Findings, 'of'>
  readonly isCopying: boolean
  readonly copyTrouble: string | null
  readonly troubles: readonly string[]
  /** Good, and to be tried anew. */
  readonly takenUp: SlotName | null
}

/** How the process that asks was started. */
export interface SlotStart {
  /** Null on a box without slots. */
  readonly running: SlotName | null
  /** What the slot was when this process first looked; `failed` is one that was started for want of a better. */
  readonly startedAs: Slot['kind'] | null
  /** What the launcher was to start, and could not; null: it has started what it was to. */
  readonly passedOver: Slot | null
}

export function statusOf(state: State, start: SlotStart, sight: SlotSight): SlotStatus {
  const { slots, chosen, floor, refused } = state
  const trial = trialSlot(state)
  const current = trial ?? chosen
  const foundIn = (name: SlotName): Found | null => {
    const slot = slots[name]
    return slot.kind === 'empty' ? null : sight.findings.of(name, slot.release.digest)
  }
  const place = copyPlace(state, start.running)
  const copying: Copying = {
    place: place?.beneath === 'nothing' ? place.slot : null,
    isUnderWay: sight.isCopying,
    trouble: place === null ? null : sight.copyTrouble,
  }
  const found = { a: foundIn('a'), b: foundIn('b') }
  return {
    running: start.running,
    chosen,
    slots,
    floor,
    refused,
    isTrial: trial !== null,
    wayBack: current && wayBack(state, current),
    standIn: current && standIn(state, current),
    toTry: slotNames.find(name => slots[name].kind === 'ready') ?? sight.takenUp,
    isRestartDue: isRestartDue(state, start),
    ...{ found, copying },
    troubles: [...sight.troubles, ...damageWords(found), ...tell(copying.trouble)],
  }
}

const damageWords = (found: SlotStatus['found']): readonly string[] =>
  slotNames.flatMap(name => tell(found[name]?.problem, `slot ${name} is damaged: `))

const tell = (words: string | null | undefined, before = ''): readonly string[] =>
  words ? [before + words] : []

/**
 * Another slot than the running one is to be started: somebody was killed before the launcher was told. Not the one that
 * it could not start a moment ago: the box would be restarted for ever.
 */
export function isRestartDue({ slots, chosen }: State, start: SlotStart): boolean {
  const { running, startedAs, passedOver } = start
  if (running === null || slots[running].kind === 'trial' || startedAs === 'failed') return false
  const next = slotNames.find(name => slots[name].kind === 'trial') ?? chosen
  if (next === null || next === running || isSame(slots[next], passedOver)) return false
  return slots[next].kind === 'trial' || slots[next].kind === 'good'
}

export function passedOverWords(slot: Slot | null): readonly string[] {
  const release = releaseIn(slot)
  if (release === null) return []
  return [
    `${release.version} is to run, and could not be started: its slot is damaged, or the card takes no more writes`,
  ]
}

const releaseIn = (slot: Slot | null): Release | null =>
  slot === null || slot.kind === 'empty' ? null : slot.release

const isSame = (slot: Slot, other: Slot | null): boolean =>
  slot.kind === other?.kind && releaseIn(slot)?.digest === releaseIn(other)?.digest

/** What is in a slot as a whole; null: nothing. */
export function releaseOf(slot: Slot | null): Pick<Release, 'digest' | 'version'> | null {
  if (slot === null || slot.kind === 'empty' || slot.kind === 'installing') return null
  return { digest: slot.release.digest, version: slot.release.version }
}

/** What a rollback would lead to. */
export const previousOf = ({
  wayBack,
  running,
  slots,
}: SlotStatus): ReturnType<typeof releaseOf> =>
  wayBack === null || wayBack === running ? null : releaseOf(slots[wayBack])
