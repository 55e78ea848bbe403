/** Reads and checks a show document: its form first, then everything that a form cannot say. */
import { readDocument, type TextDocument } from '../../core/document.js'
import { ConfigError, type Problem } from '../../core/errors.js'
import { check, type Locate } from '../../core/schema.js'
import type { Keys } from '../../ports/keys.js'
import type { Aim, CheckedShow, Components, Output } from './checked-show.js'
import { readCues } from './cues.js'
import { type Draft, type KnownDevice, knownScene, Problems } from './draft.js'
import { type ShowDocument, showDocument } from './format.js'
import { readGroups } from './groups.js'
import { aimsOf, checkLook, dark } from './looks.js'
import { readPatch } from './patch.js'
import { checkFollowLoops, unreached } from './sequence.js'
import { readTriggers } from './trigger-list.js'

export interface CheckContext {
  readonly keys: Keys
  /** The box that runs the show; null when the show is checked by itself. */
  readonly box: string | null
  /** Lights, captures, inputs and chords of that box; null when they are not known. */
  readonly devices: readonly KnownDevice[] | null
  /** Names of its ticket templates; null when they are not known. */
  readonly templates: readonly string[] | null
}

const TOP = { line: 1, column: 1 }

/**
 * @param text YAML or JSON
 * @throws ConfigError `show.invalid` with every problem of the form, or every problem of the names, each with a place
 */
export function checkShow(text: string, context: CheckContext): CheckedShow {
  return withPlaces(() => checkRead(readDocument(text, 'show', 'show.invalid'), context))
}

/** The same for a document that was read already. */
export function checkShowDocument(document: TextDocument, context: CheckContext): CheckedShow {
  return withPlaces(() => checkRead(document, context))
}

function checkRead({ value, locate }: TextDocument, context: CheckContext): CheckedShow {
  const document = check(showDocument, value, 'show', { locate, code: 'show.invalid' })
  return compile(document, locate, context)
}

function withPlaces(work: () => CheckedShow): CheckedShow {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(error.problems.map(placed), 'show.invalid')
  }
}

/** What is wrong with the document as a whole stands at its top. */
const placed = (problem: Problem): Problem => ({ ...problem, place: problem.place ?? TOP })

function compile(document: ShowDocument, locate: Locate, context: CheckContext): CheckedShow {
  const problems = new Problems(locate)
  const { box, devices, keys, templates } = context
  const { outputs: patched, captures } = readPatch({ document, problems, box, devices })
  const groups = readGroups({ document, problems, outputs: patched, captures })
  const draft: Draft = {
    document,
    problems,
    box,
    devices,
    templates,
    outputs: patched,
    captures,
    groups,
  }
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
  const triggers = readTriggers(draft, cues, scenes)
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

/** The same document, whatever the order of its keys, its comments and its spaces. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`).join(',')}}`
}
