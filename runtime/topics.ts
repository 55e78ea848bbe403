/**
 * Every message in the box. The bus is typed by this table; the broker, the page, docs/topics.md and docs/asyncapi.json
 * are made from it. Names are `noun/past-event` or `noun/state`.
 */

import { clockTopics } from './core/clock-topics.js'
import { command } from './core/command-shape.js'
import { cueTopics } from './core/cue-topics.js'
import { otaTopics } from './core/ota-topics.js'
import { powerTopics } from './core/power-topics.js'
import { printingTopics } from './core/printing-topics.js'
import {
  boolean,
  either,
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
  string,
  table,
  unknown,
  withDefault,
} from './core/schema.js'
import { cueId, level, moment, requestId, whole } from './core/shapes.js'
import { tempoTopics } from './core/tempo-topics.js'
import { timecodeTopics } from './core/timecode-topics.js'
import { topic } from './core/topic-shape.js'
import { venueTopics } from './core/venue-topics.js'

const origin = string({ max: 128 })

const device = {
  device: name,
  driver: name,
  kind: oneOf('light', 'input', 'capture', 'printer', 'gauge'),
}
/** A lamp that is on or off, one that dims, or one of three or four colors. */
const outputKind = oneOf('switch', 'dimmer', 'rgb', 'rgbw')

