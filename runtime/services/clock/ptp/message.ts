/**
 * The messages of PTP version 2 that concern an ordinary clock with end-to-end delays (IEEE 1588-2008 clause 13; the
 * minor version of 1588-2019 is tolerated).
 */
import type { PortIdentity } from './wire.js'

/** Bits of the flag field (table 20), the first octet in the upper byte. */
export const Flag = {
  alternateMaster: 0x0100,
  twoStep: 0x0200,
  unicast: 0x0400,
  leap61: 0x0001,
  leap59: 0x0002,
  utcOffsetValid: 0x0004,
  ptpTimescale: 0x0008,
  timeTraceable: 0x0010,
  frequencyTraceable: 0x0020,
} as const

/** Where a message has no interval to tell: all unicast, and requests (table 24). */
export const NO_INTERVAL = 0x7f

/** What every message begins with (13.3). */
export interface Header {
  /** majorSdoId, 0 to 15: 0 is ours, 1 is IEEE 802.1AS. */
  readonly sdo: number
  /** 0 of 1588-2008, 1 of 1588-2019. */
  readonly minorVersion: number
  readonly domain: number
  readonly flags: number
  /** Nanoseconds times 65536, signed, 64 bits: how long the message stayed in transparent clocks. */
  readonly correctionScaled: bigint
  readonly source: PortIdentity
  readonly sequenceId: number
  /** Logarithm to the base 2 of seconds, -128 to 127. */
  readonly logInterval: number
}

/** Whatever a message carries behind its body (clause 14). */
export interface Tlv {
  readonly type: number
  readonly value: Uint8Array
}

/** How good a clock says it is (5.3.7). */
export interface ClockQuality {
  readonly clockClass: number
  /** Table 6: 0x20 is 25 ns, 0x31 is more than 10 s, 0xfe unknown. */
  readonly accuracy: number
  readonly variance: number
}

/** The clock at the root, as an Announce tells of it. */
export interface Grandmaster extends ClockQuality {
  readonly identity: string
  readonly priority1: number
  readonly priority2: number
}

export interface Announce {
  readonly type: 'announce'
  readonly header: Header
  readonly originNs: bigint
  readonly utcOffsetS: number
  readonly grandmaster: Grandmaster
  readonly stepsRemoved: number
  readonly timeSource: number
  readonly tlvs: readonly Tlv[]
}

/** Sync, Delay_Req and Follow_Up, which differ in what their moment means. */
export interface Timed {
  readonly type: 'sync' | 'delay-request' | 'follow-up'
  readonly header: Header
  readonly originNs: bigint
  readonly tlvs: readonly Tlv[]
}

export interface DelayResponse {
  readonly type: 'delay-response'
  readonly header: Header
  readonly receivedNs: bigint
  readonly requester: PortIdentity
  readonly tlvs: readonly Tlv[]
}

export interface Management {
  readonly type: 'management'
  readonly header: Header
  readonly target: PortIdentity
  readonly startingHops: number
  readonly hops: number
  /** Table 38: 0 GET, 1 SET, 2 RESPONSE, 3 COMMAND, 4 ACKNOWLEDGE. */
  readonly action: number
  readonly tlvs: readonly Tlv[]
}

export interface Signaling {
  readonly type: 'signaling'
  readonly header: Header
  readonly target: PortIdentity
  readonly tlvs: readonly Tlv[]
}

export type Message = Announce | Timed | DelayResponse | Management | Signaling

export type Kind = Message['type']

/** Number of the type (table 19), length without TLVs, control field (table 23). */
export const layouts: Readonly<Record<Kind, { code: number; byteCount: number; control: number }>> =
  {
    sync: { code: 0x0, byteCount: 44, control: 0 },
    'delay-request': { code: 0x1, byteCount: 44, control: 1 },
    'follow-up': { code: 0x8, byteCount: 44, control: 2 },
    'delay-response': { code: 0x9, byteCount: 54, control: 3 },
    announce: { code: 0xb, byteCount: 64, control: 5 },
    signaling: { code: 0xc, byteCount: 44, control: 5 },
    management: { code: 0xd, byteCount: 48, control: 4 },
  }

/** What fits into one frame of Ethernet: nothing longer is PTP's. */
export const MESSAGE_BYTES_MAX = 1472
export const VERSION = 2
