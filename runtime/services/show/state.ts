/**
 * Where a show stands: everything that, with the show and a time, says what every output shows. Plain numbers and texts,
 * so that it can be written down and read back; never changed, only replaced. Times are show time in milliseconds.
 */

import { BEATS_PER_BAR_MAX, BPM_MAX, BPM_MIN } from '../../core/beat-grid.js'
import {
  boolean,
  choice,
  integer,
  list,
  literal,
  nullable,
  number,
  type Of,
  object,
  oneOf,
  optional,
  pattern,
  string,
  withDefault,
} from '../../core/schema.js'
import type { CheckedShow } from './checked-show.js'

const moment = number({ min: -8.64e15, max: 8.64e15 })
const level = number({ min: 0, max: 1 })
const milliseconds = number({ min: 0, max: 8.64e15 })
const components = list(level, { max: 4 })
const word = string({ max: 128 })
/** A key in the journal. */
const fireId = pattern(
  /^[A-Za-z0-9._:-]{1,128}$/,
  'letters, digits, dots, colons and dashes, at most 128',
)
const epoch = integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

/** Fires remembered so that none happens twice. */
export const FIRES_KEPT = 256
/** Panics: no fewer than the journal has answers of commands, so that what is answered as done is known to be done. */
export const PANICS_KEPT = 1024
/** Panics since the last release; the first ones give way. As many fit into a datagram. */
export const PANICS_ACTIVE_MAX = 8
/** What may wait for its moment. */
export const WAITING_MAX = 64
/** Cues whose actions may be under way at once. */
export const OPEN_MAX = 64
/** Fades that may wait for their delay on one output. */
export const SEGMENTS_MAX = 8

const bpm = number({ min: BPM_MIN, max: BPM_MAX })
const beatsPerBar = integer({ min: 1, max: BEATS_PER_BAR_MAX })
const tempoChange = object({ bpm, beatsPerBar: nullable(beatsPerBar), isRestart: boolean })
const beatGrid = object({
  fromMs: moment,
  beats: moment,
  bars: integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  bpm,
  beatsPerBar,
})

/** One thing that happened to the show, resolved: which cue, not "the next one". */
const deed = choice(
  'kind',
  object({
    kind: literal('fire'),
    id: fireId,
    cue: word,
    epoch,
    origin: word,
    /** `back` runs no actions and no follow; `jump` shows the whole look of the list, not only what the cue changes. */
    way: oneOf('go', 'back', 'clock', 'follow', 'jump'),
  }),
  /** A clock cue whose moment went by unused. */
  object({ kind: literal('pass'), cue: word }),
  object({ kind: literal('scene'), scene: word, fadeMs: milliseconds }),
  object({ kind: literal('level'), target: word, level, fadeMs: milliseconds }),
  object({ kind: literal('clear'), target: nullable(word), fadeMs: milliseconds }),
  object({ kind: literal('blackout'), isOn: boolean, fadeMs: milliseconds }),
  /** `id`: of the command. */
  object({ kind: literal('panic'), id: optional(fireId) }),
  /** `ids`: of the panics that it takes back; left out: of all. */
  object({
    kind: literal('release'),
    fadeMs: milliseconds,
    ids: optional(list(fireId, { max: PANICS_ACTIVE_MAX })),
  }),
  object({ kind: literal('goto'), cue: word }),
  object({ kind: literal('arm'), wallMs: moment }),
  object({ kind: literal('disarm') }),
  /** The wall clock was set: clock cues count from here on it. */
  object({ kind: literal('count'), fromWallMs: moment }),
  /** Null: no beats any more. */
  object({ kind: literal('tempo'), change: nullable(tempoChange) }),
  /** A newer leader has said something. */
  object({ kind: literal('lead'), epoch }),
  object({ kind: literal('lost'), isLost: boolean }),
  /** The venue's timeline was set anew: everything moves with it. */
  object({ kind: literal('rebase'), byMs: moment }),
)

/** A deed, when it was accepted, and when it takes effect (before, then or later). */
export const showEvent = object({ atMs: moment, t0Ms: moment, deed })

const segment = object({
  /** Whose curve and chase; null for a scene that was recalled. */
  cue: nullable(word),
  /** When it was fired. */
  t0Ms: moment,
  /** When it takes the output over: its delay later. */
  startMs: moment,
  upMs: milliseconds,
  downMs: milliseconds,
  durationMs: milliseconds,
  /** What the output showed at `startMs`. */
  from: components,
  /** Null: the cue's chase. */
  to: nullable(components),
})

const manual = object({
  startMs: moment,
  durationMs: milliseconds,
  from: components,
  /** Null: back to what the cues say. */
  to: nullable(components),
})

const ramp = object({ isOn: boolean, from: level, startMs: moment, durationMs: milliseconds })

export const showState = object({
  /** The last moment up to which everything that was due is in. */
  atMs: moment,
  epoch,
  current: nullable(word),
  /** When `current` was fired. */
  currentT0Ms: moment,
  next: nullable(word),
  /** `next` was chosen by goto: GO jumps there. */
  isNextChosen: withDefault(boolean, false),
  /** The show is armed, and clock cues after this wall time count: since the arming, or since the clock was set. */
  armedWallMs: nullable(moment),
  /** Clock cues that had their moment. */
  clockDone: list(word, { max: 2000 }),
  fires: list(fireId, { max: FIRES_KEPT }),
  waiting: list(object({ t0Ms: moment, deed }), { max: WAITING_MAX + 1 }),
  /** Fires whose actions are not over. */
  open: list(object({ id: fireId, cue: word, t0Ms: moment }), { max: OPEN_MAX }),
  /** By output: what plays, then what will take over, in order of start. */
  segments: list(list(segment, { max: SEGMENTS_MAX }), { max: 256 }),
  manual: list(nullable(manual), { max: 256 }),
  blackout: ramp,
  panic: ramp,
  /** Panics that were heard of, and those since the last release: `panics.ts`. */
  panics: withDefault(
    object({
      known: list(fireId, { max: PANICS_KEPT }),
      active: list(fireId, { max: PANICS_ACTIVE_MAX }),
    }),
    { known: [], active: [] },
  ),
  /** The grid of beats; null while there is none. */
  tempo: withDefault(nullable(beatGrid), null),
  /** How far each output has gone towards its place without a leader, when that last turned; empty for not at all. */
  lost: object({ isLost: boolean, startMs: moment, from: list(level, { max: 256 }) }),
})

export type Deed = Of<typeof deed>
export type ShowEvent = Of<typeof showEvent>
export type Segment = Readonly<Of<typeof segment>>
export type Manual = Readonly<Of<typeof manual>>
export type Ramp = Readonly<Of<typeof ramp>>
export type ShowState = Readonly<Of<typeof showState>>
export type FireDeed = Extract<Deed, { kind: 'fire' }>

/** Nothing fired: every output at home, the first cue next, not armed. */
export function initialState(show: CheckedShow, atMs: number): ShowState {
  const off = { isOn: false, from: 0, startMs: atMs, durationMs: 0 }
  return {
    atMs,
    epoch: 0,
    current: null,
    currentT0Ms: atMs,
    next: show.cues[0]?.id ?? null,
    isNextChosen: false,
    armedWallMs: null,
    clockDone: [],
    fires: [],
    waiting: [],
    open: [],
    segments: show.outputs.map(() => []),
    manual: show.outputs.map(() => null),
    blackout: off,
    panic: off,
    panics: { known: [], active: [] },
    tempo: null,
    lost: { isLost: false, startMs: atMs, from: [] },
  }
}
