/** Reads and checks a show document: its form first, then everything that a form cannot say. */
import { readDocument } from '../../core/document.js'
import { ConfigError, type Problem } from '../../core/errors.js'
import { suggestion } from '../../core/nearest.js'
import { check, type Locate } from '../../core/schema.js'
import type { Keys } from '../../ports/keys.js'
import type { Aim, CheckedShow, Components, Output, Trigger } from './checked-show.js'
import { readCues } from './cues.js'
import { type Draft, type KnownDevice, Problems } from './draft.js'
import { type ShowDocument, showDocument } from './format.js'
import { readGroups } from './groups.js'
import { aimsOf, checkLook, dark } from './looks.js'
import { readPatch } from './patch.js'
import { checkFollowLoops, unreached } from './sequence.js'

export interface CheckContext {
  readonly keys: Keys
  /** The box that runs the show; null when the show is checked by itself. */
  readonly box: string | null
  /** Lights, captures, inputs and chords of that box; null when they are not known. */
  readonly devices: readonly KnownDevice[] | null
}

const TOP = { line: 1, column: 1 }

/**
 * @param text YAML or JSON
 * @throws ConfigError `show.invalid` with every problem of the form, or every problem of the names, each with a place
 */
export function checkShow(text: string, context: CheckContext): CheckedShow {
  try {
    const { value, locate } = readDocument(text, 'show', 'show.invalid')
    const document = check(showDocument, value, 'show', { locate, code: 'show.invalid' })
    return compile(document, locate, context)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(error.problems.map(placed), 'show.invalid')
  }
}

/** What is wrong with the document as a whole stands at its top. */
const placed = (problem: Problem): Problem => ({ ...problem, place: problem.place ?? TOP })

function compile(document: ShowDocument, locate: Locate, context: CheckContext): CheckedShow {
  const problems = new Problems(locate)
  const { box, devices, keys } = context
  const { outputs: patched, captures } = readPatch({ document, problems, box, devices })
  const groups = readGroups({ document, problems, outputs: patched, captures })
  const draft: Draft = { document, problems, box, devices, outputs: patched, captures, groups }
  checkHomes(draft)
  const scenes = new Map(
    Object.entries(document.scenes).map(([id, looks]) => [
      id,
      aimsOf(draft, looks, ['scenes', id]),
    ]),
  )
  const outputs = [...patched.values()].map(output => withLost(draft, scenes, output))
  const cues = readCues(draft, scenes)
  const cuesById = new Map(cues.map(cue => [cue.id, cue]))
  checkFollowLoops(problems, cues, cuesById)
  const triggers = readTriggers(draft, cuesById, scenes)
  const panic = readPanic(draft, scenes)
  if (problems.found.length > 0) throw new ConfigError(problems.found, 'show.invalid')
  return {
    name: document.name,
    digest: keys.sha256Hex(new TextEncoder().encode(canonical(document))),
    outputs,
    componentCount: outputs.reduce((sum, { componentCount }) => sum + componentCount, 0),
    groups: finished(groups, outputs),
    captures,
    scenes,
    cues,
    cuesById,
    triggers,
    panic,
    leadMs: document.clock.lead,
    warnings: unreached(cues, cuesById, triggers).map(
      ({ id, index }) => `show.cues[${index}]: nothing reaches cue ${id}`,
    ),
    document,
  }
}

/** Groups were read before scenes: their members are exchanged for the finished outputs. */
const finished = (
  groups: Draft['groups'],
  outputs: readonly Output[],
): Map<string, readonly Output[]> =>
  new Map(
    [...groups].map(([name, members]) => [
      name,
      members.map(member => outputs[member.index] ?? member),
    ]),
  )

function checkHomes(draft: Draft): void {
  for (const output of draft.outputs.values()) {
    const home = draft.document.patch[output.name]?.home
    if (home !== undefined) checkLook(draft, [output.kind], home, ['patch', output.name, 'home'])
  }
}

function withLost(
  draft: Draft,
  scenes: ReadonlyMap<string, readonly Aim[]>,
  output: Output,
): Output {
  const onLost = draft.document.patch[output.name]?.onLost
  if (typeof onLost !== 'object') return output
  const { scene: id, fade: fadeMs } = onLost.then
  const path = ['patch', output.name, 'onLost', 'then', 'scene']
  const aims = knownScene(draft, scenes, id, path)
  const aim = aims?.find(({ output: index }) => index === output.index)
  if (aims && !aim) draft.problems.add(path, `names ${id}, which says nothing about ${output.name}`)
  return { ...output, lost: { holdMs: onLost.hold, fadeMs, to: aim?.to ?? dark(output.kind) } }
}

function knownScene(
  draft: Draft,
  scenes: ReadonlyMap<string, readonly Aim[]>,
  id: string,
  path: readonly (string | number)[],
): readonly Aim[] | null {
  const scene = scenes.get(id)
  if (scene) return scene
  draft.problems.add(path, `names ${id}, which is not a scene${suggestion(id, scenes.keys())}`)
  return null
}

function readPanic(
  draft: Draft,
  scenes: ReadonlyMap<string, readonly Aim[]>,
): CheckedShow['panic'] {
  const { scene: id, fade: fadeMs, release: releaseMs } = draft.document.panic
  const aims = id === null ? null : knownScene(draft, scenes, id, ['panic', 'scene'])
  const levels: Components[] = [...draft.outputs.values()].map(
    ({ index, kind }) => aims?.find(({ output }) => output === index)?.to ?? dark(kind),
  )
  return {
    levels,
    isDark: levels.every(level => level.every(part => part === 0)),
    fadeMs,
    releaseMs,
  }
}

function readTriggers(
  draft: Draft,
  cues: ReadonlyMap<string, unknown>,
  scenes: ReadonlyMap<string, readonly Aim[]>,
): Trigger[] {
  return draft.document.triggers.map((entry, index) => {
    const path = ['triggers', index]
    const { on, do: deed, guard } = entry
    checkInput(draft, on.box, on.input, [...path, 'on'])
    const rest = { on, holdOffMs: guard.holdOff }
    if (typeof deed === 'string') return { ...rest, deed: { kind: deed } }
    if ('scene' in deed) {
      knownScene(draft, scenes, deed.scene, [...path, 'do', 'scene'])
      return { ...rest, deed: { kind: 'scene', scene: deed.scene } }
    }
    if (!cues.has(deed.cue))
      draft.problems.add(
        [...path, 'do', 'cue'],
        `names ${deed.cue}, which is not a cue${suggestion(deed.cue, cues.keys())}`,
      )
    return { ...rest, deed: { kind: 'cue', cue: deed.cue } }
  })
}

function checkInput(
  draft: Draft,
  box: string | null,
  input: string,
  path: readonly (string | number)[],
): void {
  if (!draft.devices || (box !== null && box !== draft.box)) return
  const inputs = draft.devices.filter(({ kind }) => kind === 'input').map(({ name }) => name)
  if (!inputs.includes(input))
    draft.problems.add(
      path,
      `names ${input}, which is not an input or chord of the box${suggestion(input, inputs)}`,
    )
}

/** The same document, whatever the order of its keys, its comments and its spaces. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`).join(',')}}`
}
