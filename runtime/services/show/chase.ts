/** Where in its round a chase is. Steps follow each other without end; the first one fades in from the last. */
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

/** Which step becomes which, and how far that has come. @param steps of one output */
export function chaseAt(
  chase: Chase,
  steps: readonly Components[],
  t0Ms: number,
  tMs: number,
): { readonly from: Components; readonly to: Components; readonly share: number } {
  const { step, withinMs } = position(chase, t0Ms, tMs)
  const of = (index: number): Components =>
    steps[((index % steps.length) + steps.length) % steps.length] ?? []
  const to = of(step)
  if (withinMs >= chase.fadeMs) return { from: to, to, share: 1 }
  return { from: of(step - 1), to, share: withinMs / chase.fadeMs }
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
