/** Where the show stands, in the words of the topic table. Pure. */
import type { Payload } from '../../topics.js'
import { chaseChange } from './chase.js'
import type { CheckedShow } from './checked-show.js'
import { isFollow } from './fire.js'
import { handBrightness } from './layers.js'
import { endOf, playing } from './segments.js'
import type { Segment, ShowState } from './state.js'

const RUNNING_MAX = 64

export function report(show: CheckedShow, state: ShowState, tMs: number): Payload<'show/state'> {
  return {
    name: show.name,
    digest: show.digest,
    isArmed: state.armedWallMs !== null,
    current: state.current,
    next: state.next,
    epoch: state.epoch,
    running: runningCues(show, state, tMs),
    isBlackout: state.blackout.isOn,
    isPanic: state.panic.isOn,
    manual: manualLevels(show, state),
  }
}

function manualLevels(show: CheckedShow, state: ShowState): Record<string, number> {
  const found: Record<string, number> = {}
  for (const { name, index } of show.outputs) {
    const level = handBrightness(state.manual[index])
    if (level !== null) found[name] = level
  }
  return found
}

/** Cues whose fades, chases, follows or actions are under way. */
function runningCues(show: CheckedShow, state: ShowState, tMs: number): string[] {
  const cues = new Set<string>()
  for (const segments of state.segments) noteAlive(cues, show, segments, tMs)
  if (state.current !== null && state.waiting.some(({ deed }) => isFollow(deed)))
    cues.add(state.current)
  for (const { cue, t0Ms } of state.open)
    if (t0Ms + (show.cuesById.get(cue)?.actionsMs ?? 0) > tMs) cues.add(cue)
  return [...cues].slice(0, RUNNING_MAX)
}

/** What plays and still changes, and what has yet to take over. */
function noteAlive(
  cues: Set<string>,
  show: CheckedShow,
  segments: readonly Segment[],
  tMs: number,
): void {
  const active = playing(segments, tMs)
  for (const segment of segments) {
    const isPlaying = segment === active && (endOf(segment) > tMs || isChasing(show, segment, tMs))
    if (segment.cue !== null && (isPlaying || segment.startMs > tMs)) cues.add(segment.cue)
  }
}

function isChasing(show: CheckedShow, segment: Segment, tMs: number): boolean {
  const chase = segment.to ? null : show.cuesById.get(segment.cue ?? '')?.chase
  return chase ? chaseChange(chase, segment.t0Ms, tMs) !== null : false
}

/** When the report or what is due changes next by itself; null when it rests. */
export function nextTurnMs(show: CheckedShow, state: ShowState, tMs: number): number | null {
  const due = state.waiting[0]
  // The follow of a cue that was joined late may be due already.
  if (due && due.t0Ms <= tMs) return tMs
  let first = Number.POSITIVE_INFINITY
  const note = (atMs: number): void => {
    if (atMs > tMs && atMs < first) first = atMs
  }
  for (const { t0Ms } of state.waiting.slice(0, 1)) note(t0Ms)
  for (const segments of state.segments)
    for (const segment of segments) {
      note(segment.startMs)
      note(endOf(segment))
      note(chaseEnd(show, segment))
    }
  for (const { cue, t0Ms } of state.open) note(t0Ms + (show.cuesById.get(cue)?.actionsMs ?? 0))
  note(endOf(state.blackout))
  note(endOf(state.panic))
  return first === Number.POSITIVE_INFINITY ? null : first
}

function chaseEnd(show: CheckedShow, segment: Segment): number {
  const chase = segment.to ? null : show.cuesById.get(segment.cue ?? '')?.chase
  return chase?.untilMs == null ? 0 : segment.t0Ms + chase.untilMs
}
