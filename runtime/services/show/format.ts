/** The form of a show document (`show/v1`): its keys, ranges and defaults. docs/show-format.md explains each for people. */

import { BEATS_PER_BAR_MAX, BPM_MAX, BPM_MIN } from '../../core/beat-grid.js'
import { jobKind, printField } from '../../core/printing-topics.js'
import {
  boolean,
  either,
  eitherForm,
  integer,
  list,
  literal,
  name,
  nullable,
  number,
  type Of,
  object,
  oneOf,
  optional,
  parsed,
  pattern,
  type Schema,
  string,
  table,
  withDefault,
} from '../../core/schema.js'
import { cueId } from '../../core/shapes.js'
import { curveNames } from './curves.js'
import { readColor, readDurationMs, readInput, readLevel, readMomentMs, readOut } from './words.js'

const DAY_MS = 86_400_000

/** A text with its unit; a bare 0 needs none. In milliseconds once read. */
const durationIn = (range: { minMs: number; maxMs: number; form: string }): Schema<number> => {
  const read = parsed(range.form, text => {
    const durationMs = readDurationMs(text)
    return durationMs !== null && durationMs >= range.minMs && durationMs <= range.maxMs
      ? durationMs
      : null
  })
  return range.minMs === 0 ? eitherForm(range.form, literal(0), read) : read
}

const duration = durationIn({
  minMs: 0,
  maxMs: DAY_MS,
  form: 'a duration such as 1.5s, 200ms or 2m, at most 24h',
})

const levelForm = 'a level: 0 to 1, a text such as 40%, on or off'
const level = eitherForm(levelForm, number({ min: 0, max: 1 }), parsed(levelForm, readLevel))
const color = parsed('a color such as "#ff7a00", in quotes', readColor)

/** What an output shall show. Without a level a color is at its full; without a color a level is white. */
const look = eitherForm(
  'a level such as 40%, or an object with level, color or hue',
  level,
  object({
    level: optional(level),
    color: optional(color),
    hue: optional(number({ min: 0, max: 360 })),
  }),
)

/** Outputs and groups by name. */
const looks = table(name, look, { max: 256 })
const late = oneOf('join', 'fire', 'skip')

const onLost = eitherForm(
  'hold, off, or an object with hold and then',
  oneOf('hold', 'off'),
  object({
    hold: withDefault(duration, 0),
    // biome-ignore lint/suspicious/noThenProperty: a key of the document, which holds data and never a function
    then: object({ scene: cueId, fade: withDefault(duration, 1000) }),
  }),
)

const out = parsed('a device such as wash, wash#3, wash#0..3 or box-2/wash#0', readOut)

const count = integer({ min: 1, max: 100 })
const every = durationIn({ minMs: 20, maxMs: 60_000, form: 'a duration from 20ms to 60s' })

/** One entry of the patch. Which of the optional keys belong to it depends on the kind; the second pass checks that. */
const patchEntry = object({
  kind: oneOf('switch', 'dimmer', 'rgb', 'rgbw', 'capture'),
  out,
  home: optional(look),
  max: optional(level),
  onLost: optional(onLost),
  count: optional(count),
  every: optional(every),
})

const fade = eitherForm(
  'a duration such as 1.5s, or an object with up, down and delay',
  duration,
  object({
    up: withDefault(duration, 0),
    /** As long as `up` when left out. */
    down: optional(duration),
    delay: withDefault(
      eitherForm(
        'a duration, or durations by output or group',
        duration,
        table(name, duration, { max: 256 }),
      ),
      0,
    ),
  }),
)

const share = number({ min: 0, max: 1 })
const curve = eitherForm(
  `${curveNames.join(', ')}, or a list of points from [0, 0] to [1, 1]`,
  oneOf(...curveNames),
  list(list(share, { min: 2, max: 2 }), { min: 2, max: 32 }),
)

/** Exactly one of `after` (from the cue's beginning) and `wait` (from the end of its fade). */
const follow = object({
  after: optional(duration),
  wait: optional(duration),
  go: withDefault(cueId, 'next'),
})

const chase = object({
  steps: list(looks, { min: 2, max: 64 }),
  /** One round through all steps. */
  period: durationIn({ minMs: 50, maxMs: 3_600_000, form: 'a duration from 50ms to 1h' }),
  /** `start` counts from the cue, `shared` from the venue's timeline, so that all boxes are in step. */
  phase: withDefault(oneOf('start', 'shared'), 'start'),
  /** How long one step takes to become the next; 0 for at once. */
  fade: withDefault(duration, 0),
  until: withDefault(eitherForm('next, or a duration', literal('next'), duration), 'next'),
})

