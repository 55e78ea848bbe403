/** Which slot is started next, with what must be on the disk before it is. For the launcher, while nothing runs. */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Log } from '../../runtime/ports/log.js'
import { readOrders } from './launch-orders.js'
import { mend } from './mending.js'
import { rebuildState } from './rebuild.js'
import {
  atOnce,
  type CheckPorts,
  checkBeforeStart,
  readSeal,
  seal,
  unlessStorage,
} from './slot-check.js'
import {
  type Candidate,
  countAttempt,
  failTrial,
  isCopy,
  isExhausted,
  markRotten,
  noSlots,
  otherSlot,
  type SlotName,
  type State,
  slotNames,
  standIn,
  startOrder,
  trialSlot,
} from './slot-state.js'
import type { StateStore } from './state-store.js'
import { whyUnreadable } from './why-none.js'

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
  const first = await choose(ports, kept, 'quick')
  if (first.choice !== null) return first.choice
  const second = await choose(ports, first.kept, 'thorough')
  if (second.choice === null) await tellNone(ports, second)
  return second.choice
}

/** The one sentence that somebody at the box has to read. */
async function tellNone({ log, disk }: ChoicePorts, { kept, problems }: Chosen): Promise<void> {
  const problem = await whyUnreadable(disk)
  if (problem !== null) {
    log.error('slots.unreadable', { problem })
    return
  }
  const why = slotNames.map(name => {
    const { kind } = kept.state.slots[name]
    return `slot ${name}: ${problems.get(name) ?? (kind === 'installing' ? 'half written' : kind)}`
  })
  log.error('slots.none-complete', { home: disk.pathOf(''), why: why.join('; '), todo: TODO })
}

const TODO =
  'put in a spare card, or write this one again with flash.sh; until then both slots are read again, 30 s apart at most'

/** `quick`: a slot that is damaged is not mended where the other one holds the same release. */
type Care = 'quick' | 'thorough'

interface Chosen {
  readonly choice: Choice | null
  readonly kept: Kept
  /** Of those that were not chosen. */
  readonly problems: ReadonlyMap<SlotName, string>
}

async function choose(ports: ChoicePorts, before: Kept, care: Care): Promise<Chosen> {
  let kept = before
  const problems = new Map<SlotName, string>()
  let uncounted: Candidate | null = null
  for (const candidate of startOrder(kept.state)) {
    const { next, outcome, problem } = await prepare(ports, kept, { candidate, care })
    kept = next
    if (outcome === 'counted') return { choice: choiceOf(kept, candidate), kept, problems }
    if (outcome === 'uncounted') uncounted = candidate
    if (problem !== null) problems.set(candidate.slot, problem)
  }
  return { choice: uncounted && choiceOf(kept, uncounted), kept, problems }
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
  /** Why it is unfit. */
  readonly problem: string | null
}

async function prepare(
  ports: ChoicePorts,
  kept: Kept,
  { candidate, care }: { readonly candidate: Candidate; readonly care: Care },
): Promise<Prepared> {
  const { slot, release, mode } = candidate
  const { log } = ports
  const facts = { slot, version: release.version }
  const damage = await damageOf(ports, kept.state, { candidate, care })
  if (damage !== null)
    return unfit(ports, kept, { state: markRotten(kept.state, slot, damage), problem: damage })
  const problem = await ordersProblem(ports, slot)
  if (problem !== null) {
    log.error('slot.unstartable', { ...facts, problem })
    const canFail = mode === 'trial' && standIn(kept.state, slot) !== null
    const state = canFail ? failTrial(kept.state, problem) : kept.state
    return unfit(ports, kept, { state, problem })
  }
  if (mode === 'last') log.error('slot.last-resort', facts)
  if (mode !== 'trial') return { next: kept, outcome: 'counted', problem: null }
  const next = await writeOrTell(ports, kept, countAttempt(kept.state, slot))
  const outcome = next.written === next.state ? 'counted' : 'uncounted'
  return { next, outcome, problem: null }
}

/**
 * What is damaged is mended first, for the box shall run what it ran at the rehearsal; where the other slot holds the same
 * release, that one is there at once.
 * @returns null when it may be started
 */
async function damageOf(
  ports: ChoicePorts,
  { slots, floor }: State,
  { candidate, care }: { readonly candidate: Candidate; readonly care: Care },
): Promise<string | null> {
  const { slot, release } = candidate
  const facts = { slot, version: release.version }
  const sound = await checkBeforeStart(ports, slot, release, floor)
  if (sound.isSound) return null
  ports.log.error('slot.rotten', { ...facts, problem: sound.problem })
  const other = slots[otherSlot(slot)]
  if (care === 'quick' && other.kind === 'good' && isCopy(slots[slot], other)) return sound.problem
  const mending = await mend(ports, slot, release.digest, unhurried).catch((error: unknown) => {
    if (!(error instanceof BoxError)) throw error
    return { isWhole: false, problem: messageOf(error), isHarmless: false } as const
  })
  if (!mending.isWhole && mending.isHarmless && care === 'thorough') {
    ports.log.error('slot.started-damaged', { ...facts, problem: mending.problem })
    return null
  }
  if (!mending.isWhole) return mending.problem
  ports.log.warn('slot.mended', { ...facts, count: mending.putRight.length })
  // A card that takes no more writes costs a whole reading at each start.
  await seal(ports, slot, release.digest, floor).catch(unlessStorage)
  return null
}

const unhurried = { pause: atOnce, makeSure: atOnce }

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

const unfit = async (
  ports: ChoicePorts,
  kept: Kept,
  { state, problem }: { readonly state: State; readonly problem: string },
): Promise<Prepared> => ({
  next: state === kept.state ? kept : await writeOrTell(ports, kept, state),
  outcome: 'unfit',
  problem,
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
