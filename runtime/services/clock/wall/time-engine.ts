/** What finds out the date, be it this program or another one: one shape for both. */
import type { MonotonicMs } from '../../../ports/clock.js'
import type { Leap } from './ntp-packet.js'
import type { Standing } from './ntp-server.js'

export interface Found {
  /** When the newest answer in it came. */
  readonly at: MonotonicMs
  /** The date less the own monotonic clock, now. */
  readonly differenceMs: number
  readonly jitterMs: number
  /** Half the width of the interval that holds the true date. */
  readonly errorMs: number
  /** Of the server that is followed. */
  readonly stratum: number
  /** To the true time, the way to the server included. */
  readonly rootDelayMs: number
  readonly rootDispersionMs: number
  readonly leap: Leap
  readonly referenceId: number
}

export interface SourceReport {
  /** As it was configured, or its address. */
  readonly host: string
  /**
   * `followed`: part of the date. `good`: heard, and not needed. `false`: the others say otherwise. `silent`: no answer. `unusable`: it has
   * no time, or one that is past. `refusing`: it does not want to be asked.
   */
  readonly state: 'followed' | 'good' | 'false' | 'silent' | 'unusable' | 'refusing'
  readonly stratum: number | null
  /** Its date less the one that is shown. */
  readonly aheadMs: number | null
  readonly delayMs: number | null
}

/** What the box knows of the date without being told. */
export interface KnownDate {
  /** It is later than that. */
  readonly floorMs: () => number
  /** The system shows the right day, which the box knows. */
  readonly isSystemRight: () => boolean
}

export interface TimeEngine {
  readonly kind: 'chrony' | 'embedded' | 'none'
  /** The system's own date is what it corrects, so that it is taken as it is. */
  readonly isSystemSteered: boolean
  /** For people; null while all is well. */
  readonly trouble: string | null
  start(): Promise<void>
  stop(): Promise<void>
  /** Nothing of the internet moves the date while a show is armed. */
  freeze(isFrozen: boolean): void
  found(now: MonotonicMs, ratePpm: number): Found | null
  sources(now: MonotonicMs, shownMs: number): readonly SourceReport[]
  /** What others are told, where it is not this program that tells them. */
  told(now: MonotonicMs): Standing | null
  /** A person has set the date. */
  setDate(wallMs: number): void
  /** Questions answered since the start; null where it does not serve. */
  readonly served: number | null
}

/** Nobody is asked: the system's date is shown as it is. */
export const noEngine: TimeEngine = {
  kind: 'none',
  isSystemSteered: true,
  trouble: null,
  served: null,
  async start() {},
  async stop() {},
  freeze() {},
  found: () => null,
  told: () => null,
  setDate() {},
  sources: () => [],
}
