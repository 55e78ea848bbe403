/** What chronyd says of itself: the comma-separated values of chronyc(1). What cannot be read is null, never a guess. */
import type { MonotonicMs } from '../../../ports/clock.js'
import type { Leap } from './ntp-packet.js'
import type { Standing } from './ntp-server.js'
import type { Found, SourceReport } from './time-engine.js'

type Line = readonly string[]

/** 127.127.1.1: its own `local` clock, which knows nothing. */
const OWN_REFERENCE = 0x7f7f_0101
const leapOf: ReadonlyMap<string, Leap> = new Map([
  ['Normal', 0],
  ['Insert second', 1],
  ['Delete second', 2],
])
const STRATUM_MAX = 15
/** Of `tracking`. The correction is positive where the system is behind. */
const FIELDS = {
  reference: 0,
  stratum: 2,
  setAt: 3,
  correction: 4,
  rms: 6,
  rootDelay: 10,
  rootDispersion: 11,
  leap: 13,
} as const

export interface Tracking extends Omit<Found, 'at' | 'differenceMs'> {
  /** What must be added to the system's date. */
  readonly correctionMs: number
}

/** Null while it does not know the date. */
export function trackingIn([line]: readonly Line[]): Tracking | null {
  const leap = leapOf.get(line?.[FIELDS.leap] ?? '')
  if (line === undefined || leap === undefined) return null
  const referenceId = Number.parseInt(line[FIELDS.reference] ?? '', 16)
  const stratum = Number(line[FIELDS.stratum]) - 1
  const msOf = (field: number): number => 1e3 * Number(line[field])
  const correctionMs = msOf(FIELDS.correction)
  const jitterMs = msOf(FIELDS.rms)
  const rootDelayMs = msOf(FIELDS.rootDelay)
  const rootDispersionMs = msOf(FIELDS.rootDispersion)
  const errorMs = rootDelayMs / 2 + rootDispersionMs
  const isRead = [referenceId, correctionMs, jitterMs, errorMs].every(Number.isFinite)
  const isFollowing = referenceId !== 0 && referenceId !== OWN_REFERENCE
  if (!isRead || !isFollowing || !(stratum >= 0 && stratum <= STRATUM_MAX)) return null
  return {
    correctionMs,
    jitterMs,
    errorMs,
    stratum,
    rootDelayMs,
    rootDispersionMs,
    leap,
    referenceId,
  }
}

/** What it tells of itself to who asks it, its own `local` clock included. */
export function toldIn([line]: readonly Line[]): Standing | null {
  const leap = leapOf.get(line?.[FIELDS.leap] ?? '')
  const numbers = [FIELDS.stratum, FIELDS.rootDelay, FIELDS.rootDispersion, FIELDS.setAt]
  const [stratum, rootDelay, rootDispersion, setAt] = numbers.map(field => Number(line?.[field]))
  const referenceId = Number.parseInt(line?.[FIELDS.reference] ?? '', 16)
  const isRead = [stratum, rootDelay, rootDispersion, setAt, referenceId].every(Number.isFinite)
  if (line === undefined || leap === undefined || !isRead || !stratum) return null
  return {
    leap,
    stratum,
    rootDelayMs: 1e3 * Math.max(0, rootDelay ?? 0),
    rootDispersionMs: 1e3 * Math.max(0, rootDispersion ?? 0),
    referenceId,
    referenceWallMs: 1e3 * (setAt ?? 0),
  }
}

/** @param systemMs the system's date at `at` */
export const foundIn = (
  { correctionMs, ...tracking }: Tracking,
  at: MonotonicMs,
  systemMs: number,
): Found => ({ ...tracking, at, differenceMs: systemMs + correctionMs - at })

/** Fields: mode, state, name, stratum, poll, reach, last, offset, measured, error. */
export const sourcesIn = (lines: readonly Line[]): readonly SourceReport[] =>
  lines.filter(line => line.length >= 10).map(reportIn)

function reportIn(line: Line): SourceReport {
  const [, mark = '', host = '', stratum, , reach, , offset] = line
  const isHeard = Number.parseInt(reach ?? '0', 8) > 0
  return {
    host,
    state: stateOf(mark, isHeard),
    stratum: isHeard ? Number(stratum) : null,
    // chronyc tells how far the own clock is ahead.
    aheadMs: isHeard ? -1e3 * Number(offset) : null,
    delayMs: null,
  }
}

function stateOf(mark: string, isHeard: boolean): SourceReport['state'] {
  if (mark === '*' || mark === '+') return 'followed'
  if (mark === 'x' || mark === '~') return 'false'
  if (!isHeard) return 'silent'
  return mark === '-' ? 'good' : 'unusable'
}

/** Questions that were answered, since it started. Fields: received, dropped, … */
export function servedIn([line]: readonly Line[]): number | null {
  const [received, dropped] = [Number(line?.[0]), Number(line?.[1])]
  return Number.isFinite(received) && Number.isFinite(dropped) ? received - dropped : null
}
