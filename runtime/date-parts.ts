/** What a box knows the date by: the parts of the machine, and the service that they make. */
import { LinuxDateKeepers } from '../drivers/linux/date-keepers.js'
import { LinuxNtpNetwork } from '../drivers/linux/ntp-network.js'
import { SimulatedDateKeepers } from '../drivers/simulated/date-keepers.js'
import { SimulatedInternet, SimulatedNtpNetwork } from '../drivers/simulated/ntp-network.js'
import type { Bus } from './core/bus.js'
import type { NtpConfig } from './core/ntp-config.js'
import { randomFrom } from './core/random.js'
import type { Machine } from './machine.js'
import type { Clock } from './ports/clock.js'
import type { DateKeepers } from './ports/date-keepers.js'
import type { NtpNetwork } from './ports/ntp-socket.js'
import type { WallTimeline } from './ports/wall-timeline.js'
import { EmbeddedTime, type EmbeddedTimeOptions } from './services/clock/wall/embedded-time.js'
import { networkOf } from './services/clock/wall/networks.js'
import { type AskedHost, NTP_PORT } from './services/clock/wall/time-asker.js'
import { noEngine } from './services/clock/wall/time-engine.js'
import { WallClock } from './services/clock/wall-clock.js'
import type { Messages } from './topics.js'

/** 2026-11-22 00:00 UTC: every box that runs this release runs it later than that. Raised with each release. */
const RELEASED_MS = 1_795_305_600_000

/** Of one address: a venue's boxes ask once a second, and some of them at their start more often. */
const QUESTIONS = { questionsPerSecond: 32, burst: 64, clientsMax: 4_096 } as const
const LOOPBACK = '127.0.0.0/8'

export interface DateParts {
  readonly timeline: WallTimeline
  readonly network: NtpNetwork
  readonly keepers: DateKeepers
}

export const linuxDateParts = (clock: Clock & WallTimeline): DateParts => ({
  timeline: clock,
  network: new LinuxNtpNetwork(clock),
  keepers: new LinuxDateKeepers(),
})

/** For a box that is only played: it follows nobody, and its date is the clock's. */
export const playedDateParts = (clock: Clock): DateParts => ({
  timeline: { systemAt: () => clock.wallTimeMs(), followWall() {} },
  network: new SimulatedNtpNetwork(clock, new SimulatedInternet(clock, () => null), '127.0.0.1'),
  keepers: new SimulatedDateKeepers(),
})

export function buildWallClock(
  machine: Pick<Machine, 'clock' | 'log' | 'files' | 'keys' | 'date' | 'bootId'>,
  bus: Bus<Messages>,
  ntp: NtpConfig | null,
  boot: number,
): WallClock {
  const { clock, log, files, keys, date, bootId } = machine
  const { timeline, network, keepers } = date
  return new WallClock(
    { clock, log, bus, files, timeline, keepers },
    {
      releasedMs: RELEASED_MS,
      isLocalSource: ntp?.isLocalSource ?? false,
      isFollower: ntp !== null && ntp.follow !== null,
      bootId,
      engine: async (served, floorMs) => {
        if (ntp === null) return noEngine
        const options = embeddedOptions(ntp, boot, floorMs)
        return new EmbeddedTime({ clock, log, network, keys }, served, options)
      },
    },
  )
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
  return servers.map(({ host, isPool }) => ({ host, port: NTP_PORT, isPool, isLeader: false }))
}
