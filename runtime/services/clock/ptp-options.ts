/** How a box takes part in PTP, from what its config says. */
import type { PtpLink } from '../../ports/ptp-link.js'
import type { Description, PortOptions } from './ptp/port.js'
import { clockIdentity } from './ptp/wire.js'

export interface PtpOptions {
  readonly domain: number
  /** Goes before other boxes that know the time no better. */
  readonly isPreferred: boolean
  /** Never leads: the house's clock does. */
  readonly isFollowOnly: boolean
}

/** Four announcements, eight moments and eight questions a second: who is gone is missed after three quarters of one. */
const LOG_ANNOUNCE_INTERVAL = -2
const LOG_SYNC_INTERVAL = -3
const LOG_DELAY_REQUEST_INTERVAL = -3
const ANNOUNCE_RECEIPT_TIMEOUT = 3
const PRIORITY_USUAL = 128
/** In the second priority, which counts after the class: in the first, a preferred box that was away would win at its return. */
const PRIORITY_PREFERRED = 100
/** Time since 1970 without leap seconds as far as anybody knows: an arbitrary timescale (7.2.1). */
const UTC_OFFSET_S = 37
const INTERNAL_OSCILLATOR = 0xa0

export const portOptions = (
  { domain, isPreferred, isFollowOnly }: PtpOptions,
  description: Description,
): Omit<PortOptions, 'quality'> => ({
  identity: { clock: clockIdentity(description.hardwareAddress), port: 1 },
  domain,
  isSlaveOnly: isFollowOnly,
  priority1: PRIORITY_USUAL,
  priority2: isPreferred ? PRIORITY_PREFERRED : PRIORITY_USUAL,
  timeProperties: { utcOffsetS: UTC_OFFSET_S, flags: 0, timeSource: INTERNAL_OSCILLATOR },
  logAnnounceInterval: LOG_ANNOUNCE_INTERVAL,
  logSyncInterval: LOG_SYNC_INTERVAL,
  logDelayRequestInterval: LOG_DELAY_REQUEST_INTERVAL,
  announceReceiptTimeout: ANNOUNCE_RECEIPT_TIMEOUT,
  delayRequests: 'multicast',
  description,
})

/** May have another address when it is opened again. */
export const describedBy = (
  link: Pick<PtpLink, 'hardwareAddress' | 'address'>,
  description: Omit<Description, 'hardwareAddress' | 'address'>,
): Description => ({
  ...description,
  hardwareAddress: link.hardwareAddress,
  get address(): string {
    return link.address ?? ''
  },
})