export const topics = {
  'box/availability': topic({
    kind: 'state',
    qos: 1,
    path: 'availability',
    summary:
      'Whether the box is there. The broker itself says `lost` when the runtime ends without a word.',
    payload: object({
      state: oneOf('init', 'ready', 'sleeping', 'lost'),
      boot: integer({ min: 0, max: 1e9 }),
    }),
  }),
  'box/info': topic({
    kind: 'state',
    qos: 1,
    path: 'info',
    summary: 'What this box is.',
    payload: object({
      tour: name,
      box: name,
      board: name,
      version: string({ max: 64 }),
      boot: integer({ min: 0, max: 1e9 }),
      show: nullable(object({ name: string({ max: 64 }), digest: string({ max: 64 }) })),
      devices: list(object(device), { max: 128 }),
      /** What the show can light on this box; each has a topic of its own. */
      outputs: list(object({ output: name, kind: outputKind }), { max: 256 }),
      /** The battery packs it knows of. */
      packs: optional(list(name, { max: 16 })),
      /** Why the card took no writes when the box started: until it does, nothing is kept over a restart. */
      cardTrouble: optional(nullable(oneOf('read-only', 'full'))),
    }),
  }),
  'show/state': topic({
    kind: 'state',
    qos: 1,
    path: 'show/state',
    summary: 'Where the show stands.',
    payload: object({
      name: string({ max: 64 }),
      digest: string({ max: 64 }),
      isArmed: boolean,
      current: nullable(cueId),
      next: nullable(cueId),
      epoch: whole,
      /** Cues whose fades, chases or follows are still under way. */
      running: list(cueId, { max: 64 }),
      isBlackout: boolean,
      isPanic: boolean,
      manual: table(name, level, { max: 256 }),
    }),
  }),
  ...cueTopics,
  'input/changed': topic({
    kind: 'event',
    qos: 1,
    path: 'input/{input}/changed',
    summary: 'A button, footswitch, contact or chord was pressed, held or let go.',
    payload: object({
      input: name,
      event: oneOf('press', 'release', 'long-press'),
      atShowMs: moment,
      source: oneOf('kernel', 'firing', 'program'),
    }),
  }),
  'device/state': topic({
    kind: 'state',
    qos: 1,
    path: 'devices/{device}/state',
    summary: 'How a device feels.',
    payload: object({
      ...device,
      state: oneOf('starting', 'ready', 'faulty', 'stopped'),
      code: nullable(string({ max: 64 })),
      message: nullable(string({ max: 512 })),
    }),
  }),
  'output/state': topic({
    kind: 'state',
    qos: 1,
    path: '{output}/state',
    summary:
      'What an output of the show is told to show: at once when it begins to change, at most twice a second while it does, and when it is done.',
    payload: object({
      output: name,
      kind: outputKind,
      /** Perceived brightness; of a color, that of its brightest part. A switch is 0 or 1. */
      level,
      /** Red, green, blue and white, as many as the kind has. */
      parts: list(level, { min: 1, max: 4 }),
    }),
  }),
  'command/received': topic({
    kind: 'command',
    qos: 1,
    path: null,
    summary:
      'Somebody asks something of the show. From outside it comes through `…/cue` and `…/<output>/set`.',
    payload: object({ ...command.shape, origin }),
  }),
  'command/answered': topic({
    kind: 'event',
    qos: 1,
    path: 'response/{id}',
    summary: 'The answer to one command; sent when what it changed is on disk.',
    payload: object({
      id: requestId,
      origin,
      isAccepted: boolean,
      code: nullable(string({ max: 64 })),
      message: nullable(string({ max: 512 })),
    }),
  }),
  'message/refused': topic({
    kind: 'event',
    qos: 0,
    path: 'refused',
    summary: 'The broker refused a message: where it was sent, by whom, and why.',
    payload: object({
      topic: string({ max: 256 }),
      client: string({ max: 128 }),
      code: string({ max: 64 }),
      message: string({ max: 1024 }),
    }),
  }),
  'message/requested': topic({
    kind: 'command',
    qos: 1,
    path: null,
    summary: 'A cue asks for an MQTT message to be published.',
    payload: object({
      topic: string({ max: 256 }),
      payload: string({ max: 65_536 }),
      qos: either(literal(0), literal(1)),
      isRetained: withDefault(boolean, false),
    }),
  }),
  'message/heard': topic({
    kind: 'event',
    qos: 1,
    path: null,
    summary: 'Somebody published, perhaps again, to a topic that a trigger of the show listens to.',
    payload: object({
      topic: string({ max: 256 }),
      /** UTF-8; what is longer or not text is not heard. */
      payload: string({ max: 8_192 }),
      isRepeated: boolean,
    }),
  }),
  'broker/state': topic({
    kind: 'state',
    qos: 0,
    path: 'broker',
    summary:
      'How MQTT fares: the broker inside, or the link to another one. Of a link that is down it is what was last said.',
    payload: object({
      kind: oneOf('embedded', 'external'),
      /** Of another broker. */
      url: nullable(string({ max: 256 })),
      isConnected: boolean,
      /** By the wall clock: since when it is connected, or is not. */
      sinceWallMs: moment,
      /** Why the link failed or broke off the last time. */
      trouble: nullable(object({ wallMs: moment, message: string({ max: 600 }) })),
      /** MQTT clients of the broker inside. */
      clients: nullable(whole),
      /** Messages for clients that are away, or for the other broker. */
      waiting: whole,
      /** Messages that did not get where they should, since the start. */
      dropped: whole,
      /** Clients and messages that were turned away, since the start. */
      refused: whole,
    }),
  }),
  'levels/sampled': topic({
    kind: 'event',
    qos: 0,
    path: null,
    summary: 'All output levels, for the page: on change, at most 25 times a second.',
    payload: object({
      /** By output; of a color, its brightest part. */
      levels: table(name, level, { max: 256 }),
      /** Red, green, blue and perhaps white of the outputs that have them. */
      colors: table(name, list(level, { min: 3, max: 4 }), { max: 256 }),
    }),
  }),
  ...printingTopics,
  ...powerTopics,
  ...clockTopics,
  ...tempoTopics,
  ...otaTopics,
  ...venueTopics,
  ...timecodeTopics,
  'telemetry/state': topic({
    kind: 'state',
    qos: 0,
    path: 'telemetry',
    summary: 'Health of the runtime itself.',
    payload: object({
      uptimeMs: moment,
      rssBytes: number({ min: 0, max: 1e13 }),
      eventLoopLagMsP99: number({ min: 0, max: 1e9 }),
      extra: optional(table(name, unknown, { max: 64 })),
    }),
  }),
} as const

export type Topic = keyof typeof topics
export type Payload<T extends Topic> = Of<(typeof topics)[T]['payload']>
export type Messages = { readonly [T in Topic]: Payload<T> }
export type ShowCommand = Payload<'command/received'>
