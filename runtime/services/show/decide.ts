/** What a command means for the show as it stands: the events that carry it out, or why it is refused. Pure. */
import type { ErrorCode } from '../../core/errors.js'
import { suggestionOrAll } from '../../core/nearest.js'
import type { ShowCommand } from '../../topics.js'
import { type CheckedShow, type Cue, outputsOf } from './checked-show.js'
import { isFollow } from './fire.js'
import { advance, isKnownFire, ledBy } from './fold.js'
import { type Deed, type FireDeed, type ShowEvent, type ShowState, WAITING_MAX } from './state.js'

/** Later than this, a cue's late policy decides; sooner is the ordinary delay of a network or a button. */
export const LATE_MS = 250
/** What is older than half a day belongs to another evening. */
export const JOIN_MS_MAX = 12 * 3_600_000
const AHEAD_MS_MAX = 24 * 3_600_000
const SCENE_FADE_MS = 1000
/** How many follows are looked through to find the cue that a scheduled GO means. */
const STEPS_MAX = 1000

export interface Moment {
  /** Show time. */
  readonly nowMs: number
  readonly wallMs: number
  /** How far ahead a GO is planned, where nobody says when. */
  readonly leadMs: number
  readonly newId: () => string
}

export type Decision =
  | { readonly kind: 'act'; readonly events: readonly ShowEvent[] }
  | { readonly kind: 'refuse'; readonly code: ErrorCode; readonly message: string }

const refuse = (message: string): Decision => ({ kind: 'refuse', code: 'command.refused', message })
const invalid = (message: string): Decision => ({
  kind: 'refuse',
  code: 'command.invalid',
  message,
})

/** Panic is never refused: not by epoch, not by time, not by another panic. */
export function decide(
  show: CheckedShow,
  state: ShowState,
  command: ShowCommand,
  moment: Moment,
): Decision {
  const { nowMs } = moment
  const { action, epoch = state.epoch } = command
  if (epoch < state.epoch && action !== 'panic')
    return refuse(`comes from a leader that was replaced: epoch ${epoch}, now ${state.epoch}`)
  const decision = order(show, ledBy(state, epoch), command, moment)
  if (epoch <= state.epoch || decision.kind === 'refuse' || decision.events.some(isFire))
    return decision
  return { ...decision, events: [happening(nowMs, { kind: 'lead', epoch }), ...decision.events] }
}

/** It says itself who leads. */
const isFire = ({ deed }: ShowEvent): boolean => deed.kind === 'fire'

/** @param state as it is under the leader who commands */
function order(
  show: CheckedShow,
  state: ShowState,
  command: ShowCommand,
  moment: Moment,
): Decision {
  const { nowMs } = moment
  if (command.action === 'panic')
    // Noted also while one is on: whoever releases that one may not have heard of this one.
    return { kind: 'act', events: [happening(nowMs, { kind: 'panic', id: command.id })] }
  if (command.atShowMs !== undefined && command.atShowMs > nowMs + AHEAD_MS_MAX)
    return invalid('atShowMs must be within a day')
  if (state.waiting.length >= WAITING_MAX && (command.atShowMs ?? 0) > nowMs)
    return refuse(`${WAITING_MAX} commands are waiting already`)
  return meaning(show, state, command, moment)
}

const happening = (nowMs: number, deed: Deed, t0Ms = nowMs): ShowEvent => ({
  atMs: nowMs,
  t0Ms,
  deed,
})

