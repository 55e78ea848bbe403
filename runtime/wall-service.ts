/** The service that knows the date, and whom it asks. */
import type { Bus } from './core/bus.js'
import type { NtpConfig } from './core/ntp-config.js'
import { randomFrom } from './core/random.js'
import type { Machine } from './machine.js'
import type { EmbeddedTimeOptions } from './services/clock/wall/embedded-time.js'
import { NTP_PORT, networkOf } from './services/clock/wall/networks.js'
import type { AskedHost } from './services/clock/wall/time-asker.js'
import { type KnownDate, noEngine, type TimeEngine } from './services/clock/wall/time-engine.js'
import type { Served } from './services/clock/wall/time-server.js'
import { WallClock } from './services/clock/wall-clock.js'
import type { DateParts } from './time-parts.js'
import type { Messages } from './topics.js'

/** 2026-11-22 00:00 UTC: every box that runs this release runs it later than that. Raised with each release. */
const RELEASED_MS = 1_795_305_600_000

/** Of one address: a venue's boxes ask once a second, and some of them at their start more often. */
const QUESTIONS = { questionsPerSecond: 32, burst: 64, clientsMax: 4_096 } as const
const LOOPBACK = '127.0.0.0/8'

type DateMachine = Pick<Machine, 'clock' | 'log' | 'files' | 'keys' | 'date' | 'bootId'>

export function buildWallClock(
  machine: DateMachine,
  bus: Bus<Messages>,
  ntp: NtpConfig | null,
  boot: number,
): WallClock {
  const { clock, log, files, date, bootId } = machine
  const { timeline, keepers } = date
  return new WallClock(
    { clock, log, bus, files, timeline, keepers },
    {
      releasedMs: RELEASED_MS,
      isLocalSource: ntp?.isLocalSource ?? false,
      isFollower: ntp !== null && ntp.follow !== null,
      bootId,
      engine: async (served, known) =>
        ntp === null || date.ways === null
          ? noEngine
          : chooseEngine(machine, date.ways, { ntp, boot, served, known }),
    },
  )
}

interface EngineWanted {
  readonly ntp: NtpConfig
  readonly boot: number
  readonly served: Served
  readonly known: KnownDate
}

/** chrony where there is one: it has the kernel's stamps both ways, NTS, and may set the system's date. */
async function chooseEngine(
  { clock, log, keys, date }: DateMachine,
  { network, daemon }: NonNullable<DateParts['ways']>,
  { ntp, boot, served, known }: EngineWanted,
): Promise<TimeEngine> {
  const found = ntp.engine === 'embedded' ? null : await daemon.find()
  if (found !== null && found.kind !== 'absent') {
    log.info('wall.chrony', { found: found.kind })
    const { ChronyTime } = await import('./services/clock/wall/chrony-time.js')
    return new ChronyTime({ clock, log, daemon, timeline: date.timeline }, ntp, found, known)
  }
  if (ntp.engine === 'chrony') log.warn('wall.no-chrony', { instead: 'embedded' })
  for (const { host, isNts } of ntp.servers) if (isNts) log.warn('wall.nts-needs-chrony', { host })
  const options = embeddedOptions(ntp, boot, known.floorMs)
  const { EmbeddedTime } = await import('./services/clock/wall/embedded-time.js')
  return new EmbeddedTime({ clock, log, network, keys }, served, options)
}

function embeddedOptions(
  { servers, follow, serve, allow, port }: NtpConfig,
  boot: number,
  floorMs: () => number,
): EmbeddedTimeOptions {
  const address = serve === 'loopback' ? '127.0.0.1' : '0.0.0.0'
  const allowed = [LOOPBACK, ...(serve === 'venue' ? allow : [])]
  return {
    asker: { hosts: hostsOf(servers, follow, port), random: randomFrom(boot), floorMs },
    server:
      serve === 'off'
        ? null
        : {
            at: { address, port },
            allowed: allowed.flatMap(text => networkOf(text) ?? []),
            ...QUESTIONS,
          },
  }
}

/** Who follows a box of the venue asks nobody else: two ways to the date would not agree to the millisecond. */
function hostsOf(
  servers: NtpConfig['servers'],
  follow: string | null,
  port: number,
): readonly AskedHost[] {
  if (follow !== null) return [{ host: follow, port, isPool: false, isLeader: true }]
  // One that was to be asked with NTS is not asked without it.
  return servers
    .filter(({ isNts }) => !isNts)
    .map(({ host, isPool }) => ({ host, port: NTP_PORT, isPool, isLeader: false }))
}
