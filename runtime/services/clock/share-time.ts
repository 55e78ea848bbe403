/**
 * How time is shared on a network, put together: a PTP port of the box's own, or what another program says of its. In a
 * file of its own, so that a box without such a network need not load it.
 */
import type { MonotonicMs } from '../../ports/clock.js'
import type { PtpDaemon } from '../../ports/ptp-daemon.js'
import type { PtpLink } from '../../ports/ptp-link.js'
import { DaemonEngine } from './ptp/daemon-engine.js'
import type { Description } from './ptp/port.js'
import { describedBy, type PtpOptions, portOptions } from './ptp-options.js'
import type { ShowScale } from './show-scale.js'
import { VenueTime, type VenueTimeOptions } from './venue-time.js'

export interface Sharing extends Omit<VenueTimeOptions, 'port'> {
  readonly ptp: PtpOptions
  readonly description: Omit<Description, 'hardwareAddress' | 'address'>
  /** Of a seed; 0 up to 1. */
  readonly random: () => number
}

/** What takes part, and the engine that has to be told what the other program says; null where there is none. */
export interface SharedTime {
  readonly venue: VenueTime
  readonly daemon: DaemonEngine | null
}

export type ShareTime = typeof shareTime

export function shareTime(
  link: PtpLink | PtpDaemon,
  scale: ShowScale,
  { ptp, description, random, ...options }: Sharing,
  now: MonotonicMs,
): SharedTime {
  const port = portOptions(ptp, describedBy(link, description))
  const daemon = 'onReading' in link ? new DaemonEngine(port.identity, port.domain) : null
  return { venue: new VenueTime(scale, { ...options, port }, now, random, daemon), daemon }
}
