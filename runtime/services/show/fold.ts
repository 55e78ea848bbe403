/**
 * How events change the state. Everything that is due by itself, such as follows, is derived and not written down: the same
 * events give the same state on every box and after every restart.
 */
import { type CheckedShow, type Components, type Output, outputsOf } from './checked-show.js'
import { fire, isFollow, withoutFollow, withWaiting } from './fire.js'
import { handComponents, lostLevel, ramped } from './layers.js'
import { componentsOf } from './looks.js'
import { withPanic, withRelease } from './panics.js'
import { endOf, insertSegment, type NewSegment } from './segments.js'
import { type Deed, FIRES_KEPT, type FireDeed, type ShowEvent, type ShowState } from './state.js'
import { tempoChangeOf, withTempo } from './tempo.js'
import { white } from './words.js'

/** A deed that took effect, and when. */
export interface Done {
  readonly t0Ms: number
  readonly deed: Deed
}

export interface Step {
  readonly state: ShowState
  /** In the order in which they took effect. */
  readonly done: readonly Done[]
}

const NOTHING_DONE: readonly Done[] = []

/** Applies what is due up to `tMs`. The same state when there is nothing. */
export function advance(
  show: CheckedShow,
  state: ShowState,
  tMs: number,
  stepsMax = Number.POSITIVE_INFINITY,
): Step {
  const first = state.waiting[0]
  if (!first || first.t0Ms > tMs) return { state, done: NOTHING_DONE }
  const done: Done[] = []
  let at = state
  for (let due = state.waiting[0]; due && due.t0Ms <= tMs && done.length < stepsMax; ) {
    const atMs = Math.max(at.atMs, due.t0Ms)
    at = apply(show, { ...at, atMs, waiting: at.waiting.slice(1) }, due.t0Ms, due.deed)
    done.push(due)
    due = at.waiting[0]
  }
  return { state: at, done }
}

/** The state with everything in that is due by `tMs`. */
export function stateAt(show: CheckedShow, state: ShowState, tMs: number): ShowState {
  const first = state.waiting[0]
  return first && first.t0Ms <= tMs ? advance(show, state, tMs).state : state
}

/** What was due before the event, then the event; one whose moment is still to come waits for it. */
export function fold(show: CheckedShow, state: ShowState, event: ShowEvent): Step {
  const { deed, t0Ms, atMs } = event
  // The old timeline's moments mean nothing on the new one until they have moved with it.
  if (deed.kind === 'rebase') return { state: rebased(state, deed.byMs), done: NOTHING_DONE }
  const { state: due, done } = advance(show, state, atMs)
  if (deed.kind === 'fire' && isKnownFire(due, deed)) return { state: due, done }
  const noted = deed.kind === 'fire' ? noteFire(due, deed) : due
  const at = { ...noted, atMs: Math.max(noted.atMs, atMs) }
  if (t0Ms > atMs) return { state: { ...at, waiting: withWaiting(at.waiting, t0Ms, deed) }, done }
  return { state: apply(show, at, t0Ms, deed), done: [...done, { t0Ms, deed }] }
}

/** For the log: how much of what waited before an event was neither done by it nor left waiting. */
export function takenBack(
  before: ShowState,
  { state, done }: Step,
): { readonly takenBack: number } {
  const isLeft = (one: Done): boolean => state.waiting.includes(one) || done.includes(one)
  return { takenBack: before.waiting.filter(one => !isLeft(one)).length }
}

/** Fired before, or by a leader that has been replaced. */
export const isKnownFire = (state: ShowState, deed: FireDeed): boolean =>
  state.fires.includes(deed.id) || deed.epoch < state.epoch

const noteFire = (state: ShowState, deed: FireDeed): ShowState => ({
  ...ledBy(state, deed.epoch),
  fires: [...state.fires, deed.id].slice(-FIRES_KEPT),
})

/**
 * The state once a leader of this epoch has spoken: what an older one had only scheduled is taken back. What had begun
 * stays, and so does the follow of a cue, which is a part of it.
 */
export const ledBy = (state: ShowState, epoch: number): ShowState =>
  epoch <= state.epoch
    ? state
    : { ...state, epoch, waiting: state.waiting.filter(({ deed }) => isFollow(deed)) }

function apply(show: CheckedShow, state: ShowState, t0Ms: number, deed: Deed): ShowState {
  switch (deed.kind) {
    case 'fire':
      return withTempo(fire(show, state, t0Ms, deed), tempoChangeOf(show, deed), t0Ms)
    case 'tempo':
      return withTempo(state, deed.change, t0Ms)
    case 'pass':
      return { ...state, clockDone: [...state.clockDone, deed.cue] }
    case 'scene':
      return recall(show, state, t0Ms, deed)
    case 'level':
      return setByHand(show, state, t0Ms, deed)
    case 'clear':
      return clear(show, state, t0Ms, deed)
    case 'blackout':
      return { ...state, blackout: ramped(state.blackout, deed.isOn, t0Ms, deed.fadeMs) }
    case 'panic':
      return panic(show, state, t0Ms, deed.id)
    case 'release':
      return release(state, t0Ms, deed)
    case 'goto':
      return { ...state, next: deed.cue, isNextChosen: true, waiting: withoutFollow(state) }
    case 'arm':
      return { ...state, armedWallMs: deed.wallMs, clockDone: [] }
    case 'count':
      return { ...state, armedWallMs: state.armedWallMs === null ? null : deed.fromWallMs }
    case 'lead':
      return ledBy(state, deed.epoch)
    case 'disarm':
      return { ...state, armedWallMs: null }
    case 'lost':
      return lose(show, state, t0Ms, deed.isLost)
    case 'rebase':
      return rebased(state, deed.byMs)
  }
}

