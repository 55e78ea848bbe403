/**
 * How the programs of a slot are watched, as a pure function. A good release is kept going: what ends is started again,
 * what hangs is killed, after pauses that grow. A release on trial has to prove itself: what ends costs it an attempt,
 * what hangs or takes too long costs it the trial.
 */
import type { ToLauncher } from './messages.js'

export const programNames = ['box', 'updater'] as const
export type ProgramName = (typeof programNames)[number]

export interface Limits {
  /** From the start of the box to READY, in a trial; four times that for a good release. */
  readonly readyMs: number
  /** From one answer to a ping to the next. */
  readonly silenceMs: number
  /** From the start of a trial to the word that it passed. Longer than the gate's own deadline. */
  readonly trialMs: number
}

export const usualLimits: Limits = { readyMs: 30_000, silenceMs: 15_000, trialMs: 75_000 }

export const PING_MS = 2_000
const PATIENCE_OF_GOOD = 4
const PAUSE_MS_MIN = 200
const PAUSE_MS_MAX = 30_000
/** Whoever ran so long starts again with the shortest pause. */
const SETTLED_MS = 60_000

interface Watched {
  /** `pausing`: to be started at `dueMs`. `starting`: the box has not said READY. */
  readonly phase: 'pausing' | 'starting' | 'running'
  readonly sinceMs: number
  readonly dueMs: number
  readonly pauseMs: number
  /** Of the last answer; null before the first. */
  readonly heardMs: number | null
}

export interface Watch {
  readonly mode: 'trial' | 'good'
  readonly limits: Limits
  readonly startedMs: number
  readonly pingedMs: number
  /** Of the last look of this launcher itself. */
  readonly tickedMs: number
  readonly unmet: readonly string[]
  readonly programs: Readonly<Record<ProgramName, Watched>>
}

/** Why the programs of a slot are all ended. */
export type Verdict =
  /** The trial may be tried again, as long as it has attempts left. */
  | { readonly kind: 'again'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string }
  /** Somebody has written another state. */
  | { readonly kind: 'restart'; readonly why: string }

export type WatchEvent =
  | { readonly kind: 'heard'; readonly program: ProgramName; readonly message: ToLauncher }
  | { readonly kind: 'ended'; readonly program: ProgramName; readonly how: string }
  | { readonly kind: 'tick' }

export type WatchAction =
  | { readonly kind: 'start' | 'kill' | 'ping'; readonly program: ProgramName }
  | { readonly kind: 'leave'; readonly verdict: Verdict }

export interface Step {
  readonly watch: Watch
  readonly actions: readonly WatchAction[]
}

/** Both programs are due at once. */
export function beginWatch(mode: 'trial' | 'good', limits: Limits, atMs: number): Watch {
  const due: Watched = {
    phase: 'pausing',
    sinceMs: atMs,
    dueMs: atMs,
    pauseMs: PAUSE_MS_MIN,
    heardMs: null,
  }
  const programs = { box: due, updater: due }
  return { mode, limits, startedMs: atMs, pingedMs: atMs, tickedMs: atMs, unmet: [], programs }
}

export function nextStep(watch: Watch, event: WatchEvent, atMs: number): Step {
  switch (event.kind) {
    case 'heard':
      return heard(watch, event.program, event.message, atMs)
    case 'ended':
      return ended(watch, event.program, event.how, atMs)
    case 'tick':
      return tick(watch, atMs)
  }
}

function heard(watch: Watch, program: ProgramName, message: ToLauncher, atMs: number): Step {
  const known = watch.programs[program]
  switch (message.kind) {
    case 'ready':
      return only(withProgram(watch, program, { ...known, phase: 'running', heardMs: atMs }))
    case 'pong':
      return only(withProgram(watch, program, { ...known, heardMs: atMs }))
    case 'gate':
      return only({ ...watch, unmet: message.unmet, limits: longer(watch.limits, message.trialMs) })
    case 'passed':
      return only({ ...watch, mode: 'good' })
    case 'restart':
      return leave(watch, { kind: 'restart', why: message.why })
  }
}

/** A switch together waits for the others; never shorter than what was set. */
const longer = (limits: Limits, trialMs: number | null): Limits => ({
  ...limits,
  trialMs: Math.max(limits.trialMs, trialMs ?? 0),
})

