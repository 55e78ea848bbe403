/** Messages about the boxes of the venue: part of the table in `topics.ts`. */
import { boolean, integer, list, name, nullable, number, object, oneOf, string } from './schema.js'
import { whole } from './shapes.js'
import { topic } from './topic-shape.js'

const role = oneOf('alone', 'listening', 'following', 'leading')
const milliseconds = number({ min: 0, max: 1e12 })

export const venueTopics = {
  'venue/state': topic({
    kind: 'state',
    qos: 0,
    path: 'venue',
    summary:
      'Who leads the boxes of the venue, and how each of them fares, as this box hears them.',
    payload: object({
      /**
       * `alone`: box.json names no venue, or there is no show. `listening`: it is not known yet who leads. `following`:
       * another box decides, this one carries out. `leading`: this box decides, for all that follow it.
       */
      role,
      leader: nullable(name),
      /** Of the leader's reign: what comes from an older one is refused. */
      epoch: whole,
      /** Entries of the log that the boxes share. */
      position: whole,
      interface: nullable(string({ max: 32 })),
      /** How far ahead a cue is planned, so that all boxes hear of it in time. */
      leadMs: milliseconds,
      /** This box included. */
      members: list(
        object({
          box: name,
          role: oneOf('listening', 'following', 'leading'),
          /** Boxes with another show are not led. */
          isSameShow: boolean,
          /** Knows the key, and hears this box. */
          isProven: boolean,
          /** Entries that it lacks. */
          positionsBehind: integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
          lastHeardMs: milliseconds,
          /** Its show time less this box's, as far as that is more than the network may take; 0 when they agree. */
          clockApartMs: number({ min: -1e15, max: 1e15 }),
          /** How long the leader's messages take to it. */
          deliveryP99Ms: milliseconds,
        }),
        { max: 64 },
      ),
      /** Datagrams that were not believed, since the start. */
      refused: object({
        /** Without the key, changed on the way, or of another venue. */
        forged: whole,
        replayed: whole,
        /** With the key, but no message. */
        malformed: whole,
        /** Of boxes that do not lead, or that this box does not know to be alive. */
        outOfTurn: whole,
        /** More than a venue says. */
        flood: whole,
      }),
      /** Why nobody else is heard, for people; null while all is well. */
      trouble: nullable(string({ max: 256 })),
    }),
  }),
  'venue/leader-changed': topic({
    kind: 'event',
    qos: 1,
    path: 'venue/leader-changed',
    summary: 'Another box decides from now on, or nobody does.',
    payload: object({ leader: nullable(name), epoch: whole, role, why: string({ max: 128 }) }),
  }),
  'venue/dropped': topic({
    kind: 'event',
    qos: 1,
    path: 'venue/dropped',
    summary:
      'Two boxes led apart from each other and have met: what this one had decided meanwhile is void.',
    payload: object({
      leader: nullable(name),
      ids: list(string({ max: 128 }), { max: 256 }),
    }),
  }),
} as const
