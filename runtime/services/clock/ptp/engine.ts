/** Whatever speaks PTP for the venue's time: a port of our own, or another program's that is read. */
import type { MonotonicMs } from '../../../ports/clock.js'
import type { ForeignMaster } from './foreign-masters.js'
import type { Timing } from './management-values.js'
import type { ClockQuality, Grandmaster } from './message.js'
import type { Counts } from './packet-counts.js'
import type { Action, Packet, PortState, ShowAt } from './port.js'

export interface PtpEngine {
  readonly state: PortState
  readonly parent: ForeignMaster | null
  readonly grandmaster: Grandmaster
  readonly isFollowed: boolean
  readonly counts: Counts
  readonly nextTickAt: MonotonicMs | null
  start(now: MonotonicMs): Action[]
  fail(): Action[]
  receive(packet: Packet, showAt: ShowAt): Action[]
  departed(token: number, at: MonotonicMs, showAt: ShowAt): Action[]
  tick(now: MonotonicMs): Action[]
  setQuality(quality: ClockQuality, now: MonotonicMs): Action[]
  setTimeline(timeline: string | null): void
  setTiming(timing: Timing): void
  distrust(grandmaster: string, until: MonotonicMs, now: MonotonicMs): Action[]
}
