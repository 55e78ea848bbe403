/** What one port of PTP is told, and what it wants done: the words between its parts and whoever carries them out. */
import type { MonotonicMs } from '../../../ports/clock.js'
import type { ForeignMaster } from './foreign-masters.js'
import type { ClockQuality, Header } from './message.js'
import type { PortIdentity } from './wire.js'

/** Table 8; the numbers are those on the wire. */
export const portStates = {
  initializing: 1,
  faulty: 2,
  listening: 4,
  'pre-master': 5,
  master: 6,
  passive: 7,
  uncalibrated: 8,
  slave: 9,
} as const

export type PortState = keyof typeof portStates

/** What the own timeline shows at a moment, in nanoseconds. */
export type ShowAt = (at: MonotonicMs) => bigint

/** One datagram, and when and where it arrived. */
export interface Packet {
  readonly bytes: Uint8Array
  readonly at: MonotonicMs
  readonly from: string
  readonly port: 'event' | 'general'
}

/** One Sync and one Delay_Req with their four moments; those of the master with the corrections taken in. */
export interface Exchange {
  readonly syncSentNs: bigint
  readonly syncReceived: MonotonicMs
  readonly requestSent: MonotonicMs
  readonly requestReceivedNs: bigint
}

export interface Send {
  readonly kind: 'send'
  readonly bytes: Uint8Array
  readonly port: 'event' | 'general'
  /** Null is the group. */
  readonly address: string | null
  /** Where it is not null, `departed` wants to know the moment at which the message left. */
  readonly token: number | null
}

export type Action =
  | Send
  | { readonly kind: 'state'; readonly state: PortState }
  /** Another master is followed, or it told something new of itself; null: none is. */
  | { readonly kind: 'parent'; readonly parent: ForeignMaster | null }
  | { readonly kind: 'measured'; readonly exchange: Exchange }

/** What a master tells of its timescale (8.2.4). */
export interface TimeProperties {
  readonly utcOffsetS: number
  /** The lower octet of the flag field. */
  readonly flags: number
  readonly timeSource: number
}

export interface PortOptions {
  readonly identity: PortIdentity
  readonly domain: number
  readonly isSlaveOnly: boolean
  readonly priority1: number
  readonly priority2: number
  readonly quality: ClockQuality
  readonly timeProperties: TimeProperties
  /** Logarithms to the base 2 of seconds, -7 to 4. */
  readonly logAnnounceInterval: number
  readonly logSyncInterval: number
  readonly logDelayRequestInterval: number
  /** Announce intervals of silence until a master is given up, 2 to 10. */
  readonly announceReceiptTimeout: number
  /** Unicast spares the group what only the master needs; where it stays unanswered the group is asked. */
  readonly delayRequests: 'multicast' | 'unicast'
  readonly description: Description
}

/** What management tells of the box. */
export interface Description {
  readonly hardwareAddress: Uint8Array
  /** Dotted; empty where none is known. */
  readonly address: string
  readonly product: string
  readonly revision: string
  /** What the owner calls it. */
  readonly name: string
}

export const intervalMs = (logInterval: number): number => 1000 * 2 ** logInterval

/** What is the same in every message that the port sends. */
export const headerOf = (
  { identity, domain }: PortOptions,
  own: { readonly sequenceId: number; readonly logInterval: number; readonly flags: number },
): Header => ({
  sdo: 0,
  minorVersion: 0,
  domain,
  correctionScaled: 0n,
  source: identity,
  sequenceId: own.sequenceId & 0xffff,
  logInterval: own.logInterval,
  flags: own.flags,
})
