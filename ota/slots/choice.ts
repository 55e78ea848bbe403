/** Which slot is started next, with what must be on the disk before it is. For the launcher, while nothing runs. */
import type { Log } from '../../runtime/ports/log.js'
import { rebuildState } from './rebuild.js'
import { type CheckPorts, checkBeforeStart } from './slot-check.js'
import {
  type Candidate,
  countAttempt,
  failTrial,
  isExhausted,
  markRotten,
  type State,
  startOrder,
  trialSlot,
} from './slot-state.js'
import type { StateStore } from './state-store.js'

export interface ChoicePorts extends CheckPorts {
  readonly log: Log
  readonly store: StateStore
}

/**
 * A trial that has used up its attempts is over; what is rotten gives way to the other slot; an attempt is counted.
 * @param lastWhy why the last attempt ended, as far as this launcher saw it
 * @returns null when no slot holds a complete release
 */
export async function chooseSlot(
  ports: ChoicePorts,
  lastWhy: string | null,
): Promise<Candidate | null> {
  let state = (await ports.store.repair()) ?? (await rebuilt(ports))
  state = await endExhausted(ports, state, lastWhy)
  for (const candidate of startOrder(state)) {
    const next = await prepare(ports, state, candidate)
    if (next === null) return candidate
    state = next
  }
  return null
}

async function endExhausted(
  { store, log }: ChoicePorts,
  state: State,
  lastWhy: string | null,
): Promise<State> {
  const slot = trialSlot(state)
  if (slot === null || !isExhausted(state, slot)) return state
  const why = lastWhy ?? 'the power went, or the launcher was killed, in every attempt'
  log.error('trial.failed', { slot, why })
  return written(store, failTrial(state, why))
}

/** Null: it can be started, and what must be written first is. Else the state without it. */
async function prepare(
  ports: ChoicePorts,
  state: State,
  { slot, release, mode }: Candidate,
): Promise<State | null> {
  const { store, log } = ports
  const facts = { slot, version: release.version }
  const sound = await checkBeforeStart(ports, slot, release, state.floor)
  if (!sound.isSound) {
    log.error('slot.rotten', { ...facts, problem: sound.problem })
    const next = markRotten(state, slot, sound.problem)
    return next === state ? state : written(store, next)
  }
  if (mode === 'trial') await store.write(countAttempt(state, slot))
  if (mode === 'last') log.error('slot.last-resort', facts)
  return null
}

/** The trial failed in a way that another attempt would not change. Without a way back it goes on all the same. */
export async function giveUpTrial(ports: ChoicePorts, slot: string, why: string): Promise<void> {
  const state = await ports.store.read()
  // The updater may have found it good, or bad, in the very last moment.
  if (state === null || trialSlot(state) !== slot) return
  const next = failTrial(state, why)
  const canGoBack = startOrder(next)[0]?.mode === 'good'
  if (!canGoBack) return
  ports.log.error('trial.failed', { slot, why })
  await ports.store.write(next)
}

async function rebuilt(ports: ChoicePorts): Promise<State> {
  ports.log.error('slots.records-lost')
  return written(ports.store, await rebuildState(ports))
}

async function written(store: StateStore, state: State): Promise<State> {
  await store.write(state)
  return state
}
