/** The triggers of a show: what each waits for, and what it does. */
import { suggestion } from '../../core/nearest.js'
import type { Aim, Cue, Trigger, TriggerCause, TriggerDeed } from './checked-show.js'
import { type Draft, knownScene, type Path } from './draft.js'
import type { TriggerEntry } from './format.js'

/** `vb/<tour>/all/…` */
const COMMANDS_TO_ALL = /^vb\/[^/]+\/all(\/|$)/

type Scenes = ReadonlyMap<string, readonly Aim[]>

export const readTriggers = (draft: Draft, cues: readonly Cue[], scenes: Scenes): Trigger[] =>
  draft.document.triggers.map(({ on, do: deed, guard }, index) => ({
    on: readCause(draft, cues, on, ['triggers', index, 'on']),
    deed: readDeed(draft, cues, scenes, deed, ['triggers', index, 'do']),
    holdOffMs: guard.holdOff,
  }))

function readDeed(
  draft: Draft,
  cues: readonly Cue[],
  scenes: Scenes,
  deed: TriggerEntry['do'],
  path: Path,
): TriggerDeed {
  if (typeof deed === 'string') return { kind: deed }
  if ('scene' in deed) {
    knownScene(draft, scenes, deed.scene, [...path, 'scene'])
    return { kind: 'scene', scene: deed.scene }
  }
  const ids = cues.map(({ id }) => id)
  if (!ids.includes(deed.cue))
    draft.problems.add(
      [...path, 'cue'],
      `names ${deed.cue}, which is not a cue${suggestion(deed.cue, ids)}`,
    )
  return { kind: 'cue', cue: deed.cue }
}

function readCause(
  draft: Draft,
  cues: readonly Cue[],
  on: TriggerEntry['on'],
  path: Path,
): TriggerCause {
  if ('input' in on) {
    checkInput(draft, on.box, on.input, path)
    return { kind: 'input', ...on }
  }
  if ('timecode' in on) return { kind: 'timecode', position: on.timecode }
  const { mqtt: topic, payload = null, json = null } = on
  if (payload !== null && json !== null)
    draft.problems.add(
      [...path, 'json'],
      'cannot stand beside payload: a message is one or the other',
    )
  if (COMMANDS_TO_ALL.test(topic))
    draft.problems.add(
      [...path, 'mqtt'],
      'is where commands to all boxes come: they are carried out, and no trigger hears them',
    )
  const own = cues.find(({ actions }) =>
    actions.some(action => action.kind === 'mqtt' && action.topic === topic),
  )
  if (own)
    draft.problems.add(
      [...path, 'mqtt'],
      `is where cue ${own.id} publishes: the show would set itself off, again and again`,
    )
  return { kind: 'mqtt', topic, payload, json }
}

function checkInput(draft: Draft, box: string | null, input: string, path: Path): void {
  if (!draft.devices || (box !== null && box !== draft.box)) return
  const inputs = draft.devices.filter(({ kind }) => kind === 'input').map(({ name }) => name)
  if (!inputs.includes(input))
    draft.problems.add(
      path,
      `names ${input}, which is not an input or chord of the box${suggestion(input, inputs)}`,
    )
}
