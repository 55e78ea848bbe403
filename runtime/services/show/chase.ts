/** Where in its round a chase is. Steps follow each other without end; the first one comes from the last. */
import type { Chase, Components } from './checked-show.js'

/** A step counts as begun this little early, so that the moment computed for its beginning always belongs to it. */
const EPSILON_MS = 0.001

interface Position {
  readonly step: number
  readonly stepStartMs: number
  readonly withinMs: number
}

function position(chase: Chase, t0Ms: number, tMs: number): Position {
  const frozenMs = chase.untilMs === null ? tMs : Math.min(tMs, t0Ms + chase.untilMs)
  const baseMs = chase.phase === 'shared' ? 0 : t0Ms
  const localMs = frozenMs - baseMs + EPSILON_MS
  const step = Math.floor(localMs / chase.stepMs)
  return {
    step,
    stepStartMs: baseMs + step * chase.stepMs,
    withinMs: localMs - step * chase.stepMs,
  }
}

/** Which step becomes which, counted from 0, and how far that has come, 0..1. */
export interface Turn {
  /** Null for what the output showed before the chase. */
  readonly from: number | null
  readonly to: number
  readonly share: number
}

/** The same for all outputs of a chase. @param count how many steps it has */
export function turnOf(chase: Chase, count: number, t0Ms: number, tMs: number): Turn {
  const { step, withinMs } = position(chase, t0Ms, tMs)
  const to = ((step % count) + count) % count
  if (withinMs >= chase.fadeMs) return { from: to, to, share: 1 }
  const share = withinMs / chase.fadeMs
  // Where the chase begins with its cue nothing has led to its first step: the last one must not flash up.
  if (step === 0 && chase.phase === 'start') return { from: null, to, share }
  return { from: (to === 0 ? count : to) - 1, to, share }
}

/**
 * From which levels to which, and how far that has come.
 * @param steps of one output
 * @param begun what it showed before the chase
 */
export function chaseAt(
  chase: Chase,
  steps: readonly Components[],
  begun: Components,
  t0Ms: number,
  tMs: number,
): { readonly from: Components; readonly to: Components; readonly share: number } {
  const { from, to, share } = turnOf(chase, steps.length, t0Ms, tMs)
  return { from: from === null ? begun : (steps[from] ?? []), to: steps[to] ?? [], share }
}

/** When the chase next begins, or ends, to change. Null when it stays as it is. */
export function chaseChange(
  chase: Chase,
  t0Ms: number,
  tMs: number,
): { isFading: boolean; boundaryMs: number } | null {
  const endMs = chase.untilMs === null ? Number.POSITIVE_INFINITY : t0Ms + chase.untilMs
  if (tMs >= endMs) return null
  const { stepStartMs, withinMs } = position(chase, t0Ms, tMs)
  const isFading = withinMs < chase.fadeMs
  const boundaryMs = stepStartMs + (isFading ? chase.fadeMs : chase.stepMs)
  return { isFading, boundaryMs: Math.min(endMs, boundaryMs) }
}
