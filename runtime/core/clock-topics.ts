/** Messages about the venue's time: part of the table in `topics.ts`. */
import { boolean, integer, nullable, number, object, oneOf, string } from './schema.js'
import { moment, whole } from './shapes.js'
import { topic } from './topic-shape.js'

/** As PTP writes a clock's identity, and as we write a timeline's: sixteen hexadecimal digits. */
const clockIdentity = string({ max: 16 })

/** An error of this and more says only that nothing is known. */
export const UNKNOWN_ERROR_MS = 1e6

export const clockTopics = {
  'clock/state': topic({
    kind: 'state',
    qos: 0,
    path: 'clock',
    summary: "Whose time the box follows, how well, and how far off the venue's time may be.",
    payload: object({
      /**
       * `alone`: its own time, and no network to share it on. `listening`: whether somebody leads. `leading`: others may
       * follow this box. `acquiring`: a leader was found. `following`: its time is taken over. `holdover`: it is gone, and
       * the box goes on by what it has learned.
       */
      state: oneOf('alone', 'listening', 'leading', 'acquiring', 'following', 'holdover'),
      identity: nullable(clockIdentity),
      /** Who leads, be it this box; null while nobody is known to. */
      leader: nullable(clockIdentity),
      /** Who led before, be it this box; null where nobody is known to have. */
      lastLeader: nullable(clockIdentity),
      /** Names the timeline that is shown, over all changes of leader; null where nobody has named it. */
      timeline: nullable(clockIdentity),
      interface: nullable(string({ max: 32 })),
      domain: nullable(integer({ min: 0, max: 255 })),
      /** Whose stamps the packets have. */
      stamps: nullable(oneOf('hardware', 'kernel', 'program')),
      /** What was found last: the own time less the leader's. */
      offsetMicroseconds: nullable(number({ min: -1e15, max: 1e15 })),
      pathDelayMicroseconds: nullable(number({ min: 0, max: 1e12 })),
      /** How much faster the venue's time runs than the own oscillator. */
      ratePpm: number({ min: -2_000, max: 2_000 }),
      /** Half the width of the interval that holds the venue's time; 1000000 and more: not known. */
      errorMs: number({ min: 0, max: 1e12 }),
      /** The part of it that all boxes have in common: what the leader did not know when it took over. */
      inheritedErrorMs: number({ min: 0, max: 1e12 }),
      /** Of other clocks in this domain, this box not counted. */
      clocksHeard: whole,
      /** Nothing jumps or is set while a show is armed. */
      isFrozen: boolean,
      wallMs: moment,
      /** Why it is alone, for people; null while all is well. */
      trouble: nullable(string({ max: 256 })),
      /** Since the service was started. */
      counts: object({
        leaderChanges: whole,
        steps: whole,
        /** Leaders whose time was not believed. */
        distrusted: whole,
        /** Packets that are no PTP, and those of its first version. */
        malformed: whole,
        otherVersion: whole,
        otherDomain: whole,
        /** Exchanges that would have taken less than no time. */
        negativeDelays: whole,
        notSent: whole,
      }),
    }),
  }),
  'clock/house': topic({
    kind: 'state',
    qos: 0,
    path: 'clock/house',
    summary: "How far the house's clock is from the show time; it steers nothing.",
    payload: object({
      /** As of `clock/state`, of which it is never `leading`. */
      state: oneOf('listening', 'acquiring', 'following', 'holdover'),
      leader: nullable(clockIdentity),
      interface: string({ max: 32 }),
      domain: integer({ min: 0, max: 255 }),
      stamps: nullable(oneOf('hardware', 'kernel', 'program')),
      /** What the house shows less what the venue shows; null before it was followed. */
      aheadMs: nullable(number({ min: -1e15, max: 1e15 })),
      /** How much faster the house's clock runs than the show time. */
      ratePpm: nullable(number({ min: -2_000, max: 2_000 })),
      /** Half the width of the interval that holds what the house shows. */
      errorMs: nullable(number({ min: 0, max: 1e12 })),
      /** How often it jumped, or another one was found that shows another time. */
      steps: whole,
      wallMs: moment,
      trouble: nullable(string({ max: 256 })),
    }),
  }),
  'clock/stepped': topic({
    kind: 'event',
    qos: 1,
    path: 'clock/stepped',
    summary: "The box's show time jumped: it found the venue's timeline, or another one.",
    payload: object({ byMs: number({ min: -1e15, max: 1e15 }) }),
  }),
} as const
