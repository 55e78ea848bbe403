/** The evening in words: when the packs are empty, and whether the show is over by then. Pure. */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MINUTES = 1_440
/** A show that was to end less than so long ago is still on. */
const OVERRUN_MS = 3 * HOUR_MS
const CALENDAR_MS_MAX = 8.64e15

/** By the venue's clock. */
export interface TimeOfDay {
  readonly hour: number
  readonly minute: number
}

/** Tells the time of day where the box stands. */
export class VenueClock {
  readonly #timeZone: string | null
  #format: Intl.DateTimeFormat | null = null

  /** @param timeZone an IANA name; null: that of the machine */
  constructor(timeZone: string | null) {
    this.#timeZone = timeZone
  }

  timeOfDay(wallMs: number): TimeOfDay {
    // Made once, when it is first needed: making one costs a thousand times as much as using it.
    this.#format ??= new Intl.DateTimeFormat('en-GB', {
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      ...(this.#timeZone === null ? {} : { timeZone: this.#timeZone }),
    })
    const parts = this.#format.formatToParts(
      Math.min(CALENDAR_MS_MAX, Math.max(-CALENDAR_MS_MAX, wallMs)),
    )
    const numberOf = (type: 'hour' | 'minute'): number =>
      Number(parts.find(part => part.type === type)?.value ?? 0)
    return { hour: numberOf('hour'), minute: numberOf('minute') }
  }
}

const minutesOf = ({ hour, minute }: TimeOfDay): number => hour * 60 + minute

/**
 * When the show ends: the moment of that time of day that comes next, or that was less than three hours ago.
 * @param showEnds like `23:00`
 */
export function showEndMs(wallMs: number, showEnds: string, venue: VenueClock): number {
  const [hour = 0, minute = 0] = showEnds.split(':').map(Number)
  const wanted = hour * 60 + minute
  const from = Math.floor((wallMs - OVERRUN_MS) / MINUTE_MS) * MINUTE_MS
  const ahead = wrapped(wanted - minutesOf(venue.timeOfDay(from)))
  const found = from + ahead * MINUTE_MS
  // Clocks that were set forward or back in between are off by an hour, one way or the other.
  const off = wanted - minutesOf(venue.timeOfDay(found))
  return found + nearest(off) * MINUTE_MS
}

const wrapped = (minutes: number): number => ((minutes % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES

const nearest = (minutes: number): number => {
  const ahead = wrapped(minutes)
  return ahead > DAY_MINUTES / 2 ? ahead - DAY_MINUTES : ahead
}

export interface Outlook {
  readonly wallMs: number
  readonly isExternal: boolean | null
  readonly isCharging: boolean | null
  readonly percent: number | null
  readonly secondsToEmpty: number | null
  readonly secondsToEmptyMin: number | null
  readonly secondsToFull: number | null
}

export interface Forecast {
  readonly emptyAtWallMs: number | null
  readonly showEndsAtWallMs: number | null
  readonly isEnough: boolean | null
  readonly forecast: string | null
}

/** Later than this a time of day would be read as that of today. */
const CLOCK_SECONDS_MAX = 20 * 3600

/** @param showEnds null: nobody said */
export function forecastOf(outlook: Outlook, showEnds: string | null, venue: VenueClock): Forecast {
  const { wallMs, secondsToEmpty, secondsToEmptyMin } = outlook
  const showEndsAtWallMs = showEnds === null ? null : showEndMs(wallMs, showEnds, venue)
  const emptyAtWallMs = secondsToEmpty === null ? null : wallMs + secondsToEmpty * 1000
  const safeUntil = secondsToEmptyMin === null ? null : wallMs + secondsToEmptyMin * 1000
  const isEnough =
    showEndsAtWallMs === null || safeUntil === null ? null : safeUntil >= showEndsAtWallMs
  const words = wordsFor(outlook, venue)
  const forecast = words && (showEnds === null ? words : `${words}; show ends ${showEnds}`)
  return { emptyAtWallMs, showEndsAtWallMs, isEnough, forecast }
}

function wordsFor(outlook: Outlook, venue: VenueClock): string | null {
  const { wallMs, secondsToEmpty, secondsToFull, isCharging, isExternal } = outlook
  if (secondsToEmpty !== null) {
    if (secondsToEmpty > CLOCK_SECONDS_MAX)
      return `empty in ${Math.round(secondsToEmpty / 3600)} hours at this load`
    return `empty at ${clockText(wallMs + secondsToEmpty * 1000, venue)} at this load`
  }
  if (isCharging === true)
    return secondsToFull === null
      ? 'charging'
      : `charging, full in about ${durationText(secondsToFull)}`
  return isExternal === true ? 'on mains' : null
}

function clockText(wallMs: number, venue: VenueClock): string {
  const { hour, minute } = venue.timeOfDay(wallMs)
  return `${two(hour)}:${two(minute)}`
}

const two = (value: number): string => String(value).padStart(2, '0')

/** To five minutes: more would be a lie. */
function durationText(seconds: number): string {
  const minutes = Math.max(5, Math.round(seconds / 300) * 5)
  const hours = Math.floor(minutes / 60)
  const rest = minutes % 60
  if (hours === 0) return `${rest} min`
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`
}
