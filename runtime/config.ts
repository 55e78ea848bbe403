/** The schema of `box.json`, its defaults and its numbered upgrades. Checked once, at start. */
import { ConfigError } from './core/errors.js'
import { problemWith } from './core/folder-files.js'
import { ntpConfig } from './core/ntp-config.js'
import {
  boolean,
  check,
  choice,
  integer,
  type Locate,
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
  table,
  unknown,
  withDefault,
} from './core/schema.js'
import { tempoConfig } from './core/tempo-config.js'
import { timecodeConfig } from './core/timecode-config.js'
import { venueConfig } from './core/venue-config.js'

/** 0 lets the kernel choose: for tests. */
const listenPort = integer({ min: 0, max: 65_535 })
const path = string({ min: 1, max: 256 })
/** Read and watched by the box: in the folder of box.json or below it. */
const fileBeside = path.refine(
  file => problemWith(file) === null,
  'must be a file in the folder of box.json or below it, like tls/box.pem: no leading slash, no ".." step',
)

export const device = object({
  name,
  driver: name,
  /** Checked by the driver's own schema in the catalogue. */
  options: withDefault(table(string({ max: 64 }), unknown, { max: 64 }), {}),
})

const brokerLimits = object({
  packetBytesMax: withDefault(integer({ min: 1024, max: 16_777_216 }), 262_144),
  connectionsMax: withDefault(integer({ min: 1, max: 10_000 }), 256),
  connectionsPerAddressMax: withDefault(integer({ min: 1, max: 10_000 }), 64),
  connectMs: withDefault(integer({ min: 100, max: 60_000 }), 3_000),
  keepaliveSecondsMax: withDefault(integer({ min: 5, max: 65_535 }), 120),
  publishesPerSecond: withDefault(integer({ min: 1, max: 100_000 }), 500),
  subscriptionsPerClientMax: withDefault(integer({ min: 1, max: 10_000 }), 100),
  queuedPerSessionMax: withDefault(integer({ min: 0, max: 100_000 }), 1_000),
  sessionsMax: withDefault(integer({ min: 1, max: 100_000 }), 1_000),
  sessionExpiryHours: withDefault(integer({ min: 1, max: 8_760 }), 168),
  retainedMax: withDefault(integer({ min: 1, max: 1_000_000 }), 10_000),
})

/** What a client may do: see docs/operating.md, "Who may do what". */
export const brokerRole = oneOf('box', 'driver', 'view', 'operate', 'hub')

/** `all` is whoever hears: `vb/<tour>/all/cue`. */
const boxName = name.refine(value => value !== 'all', { message: 'must not be "all": no box is' })

const embeddedBroker = object({
  kind: literal('embedded'),
  /** MQTT without TLS, on 127.0.0.1 only. */
  port: withDefault(listenPort, 1883),
  /** MQTT over TLS with client certificates, on all addresses; off when null. */
  tls: withDefault(
    nullable(
      object({
        port: withDefault(listenPort, 8883),
        certificate: fileBeside,
        key: fileBeside,
        clientAuthority: fileBeside,
        /** Newline-separated serial numbers or names that are no longer welcome. */
        revoked: withDefault(nullable(fileBeside), null),
        /** Names in certificates of other boxes of the tour: they have the role `box`, everybody else `driver`. */
        boxes: withDefault(list(boxName, { max: 512 }), []),
      }),
    ),
    null,
  ),
  /** MQTT over WebSocket at /mqtt, on 127.0.0.1 unless TLS is configured; off when null. */
  webSocketPort: withDefault(nullable(listenPort), null),
  limits: withDefault(brokerLimits, brokerLimits.parse({})),
})

