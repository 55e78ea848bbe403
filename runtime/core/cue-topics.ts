/** Messages about what cues did, and how late: part of the table in `topics.ts`. */
import { lateBoundsMs } from './late-bounds.js'
import { list, name, nullable, number, object, oneOf, string } from './schema.js'
import { cueId, lateness, moment, requestId, whole } from './shapes.js'
import { topic } from './topic-shape.js'

const origin = string({ max: 128 })

export const cueTopics = {
  'cue/fired': topic({
    kind: 'event',
    qos: 1,
    path: 'cue/fired',
    summary: 'A cue was fired, by whom, and how late its first change was.',
    payload: object({
      fire: requestId,
      cue: cueId,
      epoch: whole,
      atShowMs: moment,
      origin,
      lateMs: nullable(number({ min: -86_400_000, max: 86_400_000 })),
    }),
  }),
  'cue/late': topic({
    kind: 'state',
    qos: 0,
    path: 'cue/late',
    summary: 'How late the outputs were, in milliseconds, since the box started.',
    payload: object({ count: whole, p50: lateness, p95: lateness, p99: lateness, max: lateness }),
  }),
  'cue/lateness': topic({
    kind: 'event',
    qos: 0,
    path: 'cue/lateness',
    summary:
      'How late a cue that was just fired was, each time since the box started, in milliseconds.',
    payload: object({
      cue: cueId,
      count: whole,
      p50: lateness,
      p95: lateness,
      p99: lateness,
      max: lateness,
      /** This time. */
      last: lateness,
      sum: number({ min: 0, max: 1e15 }),
      /** How often by at most 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100 and 250 ms. */
      within: list(whole, { max: lateBoundsMs.length }),
    }),
  }),
  'capture/taken': topic({
    kind: 'event',
    qos: 1,
    path: 'capture/taken',
    summary: 'A shutter contact closed, or a shot was refused.',
    payload: object({
      shot: requestId,
      device: name,
      cue: nullable(cueId),
      plannedShowMs: moment,
      closedShowMs: nullable(moment),
      uncertaintyMs: number({ min: 0, max: 60_000 }),
      source: oneOf('kernel', 'firing', 'program'),
      syncShowMs: nullable(moment),
      refused: nullable(oneOf('min-gap', 'faulty', 'cancelled')),
    }),
  }),
} as const
