/** Where the show stands, in the words of the topic table. Pure. */
import type { Payload } from '../../topics.js'
import { chaseChange } from './chase.js'
import type { CheckedShow, Output } from './checked-show.js'
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
  for (const output of show.outputs)
    for (const segment of alive(show, state, output, tMs))
      if (segment.cue !== null) cues.add(segment.cue)
  if (state.current !== null && state.waiting.some(({ deed }) => isFollow(deed)))
    cues.add(state.current)
  for (const { cue, t0Ms } of state.open)
    if (t0Ms + (show.cuesById.get(cue)?.actionsMs ?? 0) > tMs) cues.add(cue)
  return [...cues].slice(0, RUNNING_MAX)
}

const isFollow = (deed: ShowState['waiting'][number]['deed']): boolean =>
  deed.kind === 'fire' && deed.way === 'follow'

/** What plays and still changes, and what has yet to take over. */
function alive(show: CheckedShow, state: ShowState, output: Output, tMs: number): Segment[] {
  const segments = state.segments[output.index] ?? []
  const active = playing(segments, tMs)
  return segments.filter(
    segment =>
      segment.startMs > tMs ||
      (segment === active && (endOf(segment) > tMs || isChasing(show, segment, tMs))),
  )
}

function isChasing(show: CheckedShow, segment: Segment, tMs: number): boolean {
  const chase = segment.to ? null : show.cuesById.get(segment.cue ?? '')?.chase
  return chase ? chaseChange(chase, segment.t0Ms, tMs) !== null : false
}

/** When the report or what is due changes next by itself; null when it rests. */
export function nextTurnMs(show: CheckedShow, state: ShowState, tMs: number): number | null {
  const segments = state.segments.flat()
  const moments = [
    ...state.waiting.slice(0, 1).map(({ t0Ms }) => t0Ms),
    ...segments.flatMap(segment => [segment.startMs, endOf(segment), chaseEnd(show, segment)]),
    ...state.open.map(({ cue, t0Ms }) => t0Ms + (show.cuesById.get(cue)?.actionsMs ?? 0)),
    endOf(state.blackout),
    endOf(state.panic),
  ].filter(moment => moment > tMs)
  const first = Math.min(...moments)
  return Number.isFinite(first) ? first : null
}

function chaseEnd(show: CheckedShow, segment: Segment): number {
  const chase = segment.to ? null : show.cuesById.get(segment.cue ?? '')?.chase
  return chase?.untilMs == null ? 0 : segment.t0Ms + chase.untilMs
}
