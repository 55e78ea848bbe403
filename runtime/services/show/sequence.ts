/** How cues hang together: loops that would spin, and cues that nothing reaches. */
import type { Cue, Trigger } from './checked-show.js'
import type { Problems } from './draft.js'

/** A loop of follows runs for ever: each of its steps must leave time for the others. */
const LOOP_STEP_MS_MIN = 100

/** Every loop of follows is reported once, at each of its steps that is too short. */
export function checkFollowLoops(
  problems: Problems,
  cues: readonly Cue[],
  byId: ReadonlyMap<string, Cue>,
): void {
  const seen = new Set<Cue>()
  for (const start of cues) {
    const path: Cue[] = []
    let cue: Cue | undefined = start
    while (cue && !seen.has(cue)) {
      seen.add(cue)
      path.push(cue)
      cue = cue.follow ? byId.get(cue.follow.cue) : undefined
    }
    const entry = cue ? path.indexOf(cue) : -1
    if (entry >= 0) checkLoop(problems, path.slice(entry))
  }
}

function checkLoop(problems: Problems, loop: readonly Cue[]): void {
  const round = [...loop, ...loop.slice(0, 1)].map(({ id }) => id).join(' > ')
  for (const cue of loop)
    if ((cue.follow?.afterMs ?? 0) < LOOP_STEP_MS_MIN)
      problems.add(
        ['cues', cue.index, 'follow'],
        `is part of the loop ${round} and must take at least ${LOOP_STEP_MS_MIN} ms`,
      )
}

/** Cues that no GO from the top, no follow, no clock and no trigger ever fires. */
export function unreached(
  cues: readonly Cue[],
  byId: ReadonlyMap<string, Cue>,
  triggers: readonly Trigger[],
): readonly Cue[] {
  const reached = new Set<Cue>()
  const waiting: (string | null | undefined)[] = [
    cues[0]?.id,
    ...cues.filter(({ atWallMs }) => atWallMs !== null).map(({ id }) => id),
    ...triggers.map(({ deed }) => (deed.kind === 'cue' ? deed.cue : null)),
  ]
  for (let id = waiting.pop(); id !== undefined || waiting.length > 0; id = waiting.pop()) {
    const cue = byId.get(id ?? '')
    if (!cue || reached.has(cue)) continue
    reached.add(cue)
    waiting.push(cue.next, cue.follow?.cue ?? null)
  }
  return cues.filter(cue => !reached.has(cue))
}
