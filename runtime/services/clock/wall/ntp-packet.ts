/** The packet of NTP on the wire: RFC 5905, figure 8. Nothing that arrives makes it throw. */
import type { NtpStamp } from './ntp-time.js'

/** Without extension fields and without a signature. */
export const PACKET_BYTES = 48

/** Three is what a clock says that has no time to give. */
export type Leap = 0 | 1 | 2 | 3
export const NO_LEAP: Leap = 0
export const UNSYNCHRONISED: Leap = 3

/** RFC 5905, figure 10: the modes that ask and answer. Control (6) and private (7) are neither spoken nor answered. */
export const Mode = { client: 3, server: 4 } as const

/** What is beyond is not synchronised (RFC 5905, figure 11). */
export const STRATUM_MAX = 15

export interface NtpPacket {
  readonly leap: Leap
  /** 1 to 7. */
  readonly version: number
  /** 0 to 7. */
  readonly mode: number
  /** On the wire 0 stands for 16, and for a kiss code. */
  readonly stratum: number
  /** Of the interval between questions, as a power of two in seconds. */
  readonly poll: number
  /** Of the clock, as a power of two in seconds. */
  readonly precision: number
  readonly rootDelayMs: number
  readonly rootDispersionMs: number
  /** Four letters, or the address of whom it follows. */
  readonly referenceId: number
  readonly reference: NtpStamp
  readonly origin: NtpStamp
  readonly receive: NtpStamp
  readonly transmit: NtpStamp
}

/** A 32-bit number of seconds with 16 bits of fraction. */
const SHORT_PER_MS = 65.536
const SHORT_MAX = 2 ** 32 - 1

/** Null for what is too short, or of no version of NTP. What follows the header is not looked at. */
export function parse(bytes: Uint8Array): NtpPacket | null {
  if (bytes.byteLength < PACKET_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const first = view.getUint8(0)
  const version = (first >> 3) & 7
  if (version === 0) return null
  return {
    leap: leapOf(first >> 6),
    version,
    mode: first & 7,
    stratum: view.getUint8(1),
    poll: view.getInt8(2),
    precision: view.getInt8(3),
    rootDelayMs: view.getUint32(4) / SHORT_PER_MS,
    rootDispersionMs: view.getUint32(8) / SHORT_PER_MS,
    referenceId: view.getUint32(12),
    reference: view.getBigUint64(16),
    origin: view.getBigUint64(24),
    receive: view.getBigUint64(32),
    transmit: view.getBigUint64(40),
  }
}

export function serialise(packet: NtpPacket): Uint8Array {
  const bytes = new Uint8Array(PACKET_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, (packet.leap << 6) | (packet.version << 3) | packet.mode)
  view.setUint8(1, packet.stratum)
  view.setInt8(2, packet.poll)
  view.setInt8(3, packet.precision)
  view.setUint32(4, shortOf(packet.rootDelayMs))
  view.setUint32(8, shortOf(packet.rootDispersionMs))
  view.setUint32(12, packet.referenceId)
  view.setBigUint64(16, packet.reference)
  view.setBigUint64(24, packet.origin)
  view.setBigUint64(32, packet.receive)
  view.setBigUint64(40, packet.transmit)
  return bytes
}

/** Rounded up: a bound that is told must hold. */
const shortOf = (ms: number): number =>
  Math.min(SHORT_MAX, Math.max(0, Math.ceil(ms * SHORT_PER_MS - 1e-6)))

function leapOf(bits: number): Leap {
  if (bits === 0 || bits === 1 || bits === 2) return bits
  return UNSYNCHRONISED
}

/** Four letters as they stand in the reference identifier: kiss codes, and names of reference clocks. */
export const referenceOf = (letters: string): number =>
  [0, 1, 2, 3].reduce((sum, at) => sum * 256 + ((letters.charCodeAt(at) || 0) & 0xff), 0)

/** For people: letters where they are letters, otherwise an address of IPv4. Of IPv6 it is part of a digest. */
export function referenceText(referenceId: number, stratum: number): string {
  const bytes = [24, 16, 8, 0].map(bits => (referenceId >>> bits) & 0xff)
  const letters = bytes.filter(byte => byte !== 0)
  const isText = letters.length > 0 && letters.every(byte => byte > 0x20 && byte < 0x7f)
  return stratum <= 1 && isText ? String.fromCharCode(...letters) : bytes.join('.')
}
