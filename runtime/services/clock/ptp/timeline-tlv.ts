/**
 * Which timeline a grandmaster serves, told behind its Announce in an ORGANIZATION_EXTENSION TLV (IEEE 1588-2008, 14.3.2).
 * Whoever does not know the organization skips it: nothing that PTP decides depends on it.
 */
import type { Tlv } from './message.js'
import { readClock, viewOf, writeClock } from './wire.js'

const ORGANIZATION_EXTENSION = 0x0003
/** A locally administered identifier (IEEE 802c): nobody else's organization. `02`, then `RC`. */
const ORGANIZATION = [0x02, 0x52, 0x43] as const
/** The first of our own: the identity of a timeline. */
const TIMELINE = [0x00, 0x00, 0x01] as const
const PREFIX: readonly number[] = [...ORGANIZATION, ...TIMELINE]
const BYTES = 14

/** @param timeline sixteen hexadecimal digits */
export function timelineTlv(timeline: string): Tlv {
  const value = new Uint8Array(BYTES)
  value.set(PREFIX)
  writeClock(viewOf(value), PREFIX.length, timeline)
  return { type: ORGANIZATION_EXTENSION, value }
}

/** Null where it is not told. */
export function timelineIn(tlvs: readonly Tlv[]): string | null {
  const told = tlvs.find(
    ({ type, value }) =>
      type === ORGANIZATION_EXTENSION &&
      value.byteLength === BYTES &&
      PREFIX.every((byte, index) => value[index] === byte),
  )
  return told === undefined ? null : readClock(viewOf(told.value), PREFIX.length)
}
