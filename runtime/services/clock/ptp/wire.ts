/** The data types of IEEE 1588-2008 clause 5.3 on the wire: big-endian, identities as hexadecimal text. */
import { hexOf } from '../../../core/hex.js'

/** Names one port of one clock (5.3.5). */
export interface PortIdentity {
  /** Eight bytes (EUI-64) as 16 lower-case hexadecimal digits: texts compare as the bytes do. */
  readonly clock: string
  /** 0 to 65535; 65535 means all ports of the clock. */
  readonly port: number
}

export const ALL_CLOCKS = 'ffffffffffffffff'
export const ALL_PORTS = 65_535
const NS_PER_SECOND = 1_000_000_000n
/** 48 bits of seconds. */
const SECONDS_END = 1n << 48n

export const isSamePort = (a: PortIdentity, b: PortIdentity): boolean =>
  a.port === b.port && a.clock === b.clock

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const readClock = (view: DataView, offset: number): string =>
  hexOf(new Uint8Array(view.buffer, view.byteOffset + offset, 8))

export function writeClock(view: DataView, offset: number, clock: string): void {
  for (let index = 0; index < 8; index++)
    view.setUint8(offset + index, Number.parseInt(clock.slice(2 * index, 2 * index + 2), 16))
}

export const readPort = (view: DataView, offset: number): PortIdentity => ({
  clock: readClock(view, offset),
  port: view.getUint16(offset + 8),
})

export function writePort(view: DataView, offset: number, identity: PortIdentity): void {
  writeClock(view, offset, identity.clock)
  view.setUint16(offset + 8, identity.port)
}

/** @returns nanoseconds since the epoch of the timescale; null where the nanoseconds are a second or more (5.3.3) */
export function readTimestamp(view: DataView, offset: number): bigint | null {
  const nanoseconds = view.getUint32(offset + 6)
  if (nanoseconds >= 1_000_000_000) return null
  const seconds = view.getUint16(offset) * 2 ** 32 + view.getUint32(offset + 2)
  return BigInt(seconds) * NS_PER_SECOND + BigInt(nanoseconds)
}

/** A moment before the epoch, or past the end of 48 bits of seconds, is written as the nearest that there is. */
export function writeTimestamp(view: DataView, offset: number, ns: bigint): void {
  const end = SECONDS_END * NS_PER_SECOND - 1n
  const kept = ns < 0n ? 0n : ns > end ? end : ns
  const seconds = Number(kept / NS_PER_SECOND)
  view.setUint16(offset, Math.floor(seconds / 2 ** 32))
  view.setUint32(offset + 2, seconds % 2 ** 32)
  view.setUint32(offset + 6, Number(kept % NS_PER_SECOND))
}

/** The identity of a clock with a six-byte hardware address: `ff fe` in the middle (7.5.2.2.2). */
export function clockIdentity(hardwareAddress: Uint8Array): string {
  const hex = hexOf(hardwareAddress.subarray(0, 6))
  return `${hex.slice(0, 6)}fffe${hex.slice(6)}`.padEnd(16, '0')
}
