/** What is published of the date. */
import { publishedMs } from '../../../core/time.js'
import type { MonotonicMs } from '../../../ports/clock.js'
import { type Leap, referenceText, STRATUM_MAX } from './ntp-packet.js'
import type { SourceReport, TimeEngine } from './time-engine.js'
import type { WallDate } from './wall-date.js'
import type { WallSource } from './wall-policy.js'

const SERVERS_MAX = 32
const TROUBLE_MAX = 512

const leaps = ['none', 'insert', 'delete', 'unknown'] as const

export interface WallState {
  readonly wallMs: number
  readonly isUtcKnown: boolean
  readonly source: WallSource
  readonly errorMs: number | null
  readonly aheadMs: number | null
  readonly stratum: number
  readonly rootDelayMs: number
  readonly rootDispersionMs: number
  readonly leap: (typeof leaps)[Leap]
  readonly referenceId: string
  readonly isFrozen: boolean
  readonly engine: TimeEngine['kind']
  readonly servedPerSecond: number | null
  readonly servers: SourceReport[]
  readonly trouble: string | null
}

export function wallState(
  date: WallDate,
  engine: TimeEngine,
  now: MonotonicMs,
  servedPerSecond: number | null,
): WallState {
  const { source, isUtcKnown, errorMs } = date.trustAt(now)
  const standing = engine.told(now) ?? date.standingAt(now)
  const { stratum, rootDelayMs, rootDispersionMs, leap, referenceId } = standing
  const wallMs = date.wallAt(now)
  const isFound = source === 'ntp' || source === 'leader'
  return {
    wallMs,
    isUtcKnown,
    source,
    errorMs: errorMs === null ? null : publishedMs(errorMs),
    aheadMs: isFound ? publishedMs(date.offMs) : null,
    stratum: Math.min(stratum, STRATUM_MAX + 1),
    rootDelayMs: publishedMs(rootDelayMs),
    rootDispersionMs: publishedMs(rootDispersionMs),
    leap: leaps[leap],
    referenceId: referenceText(referenceId, isFound ? stratum : 1),
    isFrozen: date.isFrozen,
    engine: engine.kind,
    servedPerSecond,
    servers: engine.sources(now, wallMs).slice(0, SERVERS_MAX).map(published),
    trouble: engine.trouble?.slice(0, TROUBLE_MAX) ?? null,
  }
}

const published = (report: SourceReport): SourceReport => ({
  ...report,
  aheadMs: report.aheadMs === null ? null : publishedMs(report.aheadMs),
  delayMs: report.delayMs === null ? null : publishedMs(report.delayMs),
})
