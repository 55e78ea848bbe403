/** The cue list: from what a person writes to cues with every aim, time and successor resolved. */
import { suggestion } from '../../core/nearest.js'
import { endOfActionMs, readActions } from './actions.js'
import type { Aim, Chase, Components, Cue, CueAim } from './checked-show.js'
import type { Curve } from './curves.js'
import type { Draft, Path } from './draft.js'
import type { CueEntry } from './format.js'
import { aimsOf, dark, mostSpecific } from './looks.js'

/** Shorter steps would flicker between frames. */
const STEP_MS_MIN = 25

export function readCues(draft: Draft, scenes: ReadonlyMap<string, readonly Aim[]>): Cue[] {
  const { cues } = draft.document
  const ids = new Set(cues.map(({ id }) => id))
  return cues.map((entry, index) => readCue(draft, scenes, ids, entry, index))
}

function readCue(
  draft: Draft,
  scenes: ReadonlyMap<string, readonly Aim[]>,
  ids: ReadonlySet<string>,
  entry: CueEntry,
  index: number,
): Cue {
  const path: Path = ['cues', index]
  checkId(draft, entry, index)
  const chase = readChase(draft, entry, path)
  const { upMs, downMs, delays } = readFade(draft, entry, path)
  const aims = readAims(draft, scenes, entry, chase, path).map(aim => ({
    ...aim,
    delayMs: typeof delays === 'number' ? delays : (delays.get(aim.output) ?? 0),
  }))
  const fadeMs = Math.max(0, ...aims.map(({ delayMs }) => delayMs)) + Math.max(upMs, downMs)
  const actions = readActions(draft, entry.do, [...path, 'do'])
  checkCurve(draft, entry.curve, path)
  const next = readNext(draft, ids, entry, index)
  return {
    id: entry.id,
    name: entry.name,
    index,
    aims,
    upMs,
    downMs,
    curve: entry.curve,
    fadeMs,
    chase,
    follow: readFollow(draft, ids, entry, { index, fadeMs, next }),
    atWallMs: entry.at ?? null,
    late: entry.late ?? draft.document.clock.late,
    tempo: readTempo(entry),
    next,
    actions,
    actionsMs: Math.max(0, ...actions.map(endOfActionMs)),
  }
}

function readTempo({ tempo }: CueEntry): Cue['tempo'] {
  if (tempo === undefined) return undefined
  if (tempo === 'off') return null
  return { bpm: tempo.bpm, beatsPerBar: tempo.beatsPerBar ?? null, isRestart: !tempo.continue }
}

function checkId(draft: Draft, entry: CueEntry, index: number): void {
  const earlier = draft.document.cues.findIndex(({ id }) => id === entry.id)
  if (earlier < index)
    draft.problems.add(
      ['cues', index, 'id'],
      `is ${JSON.stringify(entry.id)}, as that of cues[${earlier}] is: ids are unique`,
    )
  if (entry.id === 'next')
    draft.problems.add(
      ['cues', index, 'id'],
      'must not be "next", which means the one that follows',
    )
}

/** The scene, then the cue's own levels over it, then the chase over both. */
function readAims(
  draft: Draft,
  scenes: ReadonlyMap<string, readonly Aim[]>,
  entry: CueEntry,
  chase: Chase | null,
  path: Path,
): { output: number; to: Components | null }[] {
  const aims = new Map<number, Components | null>()
  if (entry.scene !== undefined) {
    const scene = scenes.get(entry.scene)
    if (!scene)
      draft.problems.add(
        [...path, 'scene'],
        `names ${entry.scene}, which is not a scene${suggestion(entry.scene, scenes.keys())}`,
      )
    for (const { output, to } of scene ?? []) aims.set(output, to)
  }
  for (const { output, to } of aimsOf(draft, entry.levels ?? {}, [...path, 'levels']))
    aims.set(output, to)
  for (const output of chase?.steps.keys() ?? []) aims.set(output, null)
  return [...aims].map(([output, to]) => ({ output, to }))
}

