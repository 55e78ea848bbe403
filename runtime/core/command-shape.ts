/** What can be asked of the show, by whichever way it comes. */
import { BEATS_PER_BAR_MAX, BPM_MAX, BPM_MIN } from './beat-grid.js'
import { boolean, integer, name, number, object, oneOf, optional } from './schema.js'
import { cueId, level, milliseconds, moment, requestId, whole } from './shapes.js'

/** What anyone may ask of the show. Every one is answered by `command/answered` with the same `id`. */
const action = oneOf(
  'go',
  'back',
  'goto',
  'fire',
  'scene',
  'level',
  'clear',
  'blackout',
  'panic',
  'release',
  'arm',
  'disarm',
  'tempo',
)

export const command = object({
  id: requestId,
  action,
  /** `goto` sets the next cue; `fire` runs it. */
  cue: optional(cueId),
  scene: optional(cueId),
  /** Output or group whose level is set by hand; `clear` without it clears all. */
  target: optional(name),
  level: optional(level),
  fadeMs: optional(milliseconds),
  /** Blackout on or off; `tempo` with false ends the beats. */
  on: optional(boolean),
  bpm: optional(number({ min: BPM_MIN, max: BPM_MAX })),
  beatsPerBar: optional(integer({ min: 1, max: BEATS_PER_BAR_MAX })),
  /** `tempo` counts from the first beat of the first bar, instead of going on. */
  restart: optional(boolean),
  /** Show time at which it must happen; at once when left out. */
  atShowMs: optional(moment),
  /** Boxes that follow a leader refuse what is older than the epoch they know. */
  epoch: optional(whole),
})

/** What a sender writes to `…/cue`: the id may be left out, the broker then makes one. */
export const commandIn = object({ ...command.shape, id: optional(requestId) })
