/**
 * Moments as NTP writes them (RFC 5905, section 6): seconds since 1900 in 32 bits, which start anew in February 2036, and a
 * fraction in 32 more. Wall time here is a plain number of milliseconds since 1970, to a quarter of a microsecond.
 */

/** 64 bits: seconds, then fraction. Zero means that nothing is known. */
export type NtpStamp = bigint

export const NO_STAMP: NtpStamp = 0n

/** From 1900 to 1970, with 17 leap days. */
const EPOCH_SECONDS = 2_208_988_800
const ERA_SECONDS = 2 ** 32
const ERA_MS = ERA_SECONDS * 1_000
const FRACTIONS = 2 ** 32

/** Writes it at `at`; the era is left out, as the format wants. Byte by byte: a view costs more than all of this. */
export function writeStamp(bytes: Uint8Array, at: number, wallMs: number): void {
  const wholeSeconds = Math.floor(wallMs / 1_000)
  // Of a number below 2^53 that is cut to 32 bits, the lower ones are left: the era goes.
  writeWord(bytes, at, wholeSeconds + EPOCH_SECONDS)
  const fraction = Math.floor(((wallMs - wholeSeconds * 1_000) / 1_000) * FRACTIONS)
  // What rounds up to a whole second is one bit less, never the beginning of this one.
  writeWord(bytes, at + 4, Math.min(fraction, FRACTIONS - 1))
}

function writeWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

export function stampOf(wallMs: number): NtpStamp {
  const bytes = new Uint8Array(8)
  writeStamp(bytes, 0, wallMs)
  return new DataView(bytes.buffer).getBigUint64(0)
}

/**
 * Milliseconds since 1970, in the era that brings it closest to `nearMs`: right for what is less than 68 years from it.
 * Null for a stamp that says nothing.
 */
export function wallOf(stamp: NtpStamp, nearMs: number): number | null {
  if (stamp === NO_STAMP) return null
  const seconds = Number(stamp >> 32n)
  const fraction = Number(stamp & 0xffff_ffffn)
  const inFirstEra = (seconds - EPOCH_SECONDS) * 1_000
  const eras = Math.round((nearMs - inFirstEra) / ERA_MS)
  return inFirstEra + eras * ERA_MS + (fraction / FRACTIONS) * 1_000
}