function meaning(
  show: CheckedShow,
  state: ShowState,
  command: ShowCommand,
  moment: Moment,
): Decision {
  switch (command.action) {
    case 'go':
    case 'back':
    case 'fire':
      return fireOf(show, state, command, moment)
    case 'scene':
      return sceneOf(show, state, command, moment)
    case 'level':
      return levelOf(show, command, moment)
    case 'clear':
      return clearOf(show, command, moment)
    case 'goto':
      return gotoOf(show, state, command, moment)
    case 'blackout':
      return plain(command, moment, {
        kind: 'blackout',
        isOn: command.on ?? true,
        fadeMs: command.fadeMs ?? 0,
      })
    case 'release':
      if (!state.panic.isOn) return { kind: 'act', events: [] }
      return plain(command, moment, {
        kind: 'release',
        fadeMs: command.fadeMs ?? show.panic.releaseMs,
        ids: [...state.panics.active],
      })
    case 'tempo':
      return tempoOf(command, moment)
    case 'arm':
      if (state.armedWallMs !== null) return { kind: 'act', events: [] }
      return armOf(command, moment)
    case 'disarm':
      return plain(command, moment, { kind: 'disarm' })
    case 'panic':
      return { kind: 'act', events: [] }
  }
}

/** What has no late policy happens at once when its moment is over. */
const plain = (command: ShowCommand, { nowMs }: Moment, deed: Deed): Decision => ({
  kind: 'act',
  events: [happening(nowMs, deed, Math.max(nowMs, command.atShowMs ?? nowMs))],
})

/** Armed from when it takes effect, on the wall clock as it goes now. */
function armOf(command: ShowCommand, moment: Moment): Decision {
  const aheadMs = Math.max(0, (command.atShowMs ?? moment.nowMs) - moment.nowMs)
  return plain(command, moment, { kind: 'arm', wallMs: moment.wallMs + aheadMs })
}

/**
 * When a move in the list is asked for. Who acts before a follow acts in its place: where the lead would end behind the
 * follow, the move is made at once, or both would happen, one after the other.
 */
function askedMsOf(
  show: CheckedShow,
  state: ShowState,
  command: ShowCommand,
  { nowMs, leadMs }: Moment,
): number {
  const askedMs = command.atShowMs ?? nowMs + leadMs
  if (askedMs <= nowMs || askedMs > nowMs + leadMs) return askedMs
  const { done } = advance(show, state, askedMs, STEPS_MAX)
  const first = done.find(({ deed }) => deed.kind === 'fire')
  return first && isFollow(first.deed) ? nowMs : askedMs
}

function fireOf(
  show: CheckedShow,
  state: ShowState,
  command: ShowCommand,
  moment: Moment,
): Decision {
  if (state.panic.isOn) return refuse('panic is on: release it first')
  const askedMs = askedMsOf(show, state, command, moment)
  // A second GO within the lead of the first means the cue after it.
  const then = advance(show, state, Math.max(askedMs, moment.nowMs), STEPS_MAX).state
  const cue = cueOf(show, then, command)
  if (typeof cue === 'string') return command.action === 'fire' ? invalid(cue) : refuse(cue)
  const deed: FireDeed = {
    kind: 'fire',
    id: command.action === 'fire' ? command.id : moment.newId(),
    cue: cue.id,
    epoch: command.epoch ?? state.epoch,
    origin: command.origin,
    way: wayOf(then, command),
  }
  if (isKnownFire(state, deed)) return { kind: 'act', events: [] }
  // "The next one" comes after the present one, even where its button was pressed a moment before.
  const t0Ms = command.action === 'fire' ? askedMs : Math.max(askedMs, then.currentT0Ms)
  return inTime(cue, deed, t0Ms, moment.nowMs)
}

function wayOf(state: ShowState, { action }: ShowCommand): FireDeed['way'] {
  if (action === 'back') return 'back'
  return action === 'go' && state.isNextChosen ? 'jump' : 'go'
}

/** Which cue is meant, or why there is none. */
function cueOf(show: CheckedShow, state: ShowState, command: ShowCommand): Cue | string {
  switch (command.action) {
    case 'go':
      return show.cuesById.get(state.next ?? '') ?? 'there is no next cue'
    case 'back': {
      const current = show.cuesById.get(state.current ?? '')
      return show.cues[(current?.index ?? 0) - 1] ?? 'there is no cue before this one'
    }
    default:
      return namedCue(show, command.cue)
  }
}

