/** A copy of the running release in the other slot, against rot: where it may be written, and its steps. */
import { assert } from '../../runtime/core/errors.js'
import {
  isBelowFloor,
  isCopy,
  isRefused,
  otherSlot,
  type SlotName,
  type State,
  trialSlot,
  withSlot,
} from './slot-state.js'

/** What a copy of the running release would be written over. */
export type Beneath =
  /** Nobody may start it: nothing, a release that failed, is damaged or below the floor, a copy that was cut. */
  | 'nothing'
  /** What an update has left half written. */
  | 'unfinished'
  /** What an update has written, and nobody has tried yet. */
  | 'prepared'
  /** It was found good, and a person went back from it: the same one may think better of it. */
  | 'given-back'

export interface CopyPlace {
  readonly slot: SlotName
  readonly beneath: Beneath
}

/**
 * Where a copy of the running release would be of use: where nothing lies that may be started, or gone back to. Null:
 * nowhere.
 */
export function copyPlace(state: State, running: SlotName | null): CopyPlace | null {
  if (running === null || state.chosen !== running || trialSlot(state) !== null) return null
  if (state.slots[running].kind !== 'good') return null
  const slot = otherSlot(running)
  const beneath = beneathOf(state, slot)
  return beneath && { slot, beneath }
}

function beneathOf(state: State, name: SlotName): Beneath | null {
  const slot = state.slots[name]
  if (slot.kind === 'empty' || slot.kind === 'failed') return 'nothing'
  const isOne = isCopy(slot, state.slots[otherSlot(name)])
  if (slot.kind === 'installing') return isOne ? 'nothing' : 'unfinished'
  if (isOne) return null
  if (isBelowFloor(state, slot.release)) return 'nothing'
  if (slot.kind === 'good') return isRefused(state, slot.release) ? 'given-back' : null
  return 'prepared'
}

/** From now on the copy is written. What runs may have been refused, as the last resort: two of it are better than one. */
export function beginCopy(state: State, target: SlotName): State {
  const own = state.slots[otherSlot(target)]
  assert(own.kind === 'good' && state.chosen !== target, 'what is copied runs')
  return withSlot(state, target, { kind: 'installing', release: own.release })
}

/** What was `installing` there is what runs: found good already. */
export function finishCopy(state: State, target: SlotName): State {
  const slot = state.slots[target]
  assert(slot.kind === 'installing', 'what is finished was begun')
  assert(isCopy(slot, state.slots[otherSlot(target)]), 'it is a copy')
  return withSlot(state, target, { kind: 'good', release: slot.release })
}