function readFade(
  draft: Draft,
  { fade }: CueEntry,
  path: Path,
): { upMs: number; downMs: number; delays: number | ReadonlyMap<number, number> } {
  if (typeof fade === 'number') return { upMs: fade, downMs: fade, delays: 0 }
  const times = { upMs: fade.up, downMs: fade.down ?? fade.up }
  if (typeof fade.delay === 'number') return { ...times, delays: fade.delay }
  const found = mostSpecific(draft, fade.delay, [...path, 'fade', 'delay'], () => {})
  return {
    ...times,
    delays: new Map<CueAim['output'], number>([...found].map(([{ index }, ms]) => [index, ms])),
  }
}

/** An output that a step does not name is dark in that step. */
function readChase(draft: Draft, { chase }: CueEntry, path: Path): Chase | null {
  if (!chase) return null
  const at = [...path, 'chase']
  const stepMs = chase.period / chase.steps.length
  if (stepMs < STEP_MS_MIN)
    draft.problems.add(
      [...at, 'period'],
      `gives each of ${chase.steps.length} steps less than ${STEP_MS_MIN} ms`,
    )
  if (chase.fade > stepMs)
    draft.problems.add([...at, 'fade'], `must be at most one step, ${Math.floor(stepMs)} ms`)
  const rounds = chase.steps.map(
    (looks, index) =>
      new Map(aimsOf(draft, looks, [...at, 'steps', index]).map(({ output, to }) => [output, to])),
  )
  const steps = new Map<number, Components[]>()
  for (const output of draft.outputs.values())
    if (rounds.some(round => round.has(output.index)))
      steps.set(
        output.index,
        rounds.map(round => round.get(output.index) ?? dark(output.kind)),
      )
  return {
    periodMs: chase.period,
    stepMs,
    phase: chase.phase,
    fadeMs: chase.fade,
    untilMs: chase.until === 'next' ? null : chase.until,
    steps,
  }
}

function checkCurve(draft: Draft, curve: Curve, path: Path): void {
  if (typeof curve === 'string') return
  const at = [...path, 'curve']
  const [first, last] = [curve[0], curve.at(-1)]
  if (first?.[0] !== 0 || first[1] !== 0) draft.problems.add([...at, 0], 'must be [0, 0]')
  if (last?.[0] !== 1 || last[1] !== 1)
    draft.problems.add([...at, curve.length - 1], 'must be [1, 1]')
  for (const [index, point] of curve.entries())
    if (index > 0 && (point[0] ?? 0) <= (curve[index - 1]?.[0] ?? 0))
      draft.problems.add([...at, index], 'must be later than the point before it')
}

function readNext(
  draft: Draft,
  ids: ReadonlySet<string>,
  entry: CueEntry,
  index: number,
): string | null {
  const below = draft.document.cues[index + 1]?.id ?? null
  if (entry.next === undefined) return below
  if (ids.has(entry.next)) return entry.next
  draft.problems.add(
    ['cues', index, 'next'],
    `names ${entry.next}, which is not a cue${suggestion(entry.next, ids)}`,
  )
  return below
}

function readFollow(
  draft: Draft,
  ids: ReadonlySet<string>,
  { follow }: CueEntry,
  cue: { readonly index: number; readonly fadeMs: number; readonly next: string | null },
): Cue['follow'] {
  if (!follow) return null
  const path: Path = ['cues', cue.index, 'follow']
  if ((follow.after === undefined) === (follow.wait === undefined))
    draft.problems.add(path, 'must have exactly one of after and wait')
  const target = follow.go === 'next' ? cue.next : follow.go
  if (target === null) draft.problems.add(path, 'follows with the next cue, and there is none')
  else if (!ids.has(target))
    draft.problems.add(
      [...path, 'go'],
      `names ${target}, which is not a cue${suggestion(target, ids)}`,
    )
  else return { afterMs: follow.after ?? cue.fadeMs + (follow.wait ?? 0), cue: target }
  return null
}
