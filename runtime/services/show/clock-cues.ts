/** Cues at a time of day. Only an armed show has them, and only those whose moment comes after it was armed. Pure. */
import type { CheckedShow, Cue } from './checked-show.js'
import { JOIN_MS_MAX } from './decide.js'
import type { ShowEvent, ShowState } from './state.js'

/** Up to here it is the ordinary delay of looking at the clock. */
const LATE_MS = 1500

export interface ClockMoment {
  readonly nowMs: number
  readonly wallMs: number
  readonly newId: () => string
}

/** Clock cues that have not had their moment, earliest first. */
function toCome(show: CheckedShow, state: ShowState): { cue: Cue; atWallMs: number }[] {
  const armedMs = state.armedWallMs
  if (armedMs === null) return []
  return show.cues
    .flatMap(cue => (cue.atWallMs === null ? [] : [{ cue, atWallMs: cue.atWallMs }]))
    .filter(({ cue, atWallMs }) => atWallMs > armedMs && !state.clockDone.includes(cue.id))
    .sort((a, b) => a.atWallMs - b.atWallMs)
}

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
  const isLate = lateMs > LATE_MS
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
