/** What box.json says of timecode: part of the schema in `config.ts`. */
import {
  choice,
  integer,
  list,
  literal,
  nullable,
  number,
  type Of,
  object,
  oneOf,
  pattern,
  string,
  withDefault,
} from './schema.js'
import { frameOfLabel, readLabel, type TimecodeRate, timecodeRates } from './timecode.js'

const ART_NET_PORT = 6454
const port = integer({ min: 0, max: 65_535 })
const ipv4 = pattern(
  /^((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)$/,
  'an address of IPv4 like 192.168.1.20',
  15,
)
const rate = oneOf(...timecodeRates)

const chase = {
  /** So many frames in a row make a source that is followed. */
  lockFrames: withDefault(integer({ min: 2, max: 100 }), 3),
  /** How long the box goes on without its source. */
  flywheelMs: withDefault(integer({ min: 0, max: 600_000 }), 2_000),
  /** What then: `freewheel` goes on until the source is back. */
  onLoss: withDefault(oneOf('stop', 'freewheel'), 'stop'),
  /** Cues are handed to the show so far ahead of their position. */
  aheadMs: withDefault(integer({ min: 0, max: 2_000 }), 200),
  /** How old a position is when the box hears of it. */
  latencyMs: withDefault(integer({ min: -1_000, max: 1_000 }), 0),
}

const artNetIn = object({
  kind: literal('artnet'),
  port: withDefault(port, ART_NET_PORT),
  /** Only what comes from there; null: whoever sends. */
  from: withDefault(nullable(ipv4), null),
  ...chase,
})

/** A raw MIDI port of ALSA, or whatever else speaks like one. */
const midiFile = pattern(/^\/dev\/[\w./-]{1,120}$/, 'a device file like /dev/snd/midiC1D0', 128)

const mtcIn = object({ kind: literal('mtc'), device: midiFile, ...chase })

const ltcIn = object({
  kind: literal('ltc'),
  /** As ALSA calls it: `default`, `plughw:1,0`. */
  device: withDefault(string({ min: 1, max: 64 }), 'default'),
  sampleRate: withDefault(integer({ min: 16_000, max: 192_000 }), 48_000),
  /** Null: it is found out, which takes a second. */
  rate: withDefault(nullable(rate), null),
  ...chase,
})

const sending = {
  rate,
  /** `clock`: the time of day on the venue's timeline. `armed`: while the show is armed, from `offset` on. */
  runs: withDefault(oneOf('clock', 'armed'), 'clock'),
  /** Added to the time of day; where it begins when the show is armed. */
  offset: withDefault(
    pattern(/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d[:;.][0-2]\d$/, 'a timecode like 01:00:00:00', 11),
    '00:00:00:00',
  ),
}

const artNetOut = object({
  kind: literal('artnet'),
  /** An address, or that of a broadcast. */
  to: withDefault(ipv4, '255.255.255.255'),
  port: withDefault(integer({ min: 1, max: 65_535 }), ART_NET_PORT),
  ...sending,
})

const mtcOut = object({ kind: literal('mtc'), device: midiFile, ...sending })

const ltcOut = object({
  kind: literal('ltc'),
  /** As ALSA calls it: `default`, `plughw:1,0`. */
  device: withDefault(string({ min: 1, max: 64 }), 'default'),
  /** Of full scale; the peaks, which is all that there is. */
  volume: withDefault(number({ min: 0.01, max: 1 }), 0.5),
  /** What the way behind the card takes besides: it is played so much earlier. */
  latencyMs: withDefault(integer({ min: -500, max: 500 }), 0),
  ...sending,
})

const source = choice('kind', artNetIn, mtcIn, ltcIn)
const output = choice('kind', artNetOut, mtcOut, ltcOut)

export const timecodeConfig = object({
  /** Null: the box follows none. */
  in: withDefault(nullable(source), null),
  out: withDefault(
    list(
      output.refine(({ rate: at, offset }) => isLabelAt(offset, at), {
        path: ['offset'],
        message: 'is no frame at this rate',
      }),
      { max: 4 },
    ),
    [],
  ),
}).refine(
  config =>
    config.in === null ||
    config.in.kind !== 'artnet' ||
    config.out.every(out => out.kind !== 'artnet' || !out.to.endsWith('255')),
  {
    path: ['out'],
    message:
      'cannot send Art-Net to everybody where Art-Net is followed: the box would follow itself',
  },
)

export type TimecodeConfig = Of<typeof timecodeConfig>
export type TimecodeSourceConfig = NonNullable<TimecodeConfig['in']>
export type TimecodeOutputConfig = TimecodeConfig['out'][number]
export type LtcOutputConfig = Extract<TimecodeOutputConfig, { readonly kind: 'ltc' }>

function isLabelAt(text: string, at: TimecodeRate): boolean {
  const label = readLabel(text)
  return label !== null && frameOfLabel(label, at) !== null
}
