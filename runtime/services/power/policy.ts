/**
 * What the box does about its power, as a state machine: a sample in, a stage and perhaps something to do out. It goes
 * down to `battery` at once, everything else takes several samples in a row; it comes back only when it is better by a
 * margin; and what nobody knows moves it neither way. Pure.
 */
import type { Payload } from '../../topics.js'

export type Stage = Payload<'power/state'>['stage']

/** As box.json says it: see docs/power.md. */
export interface PolicyOptions {
  readonly warnPercent: number
  readonly warnMinutes: number
  readonly shedPercent: number
  readonly shedMinutes: number
  readonly protectPercent: number
  readonly protectMinutes: number
  readonly shutdownPercent: number
  readonly shutdownMinutes: number
  readonly hysteresisPercent: number
  readonly samples: number
  readonly mayShutDown: boolean
}

export interface PolicySample {
  readonly elapsedMs: number
  readonly isExternal: boolean | null
  /** Even with power from outside, when that is too weak. */
  readonly isDischarging: boolean | null
  readonly percent: number | null
  /** Until the packs are empty. */
  readonly minutes: number | null
  /** Above the voltage rule's limit, of one cell of the best pack. */
  readonly marginMillivolts: number | null
  /** The same without a peak of the load. */
  readonly usualMarginMillivolts: number | null
  readonly isArmed: boolean
}

export type ShutdownCause = 'voltage' | 'charge'

/** `counting`: there is time for mains to come back. `done`: the machine goes down. `held`: it must not, or would not. */
type Phase = 'none' | 'counting' | 'done' | 'held'

export interface PolicyState {
  readonly stage: Stage
  /** A stage that is not there yet: the mildest that all samples since agreed on, and how many. */
  readonly rise: Move | null
  readonly fall: Move | null
  /** Samples in a row in which the voltage rule struck, and since when the voltage is below its limit. */
  readonly lowVoltages: number
  readonly sagMs: number
  readonly phase: Phase
  readonly cause: ShutdownCause | null
  readonly remainingMs: number
}

interface Move {
  readonly stage: Stage
  readonly count: number
}

export type PolicyAction =
  | { readonly kind: 'stage'; readonly from: Stage; readonly to: Stage }
  | { readonly kind: 'shutdown-begun'; readonly cause: ShutdownCause; readonly graceMs: number }
  | { readonly kind: 'shutdown-cancelled' }
  | { readonly kind: 'shutdown-forbidden'; readonly cause: ShutdownCause }
  /** No way back from here. */
  | { readonly kind: 'shut-down'; readonly cause: ShutdownCause }

export interface PolicyStep {
  readonly state: PolicyState
  readonly actions: readonly PolicyAction[]
}

export const freshPolicy: PolicyState = {
  stage: 'mains',
  rise: null,
  fall: null,
  lowVoltages: 0,
  sagMs: 0,
  phase: 'none',
  cause: null,
  remainingMs: 0,
}

const stages: readonly Stage[] = ['mains', 'battery', 'warn', 'shed', 'protect', 'shutdown']
const lowStages = ['warn', 'shed', 'protect', 'shutdown'] as const
type LowStage = (typeof lowStages)[number]

export const rankOf = (stage: Stage): number => stages.indexOf(stage)
const worse = (a: Stage, b: Stage): Stage => (rankOf(a) > rankOf(b) ? a : b)
const milder = (a: Stage, b: Stage): Stage => (rankOf(a) < rankOf(b) ? a : b)

/** For everybody to finish, and for mains to come back. */
export const GRACE_MS = 30_000
/** Minutes swing with the load more than percent do. */
const MINUTES_FACTOR = 1.25
/** Of one cell, above the voltage rule's limit: no empty pack comes so far; and one that is known to be charged. */
const FRESH_MILLIVOLTS = 300
const CHARGED_MILLIVOLTS = 100
/** A peak of the load may hold the voltage below the limit for so long, and by so much of one cell. */
const PEAK_MS_MAX = 15_000
const PEAK_MILLIVOLTS_MAX = 250

