/** Messages about the venue's time: part of the table in `topics.ts`. */
import {
  boolean,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  optional,
  string,
} from './schema.js'
import { moment, requestId, whole } from './shapes.js'
import { topic } from './topic-shape.js'

/** As PTP writes a clock's identity, and as we write a timeline's: sixteen hexadecimal digits. */
const clockIdentity = string({ max: 16 })

/** An error of this and more says only that nothing is known. */
export const UNKNOWN_ERROR_MS = 1e6
/** What a person says of the date. */
export const clockSetIn = object({ id: optional(requestId), wallMs: moment })

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
        /** Requests for this box's time that came too often to be answered. */
        unanswered: whole,
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
  'clock/wall': topic({
    kind: 'state',
    qos: 0,
    path: 'clock/wall',
    summary: 'The date: where it comes from, whether it is UTC, and how far it may be off.',
    payload: object({
      wallMs: moment,
      isUtcKnown: boolean,
      /**
       * `ntp`: time servers. `leader`: the box that clock.ntp.follow names. `system`: the operating system's time service.
       * `technician`: a person has set it. `rtc`: the machine's clock with a battery. `floor`: nobody; it is later than that.
       */
      source: oneOf('ntp', 'leader', 'system', 'technician', 'rtc', 'floor'),
      /** Half the width of the interval that holds UTC; null while it is not known. */
      errorMs: nullable(number({ min: 0, max: 1e15 })),
      /** What is shown less what was found: it is on its way there, or waits for the end of the show. */
      aheadMs: nullable(number({ min: -1e15, max: 1e15 })),
      /** As others are told: 1 is a clock itself, from 10 on it is the venue's own date, 16 is none. */
      stratum: integer({ min: 0, max: 16 }),
      rootDelayMs: number({ min: 0, max: 1e9 }),
      rootDispersionMs: number({ min: 0, max: 1e9 }),
      leap: oneOf('none', 'insert', 'delete', 'unknown'),
      referenceId: string({ max: 16 }),
      /** Nothing sets or slews it while a show is armed. */
      isFrozen: boolean,
      engine: oneOf('chrony', 'embedded', 'none'),
      /** Questions of others that were answered; null where it does not serve. */
      servedPerSecond: nullable(number({ min: 0, max: 1e9 })),
      servers: list(
        object({
          host: string({ max: 253 }),
          /**
           * `followed`: part of the date. `good`: heard, and not needed. `false`: the others say otherwise. `silent`: no
           * answer. `unusable`: it has no time, or one that is past. `refusing`: it does not want to be asked.
           */
          state: oneOf('followed', 'good', 'false', 'silent', 'unusable', 'refusing'),
          stratum: nullable(integer({ min: 0, max: 16 })),
          /** Its date less the one that is shown. */
          aheadMs: nullable(number({ min: -1e15, max: 1e15 })),
          delayMs: nullable(number({ min: 0, max: 1e9 })),
        }),
        { max: 32 },
      ),
      /** Why the date is not served or asked for as it should be, for people; null while all is well. */
      trouble: nullable(string({ max: 512 })),
    }),
  }),
  'clock/set-requested': topic({
    kind: 'command',
    qos: 1,
    path: null,
    summary: 'A person says what the date is; it is taken where nothing better is known.',
    payload: object({ id: requestId, wallMs: moment, origin: string({ max: 128 }) }),
  }),
  'clock/set-answered': topic({
    kind: 'event',
    qos: 1,
    path: null,
    summary: 'Whether the date was taken.',
    payload: object({
      id: requestId,
      origin: string({ max: 128 }),
      isAccepted: boolean,
      code: nullable(string({ max: 64 })),
      message: nullable(string({ max: 512 })),
    }),
  }),
} as const
