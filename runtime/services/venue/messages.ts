/**
 * What the boxes of a venue say to each other: JSON, each fitting into one datagram, checked before it is believed.
 * Moments are the sender's show time.
 */
import { command } from '../../core/command-shape.js'
import {
  boolean,
  choice,
  integer,
  list,
  literal,
  name,
  nullable,
  number,
  type Of,
  object,
  oneOf,
  pattern,
  string,
  unknown,
} from '../../core/schema.js'
import { moment, requestId, whole } from '../../core/shapes.js'
import type { Place } from '../../ports/company.js'

/** More boxes in one venue are not heard. */
export const MEMBERS_MAX = 64
/** Of one message: what an Ethernet frame holds, less its headers, the seal, and something to spare. */
export const MESSAGE_BYTES_MAX = 1350
/** Ids of the last entries that go with a whole state, and are known as done. */
export const IDS_MAX = 256

const box = name
const place = object({ epoch: whole, position: whole })
/** Of a command, of one part of it (`:2`), or of what the box does by itself: a key in every journal. */
const entryId = pattern(
  /^[A-Za-z0-9._:-]{1,128}$/,
  'letters, digits, dots, colons and dashes, at most 128',
)
const events = list(unknown, { max: 16 })
const fingerprint = integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
/** The first characters of a session: enough to tell lives of a box apart, and 64 of them fit into a beat. */
const hearing = string({ max: 8 })

const beat = object({
  kind: literal('beat'),
  box,
  /** Counts the beats of this session, so that who missed one knows. */
  count: whole,
  show: string({ max: 16 }),
  role: oneOf('listening', 'following', 'leading'),
  leader: nullable(box),
  /** Of the reign that it leads or follows. */
  epoch: whole,
  head: place,
  /** Of boxes that it leads, itself included. */
  party: integer({ min: 1, max: MEMBERS_MAX }),
  canLead: boolean,
  /** What it decides is kept over its restart: its disk works. */
  isKeeping: boolean,
  /** It has listened for long enough since its start to know whether somebody leads. */
  isSettled: boolean,
  isPreferred: boolean,
  showMs: moment,
  /** Half the width of the interval that holds the venue's time. */
  boundMs: number({ min: 0, max: 1e12 }),
  /** How long the leader's messages take to this box. */
  deliveryP99Ms: number({ min: 0, max: 1e6 }),
  fingerprint,
  /** Whom it hears. Who finds itself here knows that the beat was made in its own lifetime. */
  hears: list(hearing, { max: MEMBERS_MAX }),
})

const entry = object({
  kind: literal('entry'),
  box,
  place,
  /** Of the entry before it. */
  before: place,
  id: entryId,
  events,
})

/** A follower lacks what comes after this place. */
const want = object({ kind: literal('want'), box, epoch: whole, head: place })
/** The leader has nothing that goes on from there: its reign began at `base`. */
const behind = object({ kind: literal('behind'), box, epoch: whole, base: place })
/** What a leader that is gone has decided, and the present one has not. */
const offer = object({ kind: literal('offer'), box, id: entryId, events })
export const venueCommand = object({ ...command.shape, origin: string({ max: 128 }) })
const ask = object({ kind: literal('ask'), box, command: venueCommand })
const answer = object({
  kind: literal('answer'),
  box,
  id: requestId,
  isAccepted: boolean,
  code: nullable(string({ max: 64 })),
  message: nullable(string({ max: 512 })),
})
const panic = object({ kind: literal('panic'), box, command: venueCommand })
/** Panics that a person has released, and in which the leader, which was not there, still is. */
const released = object({ kind: literal('released'), box, ids: list(requestId, { max: 8 }) })
const bye = object({ kind: literal('bye'), box })

export const message = choice(
  'kind',
  beat,
  entry,
  want,
  behind,
  offer,
  ask,
  answer,
  panic,
  released,
  bye,
)

/** A whole state, as it is fetched. */
export const wholeAnswer = object({
  box,
  epoch: whole,
  place,
  ids: list(entryId, { max: IDS_MAX }),
  state: unknown,
})
/** Its question: the answer must repeat the number, which is drawn anew each time. */
export const wholeQuestion = object({ box, number: string({ max: 32 }) })

export type Message = Of<typeof message>
export type Beat = Of<typeof beat>
export type EntryMessage = Of<typeof entry>
export type WholeAnswer = Of<typeof wholeAnswer>
export type VenueCommand = Of<typeof venueCommand>

/** The furthest place that a message speaks of; whoever says where it stands has been there. */
export function furthest(said: Message | WholeAnswer): Place {
  const places = [
    'head' in said ? said.head : null,
    'place' in said ? said.place : null,
    'before' in said ? said.before : null,
    'base' in said ? said.base : null,
    'epoch' in said ? { epoch: said.epoch, position: 0 } : null,
  ].filter(one => one !== null)
  return {
    epoch: Math.max(0, ...places.map(({ epoch }) => epoch)),
    position: Math.max(0, ...places.map(({ position }) => position)),
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export const encode = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value))

/** Null for what is not a message. */
export function decode(bytes: Uint8Array): Message | null {
  const result = message.safeParse(jsonOf(bytes))
  return result.success ? result.data : null
}

/** Undefined, which fits no shape, for what is not JSON. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch {
    // Whoever reaches the port may send what they like.
    return undefined
  }
}
