/** The look of the list: what every output shows when all cues from the top down to one of them were played. */
import { chaseAt } from './chase.js'
import type { CheckedShow, Components, Cue, CueAim } from './checked-show.js'

export interface Tracked {
  /** The nearest cue that names the output, at or above the one that was asked about. */
  readonly owner: Cue
  readonly aim: CueAim
}

/** By output; those without an entry are at home. The order of the document counts, as it does for back. */
export function trackedAt(show: CheckedShow, cue: Cue): ReadonlyMap<number, Tracked> {
  const found = new Map<number, Tracked>()
  for (let index = cue.index; index >= 0 && found.size < show.outputs.length; index--) {
    const owner = show.cues[index]
    if (owner)
      for (const aim of owner.aims)
        if (!found.has(aim.output)) found.set(aim.output, { owner, aim })
  }
  return found
}

/** What such an output is to show from `t0Ms` on: null for a chase that runs; one that has had its time is at its end. */
export function trackedLook(
  { owner, aim }: Tracked,
  home: Components,
  t0Ms: number,
): Components | null {
  const { chase } = owner
  const steps = aim.to === null ? chase?.steps.get(aim.output) : undefined
  if (!steps || chase?.untilMs == null) return aim.to
  const { from, to, share } = chaseAt(chase, steps, home, t0Ms, t0Ms + chase.untilMs)
  return to.map((level, component) => {
    const begun = from[component] ?? 0
    return begun + (level - begun) * share
  })
}
