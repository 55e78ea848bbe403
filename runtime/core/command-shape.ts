/** What can be asked of the show, by whichever way it comes. */
import { boolean, name, object, oneOf, optional } from './schema.js'
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
  /** Blackout on or off. */
  on: optional(boolean),
  /** Show time at which it must happen; at once when left out. */
  atShowMs: optional(moment),
  /** Boxes that follow a leader refuse what is older than the epoch they know. */
  epoch: optional(whole),
})

/** What a sender writes to `…/cue`: the id may be left out, the broker then makes one. */
export const commandIn = object({ ...command.shape, id: optional(requestId) })
