/** The schema of `ota.json`: where the releases of a box come from, and when it may take one. */
import { ConfigError } from '../../runtime/core/errors.js'
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
  type Of,
  object,
  oneOf,
  pattern,
  string,
  withDefault,
} from '../../runtime/core/schema.js'

const url = pattern(
  /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/i,
  'like https://releases.example.org/roadcase, without user, query or fragment',
  512,
)
const folder = string({ min: 1, max: 1024 })

const policy = object({
  /** `manual`: prepared, and then it waits for `roadcase ota apply`. */
  activation: withDefault(oneOf('automatic', 'manual'), 'automatic'),
  /** Of the box's own battery, while it is not on mains. */
  batteryPercentMin: withDefault(integer({ min: 0, max: 100 }), 40),
  /** Whether a release may be fetched over an uplink that costs money. */
  mayUseMetered: withDefault(boolean, false),
  /** So many of the other boxes that are heard must be well before this one goes away for a moment. */
  fleetHealthyPercentMin: withDefault(integer({ min: 0, max: 100 }), 75),
  /** So many others may have gone back from a release before this box does not try it any more. */
  fleetFailedMax: withDefault(integer({ min: 0, max: 1_000 }), 1),
  /** As many, of an operating system: one that fails may leave a box dark. */
  fleetSystemFailedMax: withDefault(integer({ min: 0, max: 1_000 }), 0),
})

const gate = object({
  /** From the start of a new release until it has to have proven itself. */
  deadlineSeconds: withDefault(integer({ min: 20, max: 900 }), 60),
  /** Other boxes of the venue must be heard. */
  needsPeers: withDefault(boolean, false),
  /** The repository must be reached. */
  needsHub: withDefault(boolean, false),
})

const venue = object({
  /** Boxes that switch together, this one included; empty: those that are heard. */
  boxes: withDefault(list(name, { max: 64 }), []),
  /** Where the boxes hear each other: the broker of the venue. `own`: that of this box. */
  broker: withDefault(
    choice(
      'kind',
      object({ kind: literal('own') }),
      object({
        kind: literal('other'),
        url: pattern(
          /^mqtts?:\/\/[^\s/?#@]+$/i,
          'like mqtts://broker.venue:8883, without a user',
          256,
        ),
        username: withDefault(nullable(string({ max: 128 })), null),
        passwordFile: withDefault(nullable(folder), null),
        certificateAuthority: withDefault(nullable(folder), null),
        /** What this box shows of itself, as PEM; both or none. Read again at each connection. */
        certificate: withDefault(nullable(folder), null),
        key: withDefault(nullable(folder), null),
      }),
    ),
    { kind: 'own' },
  ),
  /** On which this box gives pieces of releases to the others. */
  port: withDefault(integer({ min: 0, max: 65_535 }), 4320),
})

/** Numbers of one digit, since the file that chooses has room for one. */
const system = object({
  /** Of the partition table, as the firmware counts. */
  partition: integer({ min: 1, max: 9 }),
  /** Devices of whole partitions. */
  boot: folder,
  root: folder,
})
const labelled = (name: 'a' | 'b', partition: number) => ({
  partition,
  boot: `/dev/disk/by-partlabel/boot-${name}`,
  root: `/dev/disk/by-partlabel/root-${name}`,
})

/** A Raspberry Pi whose firmware tries a system for one boot. */
const tryboot = object({
  kind: literal('tryboot'),
  /** Where the partition with autoboot.txt is mounted, writable. */
  autobootFolder: withDefault(folder, '/boot/autoboot'),
  a: withDefault(system, labelled('a', 2)),
  b: withDefault(system, labelled('b', 3)),
})

/** An image that has RAUC, which knows the slots itself. */
const rauc = object({ kind: literal('rauc') })

const config = object({
  schemaVersion: literal(1),
  tour: name,
  box: name,
  /** Mirrors of one repository, best first. */
  repositories: withDefault(list(url, { max: 8 }), []),
  /** Folders in which a stick with the repository may turn up. */
  sticks: withDefault(list(folder, { max: 8 }), ['/media/roadcase']),
  checkMinutes: withDefault(integer({ min: 1, max: 10_080 }), 60),
  /** Everything that comes over the uplink costs money. */
  isMetered: withDefault(boolean, false),
  policy: withDefault(policy, policy.parse({})),
  gate: withDefault(gate, gate.parse({})),
  venue: withDefault(nullable(venue), null),
  /** The two operating systems; null: this box updates none. */
  os: withDefault(nullable(choice('kind', tryboot, rauc)), null),
})

export type UpdaterConfig = Readonly<Of<typeof config>>
export type TrybootConfig = Readonly<Of<typeof tryboot>>
export type UpdaterPolicy = Readonly<Of<typeof policy>>

/**
 * @param locate finds places in the text that the value was read from, so that problems name line and column
 * @throws ConfigError with every field that is wrong
 */
export function checkUpdaterConfig(value: unknown, locate: Locate = () => null): UpdaterConfig {
  const checked = check(config, value, 'ota', { locate })
  const problems = checked.repositories.flatMap((address, at) =>
    URL.canParse(address)
      ? []
      : [
          {
            path: `ota.repositories[${at}]`,
            message: `must have a host, and a port up to 65535 or none, is "${address}"`,
            place: locate(['repositories', at]),
          },
        ],
  )
  if (problems.length > 0) throw new ConfigError(problems)
  return checked
}