const payload = string({ max: 65_536 })
/** What a broker takes: more than that would be refused there, in the middle of the show. */
const topic = pattern(
  /^(?!\$)(?!(?:[^/]*\/){10})[^\0+#]{1,170}$/,
  'a topic of at most 10 levels and 170 characters, without + and #, that does not begin with $',
  256,
)

/** A ticket of one of the box's templates. */
const print = object({
  template: name,
  /** What its placeholders stand for. */
  fields: withDefault(table(printField, string({ max: 1024 }), { max: 64 }), {}),
  /** What the template says when left out. */
  kind: optional(jobKind),
  /** `box/printer`, or a printer of whichever box runs the show; its first one when left out. */
  printer: optional(
    pattern(
      /^([a-z0-9][a-z0-9-]{0,62}\/)?[a-z0-9][a-z0-9-]{0,62}$/,
      'a printer, or box/printer',
      128,
    ),
  ),
  /** Not begun so long after its moment, it is not printed any more. */
  expires: optional(
    durationIn({ minMs: 1_000, maxMs: 86_400_000, form: 'a duration from 1s to 24h' }),
  ),
})

/** Exactly one of `capture`, `mqtt`, `http` and `print`. */
const action = object({
  at: withDefault(durationIn({ minMs: 0, maxMs: 3_600_000, form: 'a duration of at most 1h' }), 0),
  capture: optional(name),
  count: optional(count),
  every: optional(every),
  mqtt: optional(
    object({
      topic,
      payload: withDefault(payload, ''),
      qos: withDefault(integer({ min: 0, max: 1 }), 0),
      retain: withDefault(boolean, false),
    }),
  ),
  http: optional(
    object({
      method: withDefault(oneOf('GET', 'POST', 'PUT'), 'POST'),
      url: pattern(/^https?:\/\/[^\s]{1,1000}$/, 'an http or https address', 1024),
      body: withDefault(nullable(payload), null),
      contentType: withDefault(nullable(string({ max: 128 })), null),
      timeout: withDefault(
        durationIn({ minMs: 100, maxMs: 30_000, form: 'a duration from 100ms to 30s' }),
        5000,
      ),
    }),
  ),
  print: optional(print),
})

/** The first beat of the first bar falls on the cue, unless the count goes on. */
const tempo = eitherForm(
  'off, or an object with bpm',
  literal('off'),
  object({
    bpm: number({ min: BPM_MIN, max: BPM_MAX }),
    /** As it was when left out; 4 where nothing ran. */
    beatsPerBar: optional(integer({ min: 1, max: BEATS_PER_BAR_MAX })),
    continue: withDefault(boolean, false),
  }),
)

const cue = object({
  id: cueId,
  name: withDefault(string({ max: 64 }), ''),
  scene: optional(cueId),
  levels: optional(looks),
  fade: withDefault(fade, 0),
  curve: withDefault(curve, 'linear'),
  follow: optional(follow),
  chase: optional(chase),
  at: optional(parsed('a moment such as 2027-03-01T20:00:00+01:00', readMomentMs)),
  late: optional(late),
  tempo: optional(tempo),
  /** The cue that GO runs after this one, where that is not the one below it. */
  next: optional(cueId),
  do: withDefault(list(action, { max: 32 }), []),
})

/** At most one of `payload` and `json`; without either any message counts. */
const heard = object({
  mqtt: topic,
  payload: optional(string({ max: 8_192 })),
  json: optional(
    table(
      string({ min: 1, max: 64 }),
      either(string({ max: 256 }), number({ min: -1e15, max: 1e15 }), boolean),
      { max: 8 },
    ),
  ),
})

const atTimecode = object({
  timecode: pattern(
    /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d[:;.][0-2]\d$/,
    'a timecode like 10:00:30:00, in quotes',
    11,
  ),
})

const trigger = object({
  on: eitherForm(
    'an input and what happens to it, such as go:press, or an object with mqtt or timecode',
    parsed('an input and what happens to it, such as go:press or panic:long-press', readInput),
    heard,
    atTimecode,
  ),
  do: eitherForm(
    'next, back, panic, release, blackout, or an object with cue or scene',
    oneOf('next', 'back', 'panic', 'release', 'blackout'),
    object({ cue: cueId }),
    object({ scene: cueId }),
  ),
  guard: withDefault(
    object({
      holdOff: withDefault(
        durationIn({ minMs: 0, maxMs: 60_000, form: 'a duration of at most 60s' }),
        250,
      ),
    }),
    { holdOff: 250 },
  ),
})

export const showDocument = object({
  apiVersion: literal('show/v1'),
  name: string({ min: 1, max: 64 }),
  clock: withDefault(
    object({
      /** A GO is planned so far ahead; when left out, as the box is set up. */
      lead: withDefault(
        nullable(durationIn({ minMs: 0, maxMs: 5000, form: 'a duration of at most 5s' })),
        null,
      ),
      late: withDefault(late, 'join'),
    }),
    { lead: null, late: 'join' },
  ),
  panic: withDefault(
    object({
      /** Dark when left out. */
      scene: withDefault(nullable(cueId), null),
      fade: withDefault(
        durationIn({ minMs: 0, maxMs: 300, form: 'a duration of at most 300ms' }),
        200,
      ),
      release: withDefault(duration, 1000),
    }),
    { scene: null, fade: 200, release: 1000 },
  ),
  patch: table(name, patchEntry, { max: 256 }),
  groups: withDefault(table(name, list(name, { min: 1, max: 256 }), { max: 128 }), {}),
  scenes: withDefault(table(cueId, looks, { max: 500 }), {}),
  cues: withDefault(list(cue, { max: 2000 }), []),
  triggers: withDefault(list(trigger, { max: 128 }), []),
})

export type ShowDocument = Of<typeof showDocument>
export type PatchEntry = Of<typeof patchEntry>
export type Look = Of<typeof look>
export type Looks = Of<typeof looks>
export type CueEntry = Of<typeof cue>
export type TriggerEntry = Of<typeof trigger>
export type ActionEntry = Of<typeof action>
export type LatePolicy = Of<typeof late>