const externalBroker = object({
  kind: literal('external'),
  /** `mqtt://127.0.0.1:1883` for a local Mosquitto; `mqtts://` with TLS; `ws://` and `wss://` at `/mqtt`, or the path given. */
  url: pattern(
    /^(mqtts?|wss?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?(\/[^\s?#]*)?$/i,
    'like mqtt://host:1883, mqtts://host:8883, ws://host:80/mqtt or wss://host:443/mqtt, without a user',
    256,
  ),
  username: withDefault(nullable(string({ max: 128 })), null),
  /** File that holds the password and nothing else. */
  passwordFile: withDefault(nullable(fileBeside), null),
  /** Who signed the broker's certificate, as PEM; null: whom this machine trusts. */
  certificateAuthority: withDefault(nullable(fileBeside), null),
  /** What this box shows of itself, as PEM; both or none. Read again at each connection. */
  certificate: withDefault(nullable(fileBeside), null),
  key: withDefault(nullable(fileBeside), null),
}).refine(({ username, passwordFile }) => username !== null || passwordFile === null, {
  path: ['username'],
  message: 'is missing: passwordFile needs it (MQTT 3.1.1, section 3.1.2.9)',
})

const broker = choice('kind', embeddedBroker, externalBroker)

const page = object({
  port: withDefault(listenPort, 8080),
  /** `loopback`: this machine only. `venue`: every address; operating then needs the operator token. */
  reach: withDefault(oneOf('loopback', 'venue'), 'loopback'),
})

const chord = object({
  name,
  /** Inputs that must be down together. */
  inputs: list(name, { min: 2, max: 8 }),
  /** How far apart the first and the last press may be. */
  withinMs: withDefault(integer({ min: 10, max: 5_000 }), 500),
  /** How long they must be held together. */
  holdMs: withDefault(integer({ min: 0, max: 60_000 }), 0),
})

const show = object({
  /** File of the show document, beside box.json. */
  file: path,
  /** How far ahead outputs are handed to the threads that fire: for so long the main thread may be blocked. */
  planAheadMs: withDefault(integer({ min: 10, max: 5_000 }), 1_200),
  /** How often a fade is refreshed. */
  framesPerSecond: withDefault(integer({ min: 10, max: 100 }), 40),
  /** A GO is planned so far ahead that every box hears of it in time; 0 for a box alone. */
  leadMs: withDefault(integer({ min: 0, max: 5_000 }), 0),
})

const printing = object({
  /** Templates beside box.json, besides those that come with the runtime; one of the same name takes its place. */
  templates: withDefault(list(fileBeside, { max: 64 }), []),
  /** PNG files that tickets may show, by name. */
  images: withDefault(table(name, fileBeside, { max: 32 }), {}),
  /** Length of a new roll, by printer, to tell for how many tickets the paper lasts. */
  rollMetres: withDefault(table(name, number({ min: 1, max: 1_000 }), { max: 32 }), {}),
  /** Jobs that wait, of all printers together; more are refused. */
  queuedMax: withDefault(integer({ min: 1, max: 20_000 }), 10_000),
  /** How long a finished job is remembered, and its key with it. */
  keptDays: withDefault(integer({ min: 1, max: 365 }), 30),
  /** Finished jobs beyond so many are forgotten earlier, the oldest first. */
  keptMax: withDefault(integer({ min: 100, max: 100_000 }), 20_000),
})

const percent = integer({ min: 0, max: 100 })
const minutes = integer({ min: 0, max: 1_440 })

const pack = object({
  name,
  /** A gauge among the devices, and which of its packs. */
  gauge: name,
  channel: withDefault(integer({ min: 0, max: 3 }), 0),
  chemistry: withDefault(oneOf('li-ion', 'lifepo4', 'lead-acid'), 'li-ion'),
  /** In series. */
  cells: withDefault(integer({ min: 1, max: 16 }), 1),
  milliampHours: integer({ min: 100, max: 1_000_000 }),
  /** Of the pack and its leads, until the box has learned it. */
  milliohms: withDefault(integer({ min: 1, max: 10_000 }), 80),
})

const powerPolicy = object({
  /** Below so many percent, or so many minutes; each stage until it is better by `hysteresisPercent`. */
  warnPercent: withDefault(percent, 30),
  warnMinutes: withDefault(minutes, 30),
  shedPercent: withDefault(percent, 20),
  shedMinutes: withDefault(minutes, 15),
  protectPercent: withDefault(percent, 10),
  protectMinutes: withDefault(minutes, 8),
  shutdownPercent: withDefault(percent, 5),
  shutdownMinutes: withDefault(minutes, 3),
  /** The voltage rule: the only one that may power the box off while a show is armed. */
  shutdownCellMillivolts: withDefault(nullable(integer({ min: 1_000, max: 4_000 })), null),
  hysteresisPercent: withDefault(integer({ min: 1, max: 20 }), 3),
  /** So many samples in a row make a stage. */
  samples: withDefault(integer({ min: 1, max: 60 }), 3),
  /** What is left of all light in the stage `shed` and below. */
  shedLightCap: withDefault(number({ min: 0.1, max: 1 }), 0.5),
  /** Whether the box may switch itself off at all. */
  mayShutDown: withDefault(boolean, true),
})

const nutServer = object({
  port: withDefault(listenPort, 3493),
  reach: withDefault(oneOf('loopback', 'venue'), 'loopback'),
})

const power = object({
  packs: list(pack, { min: 1, max: 8 }),
  policy: withDefault(powerPolicy, powerPolicy.parse({})),
  /** By the venue's clock, for the forecast: `23:00`. */
  showEnds: withDefault(
    nullable(pattern(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day like 23:00', 5)),
    null,
  ),
  /** Read-only Network UPS Tools server; off when null. */
  nut: withDefault(nullable(nutServer), null),
})

const interfaceName = pattern(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/,
  'the name of an interface like eth0',
  15,
)

const ptp = object({
  /** The interface to the other boxes: `eth0`. */
  interface: interfaceName,
  /** A domain of our own neither disturbs nor obeys the clocks of the house: theirs is 0, or 127 for video. */
  domain: withDefault(integer({ min: 0, max: 127 }), 42),
  /** Leads where no other box knows the time better. */
  isPreferred: withDefault(boolean, false),
  /** Never leads: for the house's own clock, in its domain. */
  isFollowOnly: withDefault(boolean, false),
  /** Who speaks PTP. ptp4l uses the stamps of hardware, and would serve a clock of its own if it led. */
  engine: withDefault(oneOf('auto', 'own', 'ptp4l'), 'auto'),
}).refine(({ engine, isFollowOnly }) => engine !== 'ptp4l' || isFollowOnly, {
  path: ['engine'],
  message: 'must not be ptp4l where the box may lead: set isFollowOnly',
})

const houseClock = object({
  interface: interfaceName,
  /** 0 is that of audio networks, 127 of video. */
  domain: withDefault(integer({ min: 0, max: 127 }), 0),
})

export const boxConfigSchema = object({
  schemaVersion: literal(1),
  tour: name,
  box: name,
  devices: withDefault(list(device, { max: 128 }), []),
  chords: withDefault(list(chord, { max: 16 }), []),
  show: withDefault(nullable(show), null),
  printing: withDefault(printing, printing.parse({})),
  /** Null: the box does not know what it runs on. */
  power: withDefault(nullable(power), null),
  clock: withDefault(
    object({
      /** Precision Time Protocol with the other boxes of the venue; null: this box has a timeline to itself. */
      ptp: withDefault(nullable(ptp), null),
      /** Network Time Protocol: where the date comes from, and who is told; null: the system's date is shown as it is. */
      ntp: withDefault(nullable(ntpConfig), null),
      /** The house's own clock, told beside the show time; null: nobody asks for it. */
      house: withDefault(nullable(houseClock), null),
    }),
    { ptp: null, ntp: null, house: null },
  ),
  tempo: withDefault(tempoConfig, tempoConfig.parse({})),
  /** Timecode that the box follows, and that it sends. */
  timecode: withDefault(timecodeConfig, { in: null, out: [] }),
  /** The other boxes of the venue, with which this one plays one show; null: it plays alone. */
  venue: withDefault(nullable(venueConfig(fileBeside)), null),
  broker: withDefault(broker, embeddedBroker.parse({ kind: 'embedded' })),
  page: withDefault(page, page.parse({})),
  homeAssistant: withDefault(
    object({
      isEnabled: boolean,
      /** What Home Assistant calls its discovery prefix. A wildcard in it would open the trees of others. */
      prefix: withDefault(
        pattern(
          /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+){0,3}$/,
          'a topic of letters, digits, dashes and underscores, like homeassistant',
          64,
        ),
        'homeassistant',
      ),
    }),
    { isEnabled: false, prefix: 'homeassistant' },
  ),
  /** The way to the board's lines; `auto` looks and prefers the character device. */
  gpio: withDefault(oneOf('auto', 'chardev', 'sysfs'), 'auto'),
  /** Outputs go to their safe state when the main thread has been silent for so long. */
  heartbeatMs: withDefault(integer({ min: 500, max: 60_000 }), 3_000),
})

export type BoxConfig = Of<typeof boxConfigSchema>
export type EmbeddedBrokerConfig = Of<typeof embeddedBroker>
export type ExternalBrokerConfig = Of<typeof externalBroker>
export type BrokerLimits = Of<typeof brokerLimits>
export type PrintingConfig = Of<typeof printing>
export type PowerConfig = Of<typeof power>
export type PageConfig = BoxConfig['page']

/** One step per version, run in order: `upgrades[0]` makes a version 2 of a version 1. None so far. */
const upgrades: readonly ((config: Record<string, unknown>) => Record<string, unknown>)[] = []
export const schemaVersion = upgrades.length + 1

/**
 * @param locate finds places in the text that the value was read from, so that problems name line and column
 * @throws ConfigError with every problem found; a file from a newer runtime is refused
 */
export function readBoxConfig(value: unknown, locate: Locate = () => null): BoxConfig {
  const version = versionOf(value)
  if (version !== null && version > schemaVersion)
    throw new ConfigError([
      {
        path: 'box.schemaVersion',
        message: `must be at most ${schemaVersion}, is ${version}: this file is for a newer runtime`,
        place: locate(['schemaVersion']),
      },
    ])
  let config = value
  for (const upgrade of version === null ? [] : upgrades.slice(version - 1))
    if (isObject(config)) config = upgrade(config)
  return check(boxConfigSchema, config, 'box', { locate })
}

function versionOf(config: unknown): number | null {
  const version = isObject(config) ? config['schemaVersion'] : null
  return typeof version === 'number' && Number.isInteger(version) && version >= 1 ? version : null
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
