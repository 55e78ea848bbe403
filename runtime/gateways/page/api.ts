/**
 * The shapes of the page's HTTP interface. Bodies that come in are checked with them, and docs/openapi.json is made
 * from them; what the bus carries keeps the shape that `topics.ts` gives it.
 */

import { jobKind, jobState, serial } from '../../core/printing-topics.js'
import {
  boolean,
  integer,
  list,
  name,
  nullable,
  number,
  type Of,
  object,
  oneOf,
  optional,
  string,
  table,
  unknown,
} from '../../core/schema.js'
import { cueId, requestId, whole } from '../../core/shapes.js'
import { topics } from '../../topics.js'

const wallMs = number({ min: -8.64e15, max: 8.64e15 })

export const healthAnswer = object({ state: oneOf('init', 'ready', 'sleeping', 'lost') })

export const login = object({ token: string({ min: 1, max: 512 }) })

export const sessionAnswer = object({
  /** Whether the request carried what it takes to operate the box. */
  isOperator: boolean,
})

export const commandAnswer = object({
  id: requestId,
  isAccepted: boolean,
  code: nullable(string({ max: 64 })),
  message: nullable(string({ max: 512 })),
})

const { origin: _, ...answeredFields } = topics['print/answered'].payload.shape
export const printAnswer = object(answeredFields)

/** A ticket that was asked for, and what has become of it. */
export const jobAnswer = object({
  /** Order of arrival. */
  sequence: whole,
  id: requestId,
  printer: name,
  kind: jobKind,
  serial,
  /** Who asked. */
  origin: string({ max: 128 }),
  state: jobState,
  reprint: whole,
  sentBytes: whole,
  totalBytes: nullable(whole),
  millimetres: nullable(number({ min: 0, max: 1e6 })),
  askedWallMs: wallMs,
  /** Of the last change. */
  wallMs,
  expiresAtWallMs: nullable(wallMs),
  code: nullable(string({ max: 64 })),
  message: nullable(string({ max: 512 })),
})

export const jobsAnswer = object({
  jobs: list(jobAnswer, { max: 200 }),
  /** Asks for the next page, as `before`; null when there are no more. */
  before: nullable(whole),
})

export const historyAnswer = object({
  points: list(
    object({
      /** Its beginning. */
      wallMs,
      percent: nullable(number({ min: 0, max: 100 })),
      millivolts: nullable(number({ min: -1e6, max: 1e6 })),
      /** Out of the packs is negative. */
      milliwatts: nullable(number({ min: -1e9, max: 1e9 })),
      /** 0 mains, 1 battery, 2 warn, 3 shed, 4 protect, 5 shutdown: the worst of the time. */
      stageRank: nullable(integer({ min: 0, max: 5 })),
    }),
    { max: 3_600 },
  ),
})

export const clockAnswer = object({
  state: nullable(topics['clock/state'].payload),
  /** Null where box.json names none. */
  house: nullable(topics['clock/house'].payload),
  /** Of the last ten minutes, oldest first. */
  points: list(
    object({
      wallMs,
      /** The own time less the leader's, as last found; null while nobody is followed. */
      offsetMicroseconds: nullable(number({ min: -1e15, max: 1e15 })),
      pathDelayMicroseconds: nullable(number({ min: 0, max: 1e12 })),
      ratePpm: number({ min: -2_000, max: 2_000 }),
      errorMs: number({ min: 0, max: 1e12 }),
    }),
    { max: 600 },
  ),
})

export const press = object({
  /** Name of an input device. */
  input: name,
  holdMs: integer({ min: 20, max: 10_000 }),
})

/** To the updater, which keeps time by it. */
export const otaAnswer = object({
  monotonicMs: number({ min: 0, max: 1e15 }),
  showTimeMs: wallMs,
  showErrorMs: number({ min: 0, max: 1e12 }),
  wallMs,
  isUtcKnown: boolean,
  board: name,
  isReady: boolean,
  /** Null on a box without a show. */
  show: nullable(object({ isArmed: boolean, isPanic: boolean, runningCues: whole })),
  /** Null where there is no battery to watch. */
  power: nullable(
    object({
      percent: nullable(number({ min: 0, max: 100 })),
      isOnMains: nullable(boolean),
    }),
  ),
})
export type OtaAnswer = Of<typeof otaAnswer>

