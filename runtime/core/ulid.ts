/** Crockford's base 32: no I, L, O, U, so that an id can be read over a radio. */
export const crockfordDigits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const TIME_DIGITS = 10
const TIME_MS_MAX = 2 ** 48 - 1

/**
 * An id of 26 characters that sorts by time: 48 bits of milliseconds, then 80 bits of chance (the ULID specification).
 * @param atMs since 1970; what lies outside 0..2^48-1 is moved to the nearer end
 * @param random at least 10 bytes from `Keys.randomBytes`
 */
export function ulid(atMs: number, random: Uint8Array): string {
  let rest = Math.min(TIME_MS_MAX, Math.max(0, Math.floor(atMs)))
  let time = ''
  for (let digit = 0; digit < TIME_DIGITS; digit++) {
    time = `${crockfordDigits[rest % 32]}${time}`
    rest = Math.floor(rest / 32)
  }
  return time + chance(random)
}

/** Five bytes make eight digits of five bits each. */
function chance(random: Uint8Array): string {
  let text = ''
  let held = 0
  let heldBits = 0
  for (const byte of random.subarray(0, 10)) {
    held = (held << 8) | byte
    heldBits += 8
    while (heldBits >= 5) {
      heldBits -= 5
      text += crockfordDigits[(held >> heldBits) & 31]
    }
    held &= (1 << heldBits) - 1
  }
  return text
}
