/** Whom the date is taken from, whether it is UTC, how far it may be off, and what is said of it to others. */
import type { MonotonicMs } from '../../../ports/clock.js'
import { type Leap, referenceOf, STRATUM_MAX } from './ntp-packet.js'
import { noStanding, type Standing } from './ntp-server.js'

/**
 * `ntp`: time servers. `leader`: the box of the venue that others follow. `system`: the operating system's own time service.
 * `technician`: a person has set it. `rtc`: the machine's clock with a battery. `floor`: nobody; it is later than that.
 */
export type WallSource = 'ntp' | 'leader' | 'system' | 'technician' | 'rtc' | 'floor'

export interface Claim {
  readonly source: WallSource
  /** When it was found, and what it may have been off then. */
  readonly at: MonotonicMs
  readonly errorMs: number
  /** Of the own clock, as it is told to others. */
  readonly stratum: number
  readonly rootDelayMs: number
  readonly rootDispersionMs: number
  readonly leap: Leap
  readonly referenceId: number
}

export interface Trust {
  readonly source: WallSource
  readonly isUtcKnown: boolean
  /** Null: nobody knows. */
  readonly errorMs: number | null
  /** Null for the floor. */
  readonly claim: Claim | null
}

/** From here on a date is a venue's own: who follows it has the venue's date, which need not be UTC. */
export const LOCAL_STRATUM = 10

/** What is served of a date that did not come by NTP; below `LOCAL_STRATUM` also for who follows a follower. */
export const strata = { system: 6, technician: 7, rtc: 7 } as const

const UNCONFIRMED_MS = 3_600_000
/** A date that may be further off is not known. */
const ERROR_MS_MAX = 300_000
/** Of an oscillator that nobody has measured, and of one that was. */
const DRIFT_UNKNOWN = 100e-6
const DRIFT_KNOWN = 15e-6

/** The first that knows UTC; a leader that does not is better than nobody, since the others follow it, too. */
const ranks: Readonly<Record<WallSource, number>> = {
  ntp: 0,
  leader: 1,
  system: 2,
  technician: 3,
  rtc: 4,
  floor: 9,
}
const VENUE_RANK = 5

const isUtc = ({ source, stratum }: Claim): boolean =>
  source !== 'floor' && ((source !== 'ntp' && source !== 'leader') || stratum <= LOCAL_STRATUM)

const rankOf = (claim: Claim): number => (isUtc(claim) ? ranks[claim.source] : VENUE_RANK)

/** @param isRateKnown whether the own oscillator was measured */
export function errorAt({ at, errorMs }: Claim, now: MonotonicMs, isRateKnown: boolean): number {
  return errorMs + Math.max(0, now - at) * (isRateKnown ? DRIFT_KNOWN : DRIFT_UNKNOWN)
}

export function trust(claims: readonly Claim[], now: MonotonicMs, isRateKnown: boolean): Trust {
  const [best] = claims
    .filter(claim => errorAt(claim, now, isRateKnown) < ERROR_MS_MAX)
    .sort((a, b) => rankOf(a) - rankOf(b))
  if (best === undefined) return { source: 'floor', isUtcKnown: false, errorMs: null, claim: null }
  const isUtcKnown = isUtc(best)
  const errorMs = isUtcKnown ? errorAt(best, now, isRateKnown) : null
  return { source: best.source, isUtcKnown, errorMs, claim: best }
}

/** A person may set the date where nothing better is known, or nobody has confirmed it for an hour. */
export const maySet = ({ source, isUtcKnown, claim }: Trust, now: MonotonicMs): boolean =>
  !isUtcKnown ||
  ranks[source] >= ranks.technician ||
  (claim !== null && now - claim.at > UNCONFIRMED_MS)

export interface Shown {
  readonly now: MonotonicMs
  readonly isRateKnown: boolean
  /** How far the date that is shown is from the one that was found: it is frozen, or still on its way. */
  readonly offMs: number
  /** When the date was last corrected, by itself; null: never. */
  readonly setWallMs: number | null
}

/**
 * What is told to who asks for the time.
 * @param isLocalSource the venue follows this box, whether or not it knows UTC
 */
export function standingOf({ claim }: Trust, shown: Shown, isLocalSource: boolean): Standing {
  const { now, isRateKnown, offMs, setWallMs } = shown
  if (claim !== null && claim.stratum <= STRATUM_MAX) {
    const { leap, stratum, rootDelayMs, rootDispersionMs, referenceId } = claim
    const grownMs = errorAt(claim, now, isRateKnown) - claim.errorMs
    return {
      leap,
      stratum,
      rootDelayMs,
      rootDispersionMs: rootDispersionMs + grownMs + Math.abs(offMs),
      referenceId,
      referenceWallMs: setWallMs,
    }
  }
  return isLocalSource ? { ...local, referenceWallMs: setWallMs } : noStanding
}

const local: Standing = {
  leap: 0,
  stratum: LOCAL_STRATUM,
  rootDelayMs: 0,
  rootDispersionMs: 0,
  referenceId: referenceOf('LOCL'),
  referenceWallMs: null,
}