/** Stops everything that was to come: follows, scheduled cues, pictures. Asked again it comes no later. */
const panic = (
  show: CheckedShow,
  state: ShowState,
  t0Ms: number,
  id: string | undefined,
): ShowState => ({
  ...state,
  panic: state.panic.isOn ? state.panic : ramped(state.panic, true, t0Ms, show.panic.fadeMs),
  panics: withPanic(state.panics, id),
  waiting: [],
  open: [],
})

/** A panic of which whoever released had not heard is still one. */
function release(
  state: ShowState,
  t0Ms: number,
  { ids, fadeMs }: Extract<Deed, { kind: 'release' }>,
): ShowState {
  const panics = withRelease(state.panics, ids)
  if (panics.active.length > 0) return { ...state, panics }
  return { ...state, panics, panic: ramped(state.panic, false, t0Ms, fadeMs) }
}

function recall(
  show: CheckedShow,
  state: ShowState,
  t0Ms: number,
  deed: Extract<Deed, { kind: 'scene' }>,
): ShowState {
  const segments = [...state.segments]
  for (const { output: index, to } of show.scenes.get(deed.scene) ?? []) {
    const output = show.outputs[index]
    const segment: NewSegment = {
      cue: null,
      t0Ms,
      startMs: t0Ms,
      upMs: deed.fadeMs,
      downMs: deed.fadeMs,
      to: [...to],
    }
    if (output)
      segments[index] = insertSegment(show, output, segments[index] ?? [], segment, state.atMs)
  }
  return { ...state, segments }
}

function setByHand(
  show: CheckedShow,
  state: ShowState,
  t0Ms: number,
  deed: Extract<Deed, { kind: 'level' }>,
): ShowState {
  const manual = [...state.manual]
  for (const output of outputsOf(show, deed.target) ?? []) {
    const from = handComponents(show, state, output, t0Ms)
    manual[output.index] = {
      startMs: t0Ms,
      durationMs: deed.fadeMs,
      from,
      to: atBrightness(output, from, deed.level),
    }
  }
  return { ...state, manual }
}

/** A lamp that shows a color keeps it; a dark one becomes white. */
function atBrightness(output: Output, shown: Components, level: number): number[] {
  const brightest = Math.max(0, ...shown)
  if (brightest <= 0) return [...componentsOf(output.kind, level, white)]
  return shown.map(part => Math.min(1, (part / brightest) * level))
}

function clear(
  show: CheckedShow,
  state: ShowState,
  t0Ms: number,
  deed: Extract<Deed, { kind: 'clear' }>,
): ShowState {
  const manual = [...state.manual]
  const outputs = deed.target === null ? show.outputs : (outputsOf(show, deed.target) ?? [])
  for (const output of outputs)
    if (manual[output.index]?.to)
      manual[output.index] = {
        startMs: t0Ms,
        durationMs: deed.fadeMs,
        from: handComponents(show, state, output, t0Ms),
        to: null,
      }
  return { ...state, manual: manual.map(hand => (hand && isGone(hand, t0Ms) ? null : hand)) }
}

const isGone = (hand: NonNullable<ShowState['manual'][number]>, tMs: number): boolean =>
  hand.to === null && tMs >= endOf(hand)

function lose(show: CheckedShow, state: ShowState, t0Ms: number, isLost: boolean): ShowState {
  if (state.lost.isLost === isLost) return state
  const from = show.outputs.map(output => lostLevel(state, output, t0Ms))
  return { ...state, lost: { isLost, startMs: t0Ms, from } }
}

/** The same state on a timeline that was set by so much. */
export function rebased(state: ShowState, byMs: number): ShowState {
  const moved = <T extends { readonly startMs: number }>(part: T): T => ({
    ...part,
    startMs: part.startMs + byMs,
  })
  const fired = <T extends { readonly t0Ms: number }>(part: T): T => ({
    ...part,
    t0Ms: part.t0Ms + byMs,
  })
  return {
    ...state,
    atMs: state.atMs + byMs,
    currentT0Ms: state.currentT0Ms + byMs,
    waiting: state.waiting.map(fired),
    open: state.open.map(fired),
    segments: state.segments.map(list => list.map(segment => fired(moved(segment)))),
    manual: state.manual.map(hand => (hand ? moved(hand) : null)),
    blackout: moved(state.blackout),
    panic: moved(state.panic),
    lost: moved(state.lost),
    tempo: state.tempo && { ...state.tempo, fromMs: state.tempo.fromMs + byMs },
  }
}
