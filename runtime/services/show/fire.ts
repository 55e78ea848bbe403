/** Firing a cue: the fades that it begins, the place in the list, the follow, and the actions that are under way. */
import type { CheckedShow, Components, Cue } from './checked-show.js'
import { insertSegment, type NewSegment } from './segments.js'
import { type Deed, type FireDeed, OPEN_MAX, type ShowState, WAITING_MAX } from './state.js'
import { trackedAt, trackedLook } from './tracked.js'

/** Takes a cue's outputs over, makes it the current one, and lets what follows it wait. */
export function fire(show: CheckedShow, state: ShowState, t0Ms: number, deed: FireDeed): ShowState {
  const cue = show.cuesById.get(deed.cue)
  if (!cue) return state
  const isBack = deed.way === 'back'
  const fired: ShowState = {
    ...state,
    segments: taken(show, state, partsOf(show, state, cue, t0Ms, deed.way)),
    clockDone: deed.way === 'clock' ? [...state.clockDone, cue.id] : state.clockDone,
    open: isBack ? state.open : opened(show, state, cue, t0Ms, deed.id),
  }
  // A fire that arrives after a later one changes what that one left alone, and nothing else.
  if (t0Ms < state.currentT0Ms && state.current !== null) return fired
  return isBack ? wentBack(fired, cue, t0Ms) : wentOn(fired, cue, t0Ms, deed)
}

function taken(show: CheckedShow, state: ShowState, parts: readonly Part[]): ShowState['segments'] {
  const segments = [...state.segments]
  for (const { output: index, segment } of parts) {
    const output = show.outputs[index]
    if (output)
      segments[index] = insertSegment(show, output, segments[index] ?? [], segment, state.atMs)
  }
  return segments
}

/** Whoever moves the list takes the place of the follow that was waiting. */
export const withoutFollow = (state: ShowState): ShowState['waiting'] =>
  state.waiting.filter(({ deed }) => !isFollow(deed))

const wentBack = (state: ShowState, cue: Cue, t0Ms: number): ShowState => ({
  ...state,
  current: cue.id,
  currentT0Ms: t0Ms,
  next: state.current ?? cue.next,
  isNextChosen: false,
  waiting: withoutFollow(state),
})

function wentOn(state: ShowState, cue: Cue, t0Ms: number, deed: FireDeed): ShowState {
  const waiting = withoutFollow(state)
  const sequel = {
    ...state,
    current: cue.id,
    currentT0Ms: t0Ms,
    next: cue.next,
    isNextChosen: false,
    waiting,
  }
  if (!cue.follow) return sequel
  const follow: Deed = { ...deed, id: followId(deed.id), cue: cue.follow.cue, way: 'follow' }
  return { ...sequel, waiting: withWaiting(waiting, t0Ms + cue.follow.afterMs, follow) }
}

/** The list moves on as if the cue had been fired, and nothing is shown or done: its moment is long gone. */
export function passOver(
  show: CheckedShow,
  state: ShowState,
  t0Ms: number,
  deed: FireDeed,
): ShowState {
  const cue = show.cuesById.get(deed.cue)
  return cue ? wentOn(state, cue, t0Ms, deed) : state
}

export const isFollow = (deed: Deed): boolean => deed.kind === 'fire' && deed.way === 'follow'

/** `01J…` is followed by `01J….1`, then `01J….2`: the same names wherever they are derived. */
function followId(id: string): string {
  const match = /^(.*)\.(\d{1,12})$/.exec(id)
  return match ? `${match[1]}.${Number(match[2]) + 1}` : `${id.slice(0, 50)}.1`
}

interface Part {
  readonly output: number
  readonly segment: NewSegment
}

function partsOf(
  show: CheckedShow,
  state: ShowState,
  cue: Cue,
  t0Ms: number,
  way: FireDeed['way'],
): Part[] {
  if (way === 'back') return backwards(show, state, cue, t0Ms)
  return way === 'jump' ? everything(show, cue, t0Ms) : forwards(cue, t0Ms)
}

function forwards(cue: Cue, t0Ms: number): Part[] {
  return cue.aims.map(({ output, to, delayMs }) => ({
    output,
    segment: newSegment(cue, cue.id, to, t0Ms, delayMs),
  }))
}

const newSegment = (
  times: Cue,
  owner: string,
  to: Components | null,
  t0Ms: number,
  delayMs: number,
): NewSegment => ({
  cue: owner,
  t0Ms,
  startMs: t0Ms + delayMs,
  upMs: times.upMs,
  downMs: times.downMs,
  to: to ? [...to] : null,
})

/** The cue, and beside it the look that the list has there, whatever was shown before. */
function everything(show: CheckedShow, cue: Cue, t0Ms: number): Part[] {
  const outputs = show.outputs.map(({ index }) => index)
  return withList(show, cue, t0Ms, outputs)
}

/** Back shows what the list says at the cue before, on what the cue that is left has changed. */
function backwards(show: CheckedShow, state: ShowState, cue: Cue, t0Ms: number): Part[] {
  const left = state.current === null ? undefined : show.cuesById.get(state.current)
  const outputs = left?.aims.map(({ output }) => output) ?? []
  return withList(show, cue, t0Ms, outputs)
}

/**
 * The cue, and of these outputs those that it does not name: they go to where the nearest cue above put them, or home, in
 * the time of the cue.
 */
function withList(show: CheckedShow, cue: Cue, t0Ms: number, outputs: readonly number[]): Part[] {
  const parts = forwards(cue, t0Ms)
  const named = new Set(parts.map(({ output }) => output))
  const tracked = trackedAt(show, cue)
  for (const output of outputs) {
    if (named.has(output)) continue
    const home = show.outputs[output]?.home ?? []
    const above = tracked.get(output)
    const to = above ? trackedLook(above, home, t0Ms) : home
    const owner = above && to === null ? above.owner : cue
    parts.push({ output, segment: newSegment(cue, owner.id, to, t0Ms, 0) })
  }
  return parts
}

function opened(
  show: CheckedShow,
  state: ShowState,
  cue: Cue,
  t0Ms: number,
  id: string,
): ShowState['open'] {
  const still = state.open.filter(
    other => other.t0Ms + (show.cuesById.get(other.cue)?.actionsMs ?? 0) > state.atMs,
  )
  return cue.actions.length === 0 ? still : [...still, { id, cue: cue.id, t0Ms }].slice(-OPEN_MAX)
}

/** In order of time, after what has the same time. The furthest gives way when there is too much. */
export function withWaiting(
  before: ShowState['waiting'],
  t0Ms: number,
  deed: Deed,
): ShowState['waiting'] {
  const index = before.findIndex(other => other.t0Ms > t0Ms)
  const waiting = before.toSpliced(index < 0 ? before.length : index, 0, {
    t0Ms,
    deed,
  })
  return waiting.slice(0, WAITING_MAX + 1)
}
