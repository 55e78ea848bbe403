/**
 * Tells when a pack was taken out and another put in its place, from what its gauge says. What one odd reading shows is
 * believed when the next ones show it too. Pure.
 */
import type { GaugeReading } from '../../ports/gauge.js'

/** `reset`: the gauge forgot. `jump`: its charge jumped. `step`: the voltage did. `returned`: there was none for a time. */
export type SwapCause = 'reset' | 'jump' | 'step' | 'returned'

interface Seen {
  readonly atMs: number
  /** Of one cell. */
  readonly volts: number | null
  readonly amps: number | null
  readonly percent: number | null
  readonly isFed: boolean
}

export interface SwapWatch {
  /** The last seconds, oldest first. */
  readonly seen: readonly Seen[]
  readonly isAbsent: boolean
  /** A change that is not believed yet, and what was before it. */
  readonly doubt: {
    readonly cause: SwapCause
    readonly before: Seen
    readonly count: number
  } | null
  /** Until then everything else belongs to the same swap. */
  readonly quietUntilMs: number
}

export const freshSwapWatch: SwapWatch = {
  seen: [],
  isAbsent: false,
  doubt: null,
  quietUntilMs: Number.NEGATIVE_INFINITY,
}

export interface SwapModel {
  readonly cells: number
  readonly ampHours: number
  /** Of one cell, as far as it is known. */
  readonly ohms: number
  /** One standard deviation, as a share of it. */
  readonly ohmsDeviation: number
}

const SPAN_MS = 10_000
const SEEN_MAX = 16
const JUMP_POINTS = 10
const STEP_VOLTS = 0.15
/** Of how much the current may change, as a share of the capacity an hour, where nobody measures it. */
const UNMEASURED_SHARE = 0.5
/** Readings that must agree. */
const CONFIRMATIONS = 2
const QUIET_MS = 15_000

export interface SwapFinding {
  readonly watch: SwapWatch
  readonly cause: SwapCause | null
}

export function watched(before: SwapWatch, reading: GaugeReading, model: SwapModel): SwapFinding {
  const seen = seenIn(reading, model)
  if (reading.troubles.includes('no-pack'))
    return { watch: { ...freshSwapWatch, isAbsent: true }, cause: null }
  const isFirst = before.seen.length === 0 && !before.isAbsent
  const told = before.isAbsent ? 'returned' : reading.wasReset && !isFirst ? 'reset' : null
  if (seen.atMs < before.quietUntilMs) return { watch: remembered(before, seen), cause: null }
  if (told !== null) return found(told, seen)
  const doubt = doubted(before, seen, model)
  if (doubt !== null && doubt.count > CONFIRMATIONS) return found(doubt.cause, seen)
  return { watch: { ...remembered(before, seen), doubt }, cause: null }
}

const found = (cause: SwapCause, seen: Seen): SwapFinding => ({
  watch: { seen: [seen], isAbsent: false, doubt: null, quietUntilMs: seen.atMs + QUIET_MS },
  cause,
})

function seenIn(reading: GaugeReading, { cells }: SwapModel): Seen {
  const { at, millivolts, milliamps, percent, isExternal, isCharging } = reading
  return {
    atMs: at,
    volts: millivolts === null ? null : millivolts / 1000 / cells,
    amps: milliamps === null ? null : milliamps / 1000,
    percent,
    isFed: isExternal === true || isCharging === true,
  }
}

const remembered = (before: SwapWatch, seen: Seen): SwapWatch => ({
  ...before,
  isAbsent: false,
  seen: [...before.seen.filter(({ atMs }) => seen.atMs - atMs <= SPAN_MS), seen].slice(-SEEN_MAX),
})

/** A change since before the doubt, or since the last seconds. */
function doubted(
  { doubt, seen: earlier }: SwapWatch,
  seen: Seen,
  model: SwapModel,
): SwapWatch['doubt'] {
  if (doubt !== null) {
    const isSame = causeBetween(doubt.before, seen, model) === doubt.cause
    return isSame ? { ...doubt, count: doubt.count + 1 } : null
  }
  const recent = earlier.filter(({ atMs }) => seen.atMs - atMs <= SPAN_MS)
  const last = recent.at(-1)
  if (last !== undefined && causeBetween(last, seen, model) === 'step')
    return { cause: 'step', before: last, count: 1 }
  const oldest = recent.find(({ percent }) => percent !== null)
  if (oldest !== undefined && causeBetween(oldest, seen, model) === 'jump')
    return { cause: 'jump', before: oldest, count: 1 }
  return null
}

function causeBetween(before: Seen, after: Seen, model: SwapModel): SwapCause | null {
  if (isStep(before, after, model)) return 'step'
  const isKnown = before.percent !== null && after.percent !== null
  return isKnown && Math.abs(after.percent - before.percent) > JUMP_POINTS ? 'jump' : null
}

/** A pack may resist so many deviations more than is believed, where its voltage sags as the load grows. */
const OHMS_DEVIATIONS = 6

/** A charger may lift a voltage as far; a load may let it sag as far as the resistance says, and what is doubtful of it. */
function isStep(before: Seen, after: Seen, model: SwapModel): boolean {
  const { ampHours, ohms, ohmsDeviation } = model
  if (before.volts === null || after.volts === null) return false
  if (before.isFed || after.isFed) return false
  const change = after.volts - before.volts
  const isMeasured = before.amps !== null && after.amps !== null
  const amps = isMeasured ? after.amps - before.amps : 0
  const doubt = change * amps > 0 ? Math.max(1, OHMS_DEVIATIONS * ohmsDeviation) : 1
  const doubtful = isMeasured ? Math.abs(amps) * doubt : UNMEASURED_SHARE * ampHours
  return Math.abs(change - amps * ohms) > STEP_VOLTS + doubtful * ohms
}
