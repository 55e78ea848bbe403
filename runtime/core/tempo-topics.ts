/** Messages about the beats: part of the table in `topics.ts`. */
import { BEATS_PER_BAR_MAX, BPM_MAX, BPM_MIN } from './beat-grid.js'
import { integer, list, nullable, number, object } from './schema.js'
import { moment, whole } from './shapes.js'
import { topic } from './topic-shape.js'

const bpm = number({ min: BPM_MIN, max: BPM_MAX })
const beatsPerBar = integer({ min: 1, max: BEATS_PER_BAR_MAX })

/** Beats count from 0; at show time `t` from `fromMs` on it is beat `beats + (t - fromMs) * bpm / 60000`. */
const grid = object({ fromMs: moment, beats: moment, bars: whole, bpm, beatsPerBar })

export const tempoTopics = {
  'tempo/state': topic({
    kind: 'state',
    qos: 1,
    path: 'tempo',
    summary:
      'The grid of beats on show time: the piece that holds now, and those that are planned.',
    payload: object({
      /** In order; the first holds now. Without a grid there are no beats from then on. */
      pieces: list(object({ fromMs: moment, grid: nullable(grid) }), { max: 66 }),
    }),
  }),
  'tempo/beat': topic({
    kind: 'event',
    qos: 0,
    path: 'tempo/beat',
    summary: 'A beat, told when it is due. For what must be on time, count by the grid instead.',
    payload: object({ bar: whole, beat: beatsPerBar, bpm, beatsPerBar, atShowMs: moment }),
  }),
} as const