export function nextPolicy(
  before: PolicyState,
  sample: PolicySample,
  options: PolicyOptions,
): PolicyStep {
  if (before.phase === 'done') return { state: before, actions: [] }
  const state = { ...before, ...sagOf(before, sample) }
  const moved = isKnown(sample) ? moveOf(state, sample, options) : state
  const entered = enter(before.stage, moved, options)
  return countDown(entered, sample)
}

/** The system did not do it. What it may still do is up to people. */
export const refused = (state: PolicyState): PolicyState => ({ ...state, phase: 'held' })

const isKnown = ({ isExternal, percent, minutes, marginMillivolts }: PolicySample): boolean =>
  isExternal !== null || percent !== null || minutes !== null || marginMillivolts !== null

const isOnPacks = ({ isExternal, isDischarging }: PolicySample): boolean =>
  isExternal !== true || isDischarging === true

function sagOf(
  { lowVoltages, sagMs }: PolicyState,
  sample: PolicySample,
): Pick<PolicyState, 'lowVoltages' | 'sagMs'> {
  const { marginMillivolts: margin, elapsedMs } = sample
  if (margin === null) return { lowVoltages, sagMs }
  if (margin >= 0 || !isOnPacks(sample)) return { lowVoltages: 0, sagMs: 0 }
  const longer = sagMs + elapsedMs
  return { lowVoltages: isPeak(sample, longer) ? 0 : lowVoltages + 1, sagMs: longer }
}

/** The voltage is too low for this moment only: at the load of the last minutes it would do. */
function isPeak({ marginMillivolts, usualMarginMillivolts }: PolicySample, sagMs: number): boolean {
  const isDeep = (marginMillivolts ?? 0) < -PEAK_MILLIVOLTS_MAX
  return (usualMarginMillivolts ?? -1) >= 0 && !isDeep && sagMs <= PEAK_MS_MAX
}

function moveOf(state: PolicyState, sample: PolicySample, options: PolicyOptions): PolicyState {
  const { stage } = state
  if (stage === 'mains' && sample.isExternal === false)
    return { ...state, stage: 'battery', rise: null, fall: null }
  const wanted = wantedStage(state, sample, options)
  const { samples } = options
  if (rankOf(wanted) > rankOf(stage)) {
    const rise = further(state.rise, wanted, milder)
    return rise.count >= samples
      ? { ...state, stage: rise.stage, rise: null, fall: null }
      : { ...state, rise, fall: null }
  }
  if (rankOf(wanted) < rankOf(stage)) {
    const fall = further(state.fall, wanted, worse)
    return fall.count >= samples
      ? { ...state, stage: fall.stage, rise: null, fall: null }
      : { ...state, rise: null, fall }
  }
  return { ...state, rise: null, fall: null }
}

const further = (move: Move | null, stage: Stage, pick: (a: Stage, b: Stage) => Stage): Move =>
  move === null ? { stage, count: 1 } : { stage: pick(move.stage, stage), count: move.count + 1 }

function wantedStage(state: PolicyState, sample: PolicySample, options: PolicyOptions): Stage {
  if (isVoltageLow(state, sample, options)) return 'shutdown'
  if (!isOnPacks(sample)) return 'mains'
  const floor: Stage = sample.isExternal === false ? 'battery' : milder(state.stage, 'battery')
  return lowStages
    .filter(low => isBelow(low, sample, options) || isHeld(low, state, sample, options))
    .filter(low => low !== 'shutdown' || mayByCharge(state, sample))
    .reduce<Stage>(worse, floor)
}

/**
 * While a show is armed only the voltage rule may power the box off; and nothing does on a guess about mains. A guess does
 * not call it off either.
 */
const mayByCharge = ({ stage }: PolicyState, { isArmed, isExternal }: PolicySample): boolean =>
  !isArmed && (isExternal === false || (isExternal === null && stage === 'shutdown'))

function isVoltageLow(
  { stage, cause, sagMs }: PolicyState,
  sample: PolicySample,
  options: PolicyOptions,
): boolean {
  const { marginMillivolts } = sample
  if (!isOnPacks(sample)) return false
  const isShutting = stage === 'shutdown' && cause === 'voltage'
  if (isShutting) return marginMillivolts === null || !isFreshPack(sample, options)
  return marginMillivolts !== null && marginMillivolts < 0 && !isPeak(sample, sagMs)
}