function namedCue(show: CheckedShow, id: string | undefined): Cue | string {
  if (id === undefined) return 'cue is missing'
  return show.cuesById.get(id) ?? `${id} is not a cue${suggestionOrAll(id, show.cuesById.keys())}`
}

/** One fire with the moment that the cue's late policy gives it. */
function inTime(cue: Cue, deed: FireDeed, t0Ms: number, nowMs: number): Decision {
  const lateMs = nowMs - t0Ms
  if (lateMs <= LATE_MS) return { kind: 'act', events: [happening(nowMs, deed, t0Ms)] }
  if (cue.late === 'skip')
    return refuse(`came ${Math.round(lateMs)} ms late, and cue ${cue.id} is skipped when late`)
  if (cue.late === 'fire') return { kind: 'act', events: [happening(nowMs, deed, nowMs)] }
  if (lateMs > JOIN_MS_MAX) return refuse('came more than half a day late')
  return { kind: 'act', events: [happening(nowMs, deed, t0Ms)] }
}

function sceneOf(
  show: CheckedShow,
  state: ShowState,
  command: ShowCommand,
  moment: Moment,
): Decision {
  if (state.panic.isOn) return refuse('panic is on: release it first')
  const { scene } = command
  if (scene === undefined) return invalid('scene is missing')
  if (!show.scenes.has(scene))
    return invalid(`${scene} is not a scene${suggestionOrAll(scene, show.scenes.keys())}`)
  return plain(command, moment, { kind: 'scene', scene, fadeMs: command.fadeMs ?? SCENE_FADE_MS })
}

/** Why a name is not an output or group; null when it is. */
function unknownTarget(show: CheckedShow, target: string): string | null {
  if (outputsOf(show, target)) return null
  if (show.captures.has(target)) return `${target} is a capture, which has no level`
  const known = [...show.outputs.map(({ name }) => name), ...show.groups.keys()]
  return `${target} is not an output or group${suggestionOrAll(target, known)}`
}

function levelOf(show: CheckedShow, command: ShowCommand, moment: Moment): Decision {
  const { target, level, fadeMs = 0 } = command
  if (target === undefined || level === undefined) return invalid('target or level is missing')
  const problem = unknownTarget(show, target)
  return problem === null
    ? plain(command, moment, { kind: 'level', target, level, fadeMs })
    : invalid(problem)
}

function clearOf(show: CheckedShow, command: ShowCommand, moment: Moment): Decision {
  const { target = null, fadeMs = 0 } = command
  const problem = target === null ? null : unknownTarget(show, target)
  return problem === null
    ? plain(command, moment, { kind: 'clear', target, fadeMs })
    : invalid(problem)
}

/** Planned as a GO is, so that all boxes count alike from its first beat on. */
function tempoOf(command: ShowCommand, moment: Moment): Decision {
  const { bpm, beatsPerBar = null, restart = false } = command
  const planned = { ...command, atShowMs: command.atShowMs ?? moment.nowMs + moment.leadMs }
  if (command.on === false) return plain(planned, moment, { kind: 'tempo', change: null })
  if (bpm === undefined) return invalid('bpm is missing')
  return plain(planned, moment, { kind: 'tempo', change: { bpm, beatsPerBar, isRestart: restart } })
}

/** Planned as a GO is, so that one behind a GO comes after it. */
function gotoOf(
  show: CheckedShow,
  state: ShowState,
  command: ShowCommand,
  moment: Moment,
): Decision {
  const cue = namedCue(show, command.cue)
  if (typeof cue === 'string') return invalid(cue)
  const atShowMs = askedMsOf(show, state, command, moment)
  return plain({ ...command, atShowMs }, moment, { kind: 'goto', cue: cue.id })
}
