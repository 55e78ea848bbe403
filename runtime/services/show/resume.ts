/** Picking a show up after a restart or a power cut: what the levels are now, as if nothing had happened. */
import type { Log } from '../../ports/log.js'
import type { CheckedShow } from './checked-show.js'
import { JOIN_MS_MAX, LATE_MS } from './decide.js'
import { passOver, withWaiting } from './fire.js'
import { advance, type Done, fold, rebased } from './fold.js'
import type { Kept } from './journal.js'
import { endOf } from './segments.js'
import { initialState, type ShowState } from './state.js'

/** A loop of follows that was away for days is not walked through step by step. */
const STEPS_MAX = 10_000

export interface Times {
  /** Show time. */
  readonly showMs: number
  readonly wallMs: number
}

/** Where the show stands at a start, after what was kept of the last run. */
export function pickUp(log: Log, show: CheckedShow, kept: Kept | null, now: Times): ShowState {
  if (!kept) return initialState(show, now.showMs)
  if (kept.digest !== show.digest) {
    log.info('show.changed', { digest: show.digest, before: kept.digest })
    return resumeOther(show, kept.state, now.showMs)
  }
  const state = kept.events.reduce((at, event) => fold(show, at, event).state, kept.state)
  const awayMs = now.showMs - kept.times.showMs
  log.info('show.resumed', { cue: state.current, awayMs, events: kept.events.length })
  return resume(show, state, kept.times, now)
}

/**
 * How far the kept state's timeline must be moved so that it means the present one. Without a clock that survives a
 * power cut, and with a timeline whose beginning is arbitrary, either scale may have jumped: the one that says that
 * between nothing and half a day went by is believed, show time first. Null when neither does.
 */
export function shiftMs(kept: Times, now: Times): number | null {
  const passed = (ms: number): boolean => ms >= 0 && ms <= JOIN_MS_MAX
  if (passed(now.showMs - kept.showMs)) return 0
  const passedWallMs = now.wallMs - kept.wallMs
  return passed(passedWallMs) ? now.showMs - kept.showMs - passedWallMs : null
}

/**
 * The kept state on the present timeline, with everything in that came due meanwhile. Where nobody knows how long it
 * was, or it was longer than half a day, fades are at their end and nothing waits any more.
 */
export function resume(show: CheckedShow, state: ShowState, kept: Times, now: Times): ShowState {
  const byMs = shiftMs(kept, now)
  if (byMs !== null) return catchUp(show, rebased(state, byMs), now.showMs)
  const fades = [...state.segments.flat(), ...state.manual.filter(hand => hand !== null)]
  const settledMs = Math.max(state.atMs, ...[...fades, state.blackout, state.panic].map(endOf))
  return rebased({ ...state, atMs: settledMs, waiting: [], open: [] }, now.showMs - settledMs)
}

/** After a change of the show only what guards people is taken over: its cues and outputs are others now. */
export function resumeOther(show: CheckedShow, state: ShowState, nowMs: number): ShowState {
  const fresh = initialState(show, nowMs)
  const still = (isOn: boolean): ShowState['panic'] => ({
    isOn,
    from: isOn ? 1 : 0,
    startMs: nowMs,
    durationMs: 0,
  })
  return {
    ...fresh,
    epoch: state.epoch,
    fires: state.fires,
    blackout: still(state.blackout.isOn),
    panic: still(state.panic.isOn),
    panics: state.panics,
  }
}

/** Each cue that is late by its own policy: joined where it would be, fired now, or passed over. */
function catchUp(show: CheckedShow, state: ShowState, nowMs: number): ShowState {
  let at = state
  for (let step = 0; step < STEPS_MAX; step++) {
    const due = at.waiting[0]
    if (!due || due.t0Ms > nowMs) return { ...at, atMs: Math.max(at.atMs, nowMs) }
    at = late(show, at, due, nowMs)
  }
  const waiting = at.waiting.map(({ t0Ms, deed }) => ({ t0Ms: Math.max(t0Ms, nowMs), deed }))
  return advance(show, { ...at, waiting }, nowMs, STEPS_MAX).state
}

function late(show: CheckedShow, state: ShowState, due: Done, nowMs: number): ShowState {
  const { deed, t0Ms } = due
  const policy = deed.kind === 'fire' ? show.cuesById.get(deed.cue)?.late : undefined
  if (deed.kind !== 'fire' || policy === 'join' || nowMs - t0Ms <= LATE_MS)
    return advance(show, state, t0Ms, 1).state
  const rest = state.waiting.slice(1)
  if (policy === 'fire') return { ...state, waiting: withWaiting(rest, nowMs, deed) }
  return passOver(show, { ...state, waiting: rest }, t0Ms, deed)
}