/** An empty pack recovers as soon as its load is less, and falls again: only another pack is better. */
function isFreshPack({ marginMillivolts, percent }: PolicySample, options: PolicyOptions): boolean {
  const margin = marginMillivolts ?? 0
  const isCharged = percent !== null && percent >= options.shedPercent + options.hysteresisPercent
  return margin >= FRESH_MILLIVOLTS || (isCharged && margin >= CHARGED_MILLIVOLTS)
}

function isBelow(
  low: LowStage,
  { percent, minutes }: PolicySample,
  options: PolicyOptions,
): boolean {
  const limit = limitsOf(low, options)
  return (
    (percent !== null && percent < limit.percent) || (minutes !== null && minutes < limit.minutes)
  )
}

/** Not until it is known to be better by the margin. */
function isHeld(
  low: LowStage,
  { stage, cause }: PolicyState,
  { percent, minutes }: PolicySample,
  options: PolicyOptions,
): boolean {
  if (rankOf(low) > rankOf(stage)) return false
  // What the voltage began the charge does not hold.
  if (low === 'shutdown' && cause === 'voltage') return false
  const limit = limitsOf(low, options)
  return (
    percent === null ||
    percent < limit.percent + options.hysteresisPercent ||
    (minutes !== null && minutes < limit.minutes * MINUTES_FACTOR)
  )
}

function limitsOf(low: LowStage, options: PolicyOptions): { percent: number; minutes: number } {
  switch (low) {
    case 'warn':
      return { percent: options.warnPercent, minutes: options.warnMinutes }
    case 'shed':
      return { percent: options.shedPercent, minutes: options.shedMinutes }
    case 'protect':
      return { percent: options.protectPercent, minutes: options.protectMinutes }
    case 'shutdown':
      return { percent: options.shutdownPercent, minutes: options.shutdownMinutes }
  }
}

/** What a change of stage brings with it. */
function enter(from: Stage, state: PolicyState, options: PolicyOptions): PolicyStep {
  const { stage } = state
  const isByVoltage = state.lowVoltages >= options.samples
  if (stage === from) {
    const isWorse = stage === 'shutdown' && isByVoltage && state.cause === 'charge'
    return { state: isWorse ? { ...state, cause: 'voltage' } : state, actions: [] }
  }
  const moved: PolicyAction = { kind: 'stage', from, to: stage }
  if (from === 'shutdown') {
    const isCancelled = state.phase === 'counting'
    return {
      state: { ...state, phase: 'none', cause: null, remainingMs: 0 },
      actions: isCancelled ? [moved, { kind: 'shutdown-cancelled' }] : [moved],
    }
  }
  if (stage !== 'shutdown') return { state, actions: [moved] }
  const cause: ShutdownCause = isByVoltage ? 'voltage' : 'charge'
  if (!options.mayShutDown)
    return {
      state: { ...state, cause, phase: 'held' },
      actions: [moved, { kind: 'shutdown-forbidden', cause }],
    }
  return {
    state: { ...state, cause, phase: 'counting', remainingMs: GRACE_MS },
    actions: [moved, { kind: 'shutdown-begun', cause, graceMs: GRACE_MS }],
  }
}

/** The last look before there is no way back: at mains, and at the show. */
function countDown({ state, actions }: PolicyStep, sample: PolicySample): PolicyStep {
  if (state.phase !== 'counting' || state.cause === null) return { state, actions }
  const isNew = actions.length > 0
  const remainingMs = isNew ? state.remainingMs : state.remainingMs - sample.elapsedMs
  const counted = { ...state, remainingMs: Math.max(0, remainingMs) }
  const isForbidden = sample.isArmed && state.cause !== 'voltage'
  const isFed = !isOnPacks(sample)
  if (remainingMs > 0 || isForbidden || isFed) return { state: counted, actions }
  return {
    state: { ...counted, phase: 'done' },
    actions: [...actions, { kind: 'shut-down', cause: state.cause }],
  }
}
