/** Numbers and names that several messages and documents share. */
import { integer, number, pattern } from './schema.js'

/** In milliseconds, on whichever scale the field's name says. */
export const moment = number({ min: -8.64e15, max: 8.64e15 })
export const level = number({ min: 0, max: 1 })
export const whole = integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
export const lateness = number({ min: 0, max: 1e9 })
export const milliseconds = integer({ min: 0, max: 86_400_000 })
/** Names a person gave in the show: cues, scenes, groups. Cue ids may be numbers like `2.5`. */
export const cueId = pattern(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
  'letters, digits, dots and dashes, at most 63',
  64,
)
/** A ULID or any other token of the sender's; the same one again is the same request. */
export const requestId = pattern(
  /^[A-Za-z0-9._:-]{1,64}$/,
  '1 to 64 letters, digits, dots, dashes',
  64,
)