function ended(watch: Watch, program: ProgramName, how: string, atMs: number): Step {
  if (watch.mode === 'trial')
    return leave(watch, { kind: 'again', why: `${program} ended: ${how}` })
  const { sinceMs, pauseMs } = watch.programs[program]
  const isSettled = atMs - sinceMs >= SETTLED_MS
  const pause = isSettled ? PAUSE_MS_MIN : pauseMs
  const next: Watched = {
    phase: 'pausing',
    sinceMs: atMs,
    dueMs: atMs + pause,
    pauseMs: Math.min(PAUSE_MS_MAX, pause * 2),
    heardMs: null,
  }
  return only(withProgram(watch, program, next))
}

/** A launcher that looks four times a second and was stopped for so long has heard nobody: whose fault that is, it cannot tell. */
const STALL_MS = 2_000

/** What it was waiting for waits as much longer; nobody is silent, or late, because the launcher was. */
function awake(watch: Watch, atMs: number): Watch {
  const stalledMs = atMs - watch.tickedMs
  if (stalledMs < STALL_MS) return { ...watch, tickedMs: atMs }
  const later = (ms: number): number => Math.min(atMs, ms + stalledMs)
  const waiting = ({ sinceMs, heardMs, ...rest }: Watched): Watched => ({
    ...rest,
    sinceMs: later(sinceMs),
    heardMs: heardMs === null ? null : later(heardMs),
  })
  const programs = { box: waiting(watch.programs.box), updater: waiting(watch.programs.updater) }
  return { ...watch, tickedMs: atMs, startedMs: later(watch.startedMs), programs }
}

function tick(slept: Watch, atMs: number): Step {
  const watch = awake(slept, atMs)
  const problem = watch.mode === 'trial' ? trialProblem(watch, atMs) : null
  if (problem !== null) return leave(watch, { kind: 'failed', why: problem })
  let next = watch
  const actions: WatchAction[] = []
  for (const program of programNames) {
    const known = watch.programs[program]
    if (known.phase === 'pausing' && atMs >= known.dueMs) {
      const phase = program === 'box' ? 'starting' : 'running'
      next = withProgram(next, program, { ...known, phase, sinceMs: atMs, heardMs: null })
      actions.push({ kind: 'start', program })
    } else if (hangProblem(watch, program, PATIENCE_OF_GOOD, atMs) !== null) {
      // Once: what the kernel does not let go of is not killed by more of it.
      next = withProgram(next, program, { ...known, phase: 'running', heardMs: null })
      actions.push({ kind: 'kill', program })
    }
  }
  if (atMs - watch.pingedMs < PING_MS) return { watch: next, actions }
  const alive = programNames.filter(name => next.programs[name].phase !== 'pausing')
  const pings = alive.map(program => ({ kind: 'ping', program }) as const)
  return { watch: { ...next, pingedMs: atMs }, actions: [...actions, ...pings] }
}

function trialProblem(watch: Watch, atMs: number): string | null {
  for (const program of programNames) {
    const problem = hangProblem(watch, program, 1, atMs)
    if (problem !== null) return problem
  }
  if (atMs - watch.startedMs < watch.limits.trialMs) return null
  const waited = watch.unmet.length === 0 ? 'nothing was heard of the gate' : watch.unmet.join(', ')
  return `not found good within ${watch.limits.trialMs} ms: ${waited}`
}

function hangProblem(
  watch: Watch,
  program: ProgramName,
  patience: number,
  atMs: number,
): string | null {
  const { limits } = watch
  const { phase, sinceMs } = watch.programs[program]
  if (phase === 'starting' && atMs - sinceMs >= limits.readyMs * patience)
    return `${program} was not ready within ${limits.readyMs * patience} ms`
  if (phase === 'running' && isSilent(watch, program, atMs))
    return `${program} was silent for ${limits.silenceMs} ms`
  return null
}

/** Whoever does not answer any more does not hear that it is to end, either. */
export function isSilent({ limits, programs }: Watch, program: ProgramName, atMs: number): boolean {
  const { heardMs } = programs[program]
  return heardMs !== null && atMs - heardMs >= limits.silenceMs
}

const only = (watch: Watch): Step => ({ watch, actions: [] })

const leave = (watch: Watch, verdict: Verdict): Step => ({
  watch,
  actions: [{ kind: 'leave', verdict }],
})

const withProgram = (watch: Watch, program: ProgramName, watched: Watched): Watch => ({
  ...watch,
  programs: { ...watch.programs, [program]: watched },
})
