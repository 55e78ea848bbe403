/**
 * Cues at a time of day. Only an armed show has them, and only those whose moment comes after it was armed. The wall clock
 * must come to the moment by running: what it jumps over when it is set is not fired. Pure.
 */
import type { CheckedShow, Cue } from './checked-show.js'
import { JOIN_MS_MAX } from './decide.js'
import type { ShowEvent, ShowState } from './state.js'

/** Up to here it is the ordinary delay of looking at the clock, and of correcting it a little. */
export const CLOCK_LATE_MS = 1500

export interface ClockMoment {
  readonly nowMs: number
  readonly wallMs: number
  readonly newId: () => string
}

interface ClockCue {
  readonly cue: Cue
  readonly atWallMs: number
}

/** Clock cues that an armed show has not fired yet, whether they count or not. */
const undone = (show: CheckedShow, state: ShowState): ClockCue[] =>
  state.armedWallMs === null
    ? []
    : show.cues
        .flatMap(cue => (cue.atWallMs === null ? [] : [{ cue, atWallMs: cue.atWallMs }]))
        .filter(({ cue }) => !state.clockDone.includes(cue.id))

/** Clock cues that have not had their moment, earliest first. */
const toCome = (show: CheckedShow, state: ShowState): ClockCue[] =>
  undone(show, state)
    .filter(({ atWallMs }) => atWallMs > (state.armedWallMs ?? Number.POSITIVE_INFINITY))
    .sort((a, b) => a.atWallMs - b.atWallMs)

/** Whether the wall clock matters: a cue that does not count now will, once the clock is set back. */
export const hasClockCues = (show: CheckedShow, state: ShowState): boolean =>
  undone(show, state).length > 0

/**
 * The wall clock was set, forward or back: what counts is what it comes to from now on, by running. Nothing is marked as
 * done, so that a clock that was set wrong and then right again has cost no cue.
 */
export const countAnew = ({ nowMs, wallMs }: Omit<ClockMoment, 'newId'>): ShowEvent => ({
  atMs: nowMs,
  t0Ms: nowMs,
  deed: { kind: 'count', fromWallMs: wallMs - CLOCK_LATE_MS },
})

/** The cues that a clock which is set to `wallMs` has jumped over. */
export const jumpedOver = (show: CheckedShow, state: ShowState, wallMs: number): string[] =>
  toCome(show, state)
    .filter(({ atWallMs }) => atWallMs <= wallMs - CLOCK_LATE_MS)
    .map(({ cue }) => cue.id)

/** Wall time of the next one; null when there is none to wait for. */
export const nextClockMs = (show: CheckedShow, state: ShowState): number | null =>
  toCome(show, state)[0]?.atWallMs ?? null

/** What the clock asks for now: fires, or cues passed over because they are too late or panic is on. */
export function clockEvents(show: CheckedShow, state: ShowState, moment: ClockMoment): ShowEvent[] {
  return toCome(show, state)
    .filter(({ atWallMs }) => atWallMs <= moment.wallMs)
    .map(({ cue, atWallMs }) => eventOf(state, cue, moment.wallMs - atWallMs, moment))
}

function eventOf(state: ShowState, cue: Cue, lateMs: number, moment: ClockMoment): ShowEvent {
  const { nowMs } = moment
  const isLate = lateMs > CLOCK_LATE_MS
  const isPassed = (isLate && cue.late === 'skip') || lateMs > JOIN_MS_MAX || state.panic.isOn
  if (isPassed) return { atMs: nowMs, t0Ms: nowMs, deed: { kind: 'pass', cue: cue.id } }
  return {
    atMs: nowMs,
    t0Ms: isLate && cue.late === 'fire' ? nowMs : nowMs - lateMs,
    deed: {
      kind: 'fire',
      id: moment.newId(),
      cue: cue.id,
      epoch: state.epoch,
      origin: 'clock',
      way: 'clock',
    },
  }
}
