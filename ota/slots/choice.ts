/** Which slot is started next, with what must be on the disk before it is. For the launcher, while nothing runs. */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Log } from '../../runtime/ports/log.js'
import { readOrders } from './launch-orders.js'
import { rebuildState } from './rebuild.js'
import { type CheckPorts, checkBeforeStart, readSeal } from './slot-check.js'
import {
  type Candidate,
  countAttempt,
  failTrial,
  isExhausted,
  markRotten,
  noSlots,
  type SlotName,
  type State,
  slotNames,
  startOrder,
  trialSlot,
  wayBack,
} from './slot-state.js'
import type { StateStore } from './state-store.js'

export interface ChoicePorts extends CheckPorts {
  readonly log: Log
  readonly store: StateStore
}

export interface Choice extends Candidate {
  /** What the records say is to be started is another slot, which could not be. */
  readonly isPassedOver: boolean
}

/** What is known, and what of it is on the disk: a card that takes no more writes must not keep a box from starting. */
interface Kept {
  readonly state: State
  readonly written: State
}

/**
 * A trial that has used up its attempts is over; what is rotten gives way to the other slot; an attempt is counted. A trial
 * whose attempt cannot be counted gives way, too, where there is a way back.
 * @param lastWhy why the last attempt ended, as far as this launcher saw it
 * @returns null when no slot holds a complete release
 */
export async function chooseSlot(
  ports: ChoicePorts,
  lastWhy: string | null,
): Promise<Choice | null> {
  const read = await ports.store.repair()
  let kept = read === null ? await rebuilt(ports) : { state: read, written: read }
  kept = await endExhausted(ports, kept, lastWhy)
  let uncounted: Candidate | null = null
  for (const candidate of startOrder(kept.state)) {
    const { next, outcome } = await prepare(ports, kept, candidate)
    kept = next
    if (outcome === 'counted') return choiceOf(kept, candidate)
    if (outcome === 'uncounted') uncounted = candidate
  }
  return uncounted && choiceOf(kept, uncounted)
}

/** What is on the disk, not what is known, is what the updater will see. */
function choiceOf({ state, written }: Kept, candidate: Candidate): Choice {
  const isFirst = written === state && startOrder(written)[0]?.slot === candidate.slot
  return { ...candidate, isPassedOver: candidate.mode !== 'trial' && !isFirst }
}

async function endExhausted(ports: ChoicePorts, kept: Kept, lastWhy: string | null): Promise<Kept> {
  const slot = trialSlot(kept.state)
  if (slot === null || !isExhausted(kept.state, slot)) return kept
  const why = lastWhy ?? 'the power went, or the launcher was killed, in every attempt'
  ports.log.error('trial.failed', { slot, why })
  return writeOrTell(ports, kept, failTrial(kept.state, why))
}

interface Prepared {
  readonly next: Kept
  /** `uncounted`: it could be started, and nobody would know how often. */
  readonly outcome: 'counted' | 'uncounted' | 'unfit'
}

async function prepare(
  ports: ChoicePorts,
  kept: Kept,
  { slot, release, mode }: Candidate,
): Promise<Prepared> {
  const { log } = ports
  const facts = { slot, version: release.version }
  const sound = await checkBeforeStart(ports, slot, release, kept.state.floor)
  if (!sound.isSound) {
    log.error('slot.rotten', { ...facts, problem: sound.problem })
    return unfit(ports, kept, markRotten(kept.state, slot, sound.problem))
  }
  const problem = await ordersProblem(ports, slot)
  if (problem !== null) {
    log.error('slot.unstartable', { ...facts, problem })
    const canFail = mode === 'trial' && wayBack(kept.state, slot) !== null
    return unfit(ports, kept, canFail ? failTrial(kept.state, problem) : kept.state)
  }
  if (mode === 'last') log.error('slot.last-resort', facts)
  if (mode !== 'trial') return { next: kept, outcome: 'counted' }
  const next = await writeOrTell(ports, kept, countAttempt(kept.state, slot))
  return { next, outcome: next.written === next.state ? 'counted' : 'uncounted' }
}

/** Whole, and of a kind that nobody here can start: another attempt would not change that. */
async function ordersProblem({ disk }: ChoicePorts, slot: SlotName): Promise<string | null> {
  try {
    await readOrders(disk, slot)
    return null
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    return messageOf(error)
  }
}

const unfit = async (ports: ChoicePorts, kept: Kept, state: State): Promise<Prepared> => ({
  next: state === kept.state ? kept : await writeOrTell(ports, kept, state),
  outcome: 'unfit',
})

/** The trial failed in a way that another attempt would not change. Without a way back it goes on all the same. */
export async function giveUpTrial(ports: ChoicePorts, slot: string, why: string): Promise<void> {
  const state = await ports.store.read()
  // The updater may have found it good, or bad, in the very last moment.
  if (state === null || trialSlot(state) !== slot) return
  const next = failTrial(state, why)
  const canGoBack = startOrder(next)[0]?.mode === 'good'
  if (!canGoBack) return
  ports.log.error('trial.failed', { slot, why })
  await writeOrTell(ports, { state, written: state }, next)
}

async function rebuilt(ports: ChoicePorts): Promise<Kept> {
  // A new card has none, and nothing was ever installed by this box, which would have left its seal.
  const seals = await Promise.all(slotNames.map(name => readSeal(ports, name)))
  if (seals.every(seal => seal === null)) ports.log.info('slots.records-begun')
  else ports.log.error('slots.records-lost')
  return writeOrTell(ports, { state: noSlots, written: noSlots }, await rebuildState(ports))
}

async function writeOrTell({ store, log }: ChoicePorts, kept: Kept, state: State): Promise<Kept> {
  try {
    await store.write(state)
    return { state, written: state }
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    log.error('slots.unwritable', { problem: messageOf(error) })
    return { state, written: kept.written }
  }
}
