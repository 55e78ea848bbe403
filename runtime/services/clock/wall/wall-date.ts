/**
 * The date, decided: what servers, the system, a person and a clock with a battery say of it, what is shown of that, and
 * what is told to others.
 */
import type { ErrorCode } from '../../../core/errors.js'
import type { MonotonicMs, WallTimeMs } from '../../../ports/clock.js'
import type { WallMapping } from '../../../ports/wall-timeline.js'
import { isLasting, type Kept } from './kept-date.js'
import { NO_LEAP, referenceOf } from './ntp-packet.js'
import type { Standing } from './ntp-server.js'
import type { Found, TimeEngine } from './time-engine.js'
import { type Claim, maySet, standingOf, strata, type Trust, trust } from './wall-policy.js'
import { RateFit, WallScale } from './wall-scale.js'

export interface WallDateOptions {
  readonly releasedMs: number
  readonly isLocalSource: boolean
  readonly isFollower: boolean
  /** Changes at each boot of the machine. */
  readonly bootId: string
}

export interface SetRefusal {
  readonly code: ErrorCode
  readonly message: string
}

/** A person looks at a watch. */
const BY_HAND_ERROR_MS = 1_000
/** Of a clock with a battery, which is read to the second and drifts since somebody last looked. */
const RTC_ERROR_MS = 5_000
const RTC_DRIFT = 20e-6
const RTC_SAME_MS = 2_000
/** So many answers until the own oscillator counts as measured. */
const MEASURED = 8
/** No release runs for longer: a date beyond is a mistake, and stamps of NTP could not be read beside it. */
const LIFE_MS = 30 * 365.25 * 86_400_000
const DAY_MS = 86_400_000
/** Moves of the date that are told. */
const TOLD_MS = 128
const LOCAL = referenceOf('LOCL')

export class WallDate implements WallMapping {
  readonly #options: WallDateOptions
  readonly #scale: WallScale
  readonly #rate = new RateFit()
  /** By servers; kept when they fall silent. */
  #network: Claim | null = null
  #byHand: Claim | null = null
  #system: Claim | null = null
  #rtc: (Claim & { readonly wallMs: number }) | null = null
  #systemMs: number
  #offMs = 0
  #setWallMs: number | null = null
  #hasCorrected = false

  constructor(options: WallDateOptions, at: MonotonicMs, systemMs: number, found: Kept | null) {
    this.#options = options
    this.#systemMs = systemMs
    const kept = found !== null && this.#mayBe(found.wallMs) ? found : null
    const floorMs = Math.max(options.releasedMs, kept?.wallMs ?? 0)
    const isSameBoot = kept !== null && kept.bootId === options.bootId && kept.claim !== null
    const wallMs = isSameBoot ? at + kept.differenceMs : systemMs
    this.#scale = new WallScale(at, this.#mayBe(wallMs) ? wallMs : floorMs, floorMs)
    if (!isSameBoot || kept.claim === null) return
    if (kept.claim.source === 'technician') this.#byHand = kept.claim
    else this.#network = kept.claim
  }

  get floorMs(): number {
    return this.#scale.floorMs
  }

  get ratePpm(): number {
    return this.#scale.ratePpm
  }

  get isFrozen(): boolean {
    return this.#scale.isFrozen
  }

  /** What is shown less what was found. */
  get offMs(): number {
    return this.#offMs
  }

  wallAt(at: MonotonicMs): WallTimeMs {
    return this.#scale.wallAt(at)
  }

