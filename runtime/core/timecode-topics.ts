/** Messages about timecode: part of the table in `topics.ts`. */
import { boolean, list, nullable, number, object, oneOf, string } from './schema.js'
import { lateness, moment, whole } from './shapes.js'
import { timecodeRates } from './timecode.js'
import { topic } from './topic-shape.js'

const kind = oneOf('artnet', 'mtc', 'ltc')
const rate = oneOf(...timecodeRates)
/** `10:00:30:12`, with `;` before the frames where counting drops some. */
const position = string({ max: 11 })

export const timecodeTopics = {
  'timecode/state': topic({
    kind: 'state',
    qos: 0,
    path: 'timecode',
    summary: 'The timecode that the box follows, and what it sends: at most twice a second.',
    payload: object({
      /** Null: box.json names none. */
      source: nullable(kind),
      /**
       * `none`: nothing was ever heard. `locking`: something is heard that does not run, or not for long enough. `locked`.
       * `flywheel`: the source is silent, and the box goes on as if it were not. `lost`: it has been silent for too long.
       */
      state: oneOf('none', 'locking', 'locked', 'flywheel', 'lost'),
      /** Whether cues at timecode are fired: also after the loss, where box.json says `freewheel`. */
      isRunning: boolean,
      rate: nullable(rate),
      position: nullable(position),
      /** The show time at which it began. */
      positionShowMs: nullable(moment),
      /** 1 is the nominal speed, by the venue's clock. */
      speed: nullable(number({ min: 0, max: 10 })),
      /** Of its frames, about the line through them. */
      jitterMs: nullable(lateness),
      lostCount: whole,
      jumpCount: whole,
      outputs: list(
        object({
          kind,
          rate,
          /** Null while it is not running. */
          position: nullable(position),
          /** Why it cannot be sent; null while all is well. */
          trouble: nullable(string({ max: 256 })),
        }),
        { max: 8 },
      ),
      /** Why it cannot be heard; null while all is well. */
      trouble: nullable(string({ max: 256 })),
    }),
  }),
  'timecode/passed': topic({
    kind: 'event',
    qos: 0,
    path: null,
    summary: 'The timecode comes to a position that a trigger of the show waits for.',
    payload: object({
      position,
      /** When: a little ahead, or just past where the source was found there. */
      atShowMs: moment,
    }),
  }),
} as const