export const acknowledgement = object({ isAccepted: boolean })

export const refusalAnswer = object({
  code: string({ max: 64 }),
  message: string({ max: 4096 }),
  /** Everything wrong with the body, not only the first thing. */
  problems: optional(
    list(object({ path: string({ max: 512 }), message: string({ max: 1024 }) }), { max: 50 }),
  ),
})

export const logLine = object({
  wallMs,
  level: oneOf('info', 'warn', 'error'),
  event: string({ max: 128 }),
  facts: table(string({ max: 64 }), unknown, { max: 64 }),
})

/** How late each cue was whenever it was fired since the box started; at most 1000 cues, by their first fires. */
export const latenessAnswer = object({
  cues: list(topics['cue/lateness'].payload, { max: 1_000 }),
})

export const logsAnswer = object({ lines: list(logLine, { max: 1000 }) })

const output = object({
  name,
  /** As in the show: `dimmer`, `rgb`, `switch`. */
  kind: string({ max: 32 }),
  device: name,
  /** Channels of the device, counted from 0; red, green, blue for a coloured lamp. None: all that the device has. */
  channels: list(integer({ min: 0, max: 63 }), { max: 64 }),
})

const showDescription = object({
  name: string({ max: 64 }),
  digest: string({ max: 64 }),
  cues: list(object({ id: cueId, name: string({ max: 128 }) }), { max: 10_000 }),
  outputs: list(output, { max: 256 }),
})

const boardLine = object({
  name,
  direction: oneOf('in', 'out'),
  isActive: boolean,
  headerPin: nullable(integer({ min: 1, max: 40 })),
})

/** Something that happened, and when by the box's wall clock. */
const recent = object({ wallMs, topic: string({ max: 64 }), payload: unknown })

export const stateAnswer = object({
  wallMs,
  isOperator: boolean,
  board: object({ name, title: string({ max: 64 }) }),
  show: nullable(showDescription),
  availability: nullable(topics['box/availability'].payload),
  info: nullable(topics['box/info'].payload),
  showState: nullable(topics['show/state'].payload),
  late: nullable(topics['cue/late'].payload),
  telemetry: nullable(topics['telemetry/state'].payload),
  broker: nullable(topics['broker/state'].payload),
  clock: nullable(topics['clock/state'].payload),
  wall: optional(nullable(topics['clock/wall'].payload)),
  power: nullable(topics['power/state'].payload),
  timecode: optional(nullable(topics['timecode/state'].payload)),
  venue: nullable(topics['venue/state'].payload),
  /** Null while no updater has said anything. */
  ota: optional(nullable(topics['ota/state'].payload)),
  batteries: list(topics['battery/state'].payload, { max: 32 }),
  printers: list(topics['printer/state'].payload, { max: 32 }),
  devices: list(topics['device/state'].payload, { max: 256 }),
  levels: topics['levels/sampled'].payload.shape.levels,
  colors: topics['levels/sampled'].payload.shape.colors,
  /** Lines of the simulated board; null on a real one. */
  lines: nullable(list(boardLine, { max: 64 })),
  /** The last things that happened, oldest first. */
  recent: list(recent, { max: 50 }),
})

export type LatenessAnswer = Of<typeof latenessAnswer>
export type BoxSnapshot = Of<typeof stateAnswer>
export type ShowDescription = Of<typeof showDescription>
export type BoardLineState = Of<typeof boardLine>
export type LogLine = Of<typeof logLine>
export type PrintAnswer = Of<typeof printAnswer>
export type ClockAnswer = Of<typeof clockAnswer>
export type HistoryAnswer = Of<typeof historyAnswer>
export type JobsAnswer = Of<typeof jobsAnswer>
export type JobAnswer = Of<typeof jobAnswer>
export type CommandAnswer = Of<typeof commandAnswer>
export type RecentEvent = Of<typeof recent>
export type HealthState = Of<typeof healthAnswer>['state']
