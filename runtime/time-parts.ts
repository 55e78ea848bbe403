/**
 * What a box has beside its show where box.json asks for it: time shared with other boxes, the date, timecode, sound, and
 * the other boxes. Loaded only where it is asked for: a box that is alone neither waits for it nor carries it.
 */
import { resolve } from 'node:path'
import { LinuxDateKeepers } from '../drivers/linux/date-keepers.js'
import type { BoxConfig } from './config.js'
import type { Clock } from './ports/clock.js'
import type { DateKeepers } from './ports/date-keepers.js'
import type { Log } from './ports/log.js'
import type { NtpNetwork } from './ports/ntp-socket.js'
import type { PtpDaemon } from './ports/ptp-daemon.js'
import type { PtpLink } from './ports/ptp-link.js'
import type { SoundOut } from './ports/sound.js'
import type { TimeDaemon } from './ports/time-daemon.js'
import type { TimecodeLinks } from './ports/timecode-links.js'
import type { VenueLink } from './ports/venue-link.js'
import type { WallTimeline } from './ports/wall-timeline.js'

/** What the date is known by. */
export interface DateParts {
  readonly timeline: WallTimeline
  readonly keepers: DateKeepers
  /** Null where nobody is asked for it, and nobody told. */
  readonly ways: { readonly network: NtpNetwork; readonly daemon: TimeDaemon } | null
}

export interface VenueGround {
  readonly link: VenueLink
  readonly key: Uint8Array
}

/** Each is null where box.json names none. */
export interface TimeParts {
  /** The network on which the boxes share their time. */
  readonly ptpLink: PtpLink | PtpDaemon | null
  /** The network of the house's clock. */
  readonly houseLink: PtpLink | null
  readonly date: DateParts
  readonly timecodeLinks: TimecodeLinks | null
  readonly sound: SoundOut | null
  /** The other boxes with which this one plays one show. */
  readonly venue: VenueGround | null
}

export interface TimePartsOptions {
  readonly stateFolder: string
  readonly venueKey: Uint8Array | null
  /** On a machine that is somebody's computer: chrony leaves its date alone then. */
  readonly isTried: boolean
}

export async function openTimeParts(
  clock: Clock & WallTimeline,
  log: Log & Pick<WallTimeline, 'followWall'>,
  config: BoxConfig,
  options: TimePartsOptions,
): Promise<TimeParts> {
  const { house, ptp } = config.clock
  const { click } = config.tempo
  return {
    ptpLink: ptp && (await ptpLink(clock, log, ptp, options)),
    houseLink: house && (await ownPort(clock, house.interface)),
    date: await dateParts(clock, log, config.clock.ntp, options),
    timecodeLinks: await timecodeLinks(clock, config),
    sound: click && (await sound(clock, click.device)),
    venue: await venueGround(clock, config, options),
  }
}

async function ptpLink(
  clock: Clock,
  log: Log,
  ptp: NonNullable<BoxConfig['clock']['ptp']>,
  { stateFolder }: TimePartsOptions,
): Promise<PtpLink | PtpDaemon> {
  const { ptpSource } = await import('./ptp-source.js')
  return ptpSource(clock, log, ptp, stateFolder)
}

async function ownPort(clock: Clock, interfaceName: string): Promise<PtpLink> {
  const { LinuxPtpLink } = await import('../drivers/linux/ptp-link.js')
  return new LinuxPtpLink(clock, interfaceName)
}

/** @param log its lines have the date of the box, too */
export async function dateParts(
  clock: Clock & WallTimeline,
  log: Pick<WallTimeline, 'followWall'>,
  ntp: BoxConfig['clock']['ntp'],
  options: Pick<TimePartsOptions, 'stateFolder' | 'isTried'>,
): Promise<DateParts> {
  const timeline: WallTimeline = {
    systemAt: at => clock.systemAt(at),
    followWall: mapping => {
      clock.followWall(mapping)
      log.followWall(mapping)
    },
  }
  const ways = ntp === null ? null : await dateWays(clock, options)
  return { timeline, keepers: new LinuxDateKeepers(), ways }
}

async function dateWays(
  clock: Clock,
  { stateFolder, isTried }: Pick<TimePartsOptions, 'stateFolder' | 'isTried'>,
): Promise<DateParts['ways']> {
  const { LinuxChrony } = await import('../drivers/linux/chrony.js')
  const { LinuxNtpNetwork } = await import('../drivers/linux/ntp-network.js')
  return {
    network: new LinuxNtpNetwork(clock),
    daemon: new LinuxChrony(clock, { folder: resolve(stateFolder), maySetSystem: !isTried }),
  }
}

async function timecodeLinks(clock: Clock, { timecode }: BoxConfig): Promise<TimecodeLinks | null> {
  if (timecode.in === null && timecode.out.length === 0) return null
  const { LinuxTimecodeLinks } = await import('../drivers/linux/timecode-links.js')
  return new LinuxTimecodeLinks(clock)
}

async function sound(clock: Clock, device: string): Promise<SoundOut> {
  const { Aplay } = await import('../drivers/linux/aplay.js')
  return new Aplay(clock, device)
}

async function venueGround(
  clock: Clock,
  { venue }: BoxConfig,
  { venueKey: key }: TimePartsOptions,
): Promise<VenueGround | null> {
  if (venue === null || key === null) return null
  const { LinuxVenueLink } = await import('../drivers/linux/venue-link.js')
  return { link: new LinuxVenueLink(clock, venue.interface, venue.port), key }
}

/** For a box that is only played: it has none of it, and its date is the clock's. */
export const noTimeParts = (clock: Clock, keepers: DateKeepers): TimeParts => ({
  ptpLink: null,
  houseLink: null,
  date: { timeline: { systemAt: () => clock.wallTimeMs(), followWall() {} }, keepers, ways: null },
  timecodeLinks: null,
  sound: null,
  venue: null,
})