  trustAt(now: MonotonicMs): Trust {
    const claims = [this.#network, this.#system, this.#byHand, this.#rtc]
    const trusted = trust(
      claims.flatMap(claim => claim ?? []),
      now,
      this.#isMeasured,
    )
    const { errorMs } = trusted
    return errorMs === null ? trusted : { ...trusted, errorMs: errorMs + Math.abs(this.#offMs) }
  }

  standingAt(now: MonotonicMs): Standing {
    const shown = {
      now,
      isRateKnown: this.#isMeasured,
      offMs: this.#offMs,
      setWallMs: this.#setWallMs,
    }
    return standingOf(this.trustAt(now), shown, this.#options.isLocalSource)
  }

  /**
   * What the machine shows by itself.
   * @param systemErrorMs null where nobody keeps the system's date right
   */
  look(now: MonotonicMs, systemMs: number, systemErrorMs: number | null): void {
    this.#systemMs = systemMs
    const isKept = systemErrorMs !== null && systemMs >= this.floorMs && this.#mayBe(systemMs)
    this.#system = isKept ? claimOf('system', now, systemErrorMs, strata.system) : null
  }

  /** What a clock with a battery shows. One that is behind what is known to be past has lost its date. */
  hearRtc(now: MonotonicMs, rtcMs: number): void {
    const { floorMs } = this
    if (rtcMs < floorMs || !this.#mayBe(rtcMs)) return
    const errorMs = RTC_ERROR_MS + RTC_DRIFT * (rtcMs - floorMs)
    this.#rtc = { ...claimOf('rtc', now, errorMs, strata.rtc), wallMs: rtcMs }
  }

  /** Whether the system shows the right day: enough to tell whether a certificate is of today. */
  isSystemRight(now: MonotonicMs): boolean {
    const isNear = Math.abs(this.wallAt(now) - this.#systemMs) < DAY_MS
    return isNear && this.trustAt(now).isUtcKnown
  }

  /** Takes what was found. @returns by how much the date was moved, where a person would notice; null otherwise */
  steer(
    now: MonotonicMs,
    found: Found | null,
    { isSystemSteered, kind }: Pick<TimeEngine, 'isSystemSteered' | 'kind'>,
  ): number | null {
    // Whoever steers the system by a venue's own date makes it look as if it were UTC.
    if (kind === 'chrony') this.#system = null
    if (found !== null) this.#hear(found)
    const before = this.wallAt(now)
    if (!this.isFrozen) this.#move(now, found, isSystemSteered)
    this.#offMs = found === null ? 0 : this.wallAt(now) - (now + found.differenceMs)
    const byMs = this.wallAt(now) - before
    return Math.abs(byMs) >= TOLD_MS ? byMs : null
  }

  freeze(at: MonotonicMs, isFrozen: boolean): void {
    this.#scale.freeze(at, isFrozen)
  }

  /** @returns whether the date was moved */
  raiseFloor(at: MonotonicMs, floorMs: number): boolean {
    return this.#scale.raiseFloor(at, floorMs)
  }

  /** What a person says. Null: it was taken. */
  setByHand(now: MonotonicMs, wallMs: number): SetRefusal | null {
    const { releasedMs } = this.#options
    if (this.isFrozen) return refusal('the date is not set while a show is armed')
    if (!maySet(this.trustAt(now), now))
      return refusal('the date is known better already: see clock/wall')
    if (wallMs < releasedMs)
      return refusal('this release was made later than that: the date is wrong')
    if (!this.#mayBe(wallMs)) return refusal('no release runs for so long: the date is wrong')
    // What was kept may be the mistake of whoever set it before.
    this.#scale.lowerFloor(Math.max(releasedMs, Math.min(this.floorMs, wallMs)))
    this.#scale.set(now, wallMs)
    this.#network = null
    this.#byHand = claimOf('technician', now, BY_HAND_ERROR_MS, strata.technician)
    this.#setWallMs = wallMs
    return null
  }

  keptAt(now: MonotonicMs): Kept {
    const wallMs = this.wallAt(now)
    const claim = this.trustAt(now).claim
    return {
      wallMs: Math.floor(wallMs),
      bootId: this.#options.bootId,
      differenceMs: wallMs - now,
      claim: claim !== null && isLasting(claim) ? claim : null,
    }
  }

  #mayBe(wallMs: number): boolean {
    return wallMs <= this.#options.releasedMs + LIFE_MS
  }

  get #isMeasured(): boolean {
    return this.#rate.count >= MEASURED
  }

  #hear(found: Found): void {
    const { at, errorMs, stratum, rootDelayMs, rootDispersionMs, leap, referenceId } = found
    this.#network = {
      source: this.#options.isFollower ? 'leader' : 'ntp',
      at,
      errorMs,
      stratum: stratum + 1,
      rootDelayMs,
      rootDispersionMs,
      leap,
      referenceId,
    }
  }

  #move(now: MonotonicMs, found: Found | null, isSystemSteered: boolean): void {
    switch (this.trustAt(now).source) {
      case 'ntp':
      case 'leader':
        if (found !== null && isSystemSteered) this.#set(now, now + found.differenceMs)
        else if (found !== null) this.#correct(now, found)
        break
      case 'rtc':
        this.#set(now, this.#rtcOrSystem(now))
        break
      case 'system':
      case 'floor':
        this.#set(now, this.#systemMs)
        break
      case 'technician':
    }
  }

  /** The kernel has set the system's date by it at the boot, most likely; then that is finer. */
  #rtcOrSystem(now: MonotonicMs): number {
    if (this.#rtc === null) return this.#systemMs
    const rtcMs = this.#rtc.wallMs + (now - this.#rtc.at)
    return Math.abs(rtcMs - this.#systemMs) < RTC_SAME_MS ? this.#systemMs : rtcMs
  }

  #set(now: MonotonicMs, wallMs: number): void {
    // Where only the floor is known, it goes on from there.
    if (wallMs < this.floorMs || !this.#mayBe(wallMs)) return
    this.#scale.set(now, wallMs)
    this.#setWallMs = wallMs
  }

  #correct(now: MonotonicMs, { at, differenceMs, jitterMs }: Found): void {
    this.#rate.add(at, differenceMs - (now - at) * this.ratePpm * 1e-6)
    const wallMs = now + differenceMs
    const isFirst = !this.#hasCorrected
    const correction = this.#scale.correct(now, wallMs, this.#rate.ratePpm(jitterMs), isFirst)
    // A server that jumps tells nothing of the oscillator.
    if (correction === 'stepped' && !isFirst) this.#rate.clear()
    this.#hasCorrected = true
    this.#setWallMs = wallMs
  }
}

const refusal = (message: string): SetRefusal => ({ code: 'command.refused', message })

const claimOf = (
  source: Claim['source'],
  at: MonotonicMs,
  errorMs: number,
  stratum: number,
): Claim => ({
  source,
  at,
  errorMs,
  stratum,
  rootDelayMs: 0,
  rootDispersionMs: errorMs,
  leap: NO_LEAP,
  referenceId: LOCAL,
})
