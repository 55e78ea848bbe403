/** What all packs together are worth: remembers what was drawn and charged, and makes the box's state of it. */
import type { WallTimeMs } from '../../ports/clock.js'
import { rounded } from './battery-state.js'
import { DrawMemory, type Endurance, enduranceOf } from './endurance.js'
import { forecastOf, VenueClock } from './forecast.js'
import type { HistorySample } from './history-rows.js'
import { type PolicySample, rankOf, type Stage } from './policy.js'
import type { PowerOptions } from './power-options.js'
import type { PowerState } from './power-state.js'
import { externalByCurrent, type Part, type Whole, wholeOf } from './whole.js'

const nothing: Whole = {
  percent: null,
  percentError: null,
  millivolts: null,
  milliwatts: null,
  isExternal: null,
  isCharging: null,
  marginMillivolts: null,
  usualMarginMillivolts: null,
}

/** So many looks in a row must agree on which way the current flows before it says where power comes from. */
const DIRECTION_LOOKS = 3
/** Charging slows down towards the end. */
const TAPER_SECONDS = 1_800
const TAPER_PERCENT = 80
const SECONDS_MAX = 30 * 86_400

export class Outlooks {
  readonly #options: PowerOptions
  readonly #venue: VenueClock
  readonly #drawn = new DrawMemory()
  readonly #charged = new DrawMemory()
  #whole: Whole = nothing
  #endurance: Endurance | null = null
  #secondsToFull: number | null = null
  #direction: boolean | null = null
  #directionLooks = 0
  #packs = 0

  constructor(options: PowerOptions) {
    this.#options = options
    this.#venue = new VenueClock(options.timeZone)
  }

  /** Once a second. */
  look(
    parts: readonly Part[],
    elapsedMs: number,
  ): { readonly sample: Omit<PolicySample, 'elapsedMs' | 'isArmed'> } {
    const { shutdownCellMillivolts } = this.#options.policy
    const whole = wholeOf(parts, shutdownCellMillivolts)
    const flow = externalByCurrent(parts)
    this.#whole = { ...whole, isExternal: whole.isExternal ?? this.#externalBy(flow) }
    this.#packs = parts.filter(({ view }) => !view.isAbsent).length
    const { milliwatts, isExternal, isCharging, percent } = this.#whole
    this.#drawn.add(milliwatts === null ? null : -milliwatts, elapsedMs)
    this.#charged.add(milliwatts, elapsedMs)
    const isDischarging = milliwatts === null ? null : flow === false
    const isDrained = isCharging !== true && (isExternal !== true || isDischarging === true)
    this.#endurance = isDrained
      ? (enduranceOf(parts, this.#drawn.read(), shutdownCellMillivolts) ?? byGauges(parts))
      : null
    this.#secondsToFull = isCharging === true ? this.#toFull(parts) : null
    const isFresh = parts.some(({ view }) => !view.isSilent && !view.isAbsent)
    return {
      sample: {
        isExternal,
        isDischarging,
        // What was believed when the gauges fell silent moves nothing.
        percent: isFresh ? percent : null,
        minutes: isFresh && this.#endurance ? this.#endurance.seconds / 60 : null,
        marginMillivolts: this.#whole.marginMillivolts,
        usualMarginMillivolts: this.#whole.usualMarginMillivolts,
      },
    }
  }

  /** A line has told it, between two looks. */
  feel(parts: readonly Part[]): boolean | null {
    const isExternal = wholeOf(parts, null).isExternal ?? this.#whole.isExternal
    this.#whole = { ...this.#whole, isExternal }
    return isExternal
  }

  #externalBy(flow: boolean | null): boolean | null {
    if (flow === null) this.#directionLooks = 0
    else if (flow === this.#direction) this.#directionLooks = 0
    else if (++this.#directionLooks >= DIRECTION_LOOKS) {
      this.#direction = flow
      this.#directionLooks = 0
    }
    return this.#direction
  }

  #toFull(parts: readonly Part[]): number | null {
    const charge = this.#charged.read()
    const { percent, millivolts } = this.#whole
    if (charge === null || percent === null || millivolts === null) return null
    const missing = parts.reduce(
      (sum, { view, model }) =>
        sum +
        ((view.fullMilliampHours ?? model.milliampHours) * (100 - (view.percent ?? 100))) / 100,
      0,
    )
    const seconds = (missing * (millivolts / 1000) * 3600) / charge.meanMilliwatts
    const whole = seconds + (percent < TAPER_PERCENT ? TAPER_SECONDS : seconds / 2)
    return whole > SECONDS_MAX ? null : whole
  }

  /** What is published, at this stage. */
  stateOf(stage: Stage, wallMs: WallTimeMs): PowerState {
    const whole = this.#whole
    const secondsToEmpty = this.#endurance && Math.round(this.#endurance.seconds)
    const secondsToEmptyMin = this.#endurance && Math.round(this.#endurance.secondsMin)
    const { showEnds, policy } = this.#options
    const { isExternal, isCharging, percent } = whole
    const outlook = { wallMs, isExternal, isCharging, percent, secondsToEmpty, secondsToEmptyMin }
    return {
      stage,
      isExternal,
      isCharging,
      percent: rounded(percent, 0.1),
      percentError: rounded(whole.percentError, 0.1),
      millivolts: rounded(whole.millivolts, 1),
      milliwatts: rounded(whole.milliwatts, 1),
      secondsToEmpty,
      secondsToEmptyMin,
      ...forecastOf({ ...outlook, secondsToFull: this.#secondsToFull }, showEnds, this.#venue),
      lightCap: rankOf(stage) >= rankOf('shed') ? policy.shedLightCap : 1,
      arePrintsRefused: rankOf(stage) >= rankOf('protect'),
      packs: this.#packs,
    }
  }

  sampled(): Omit<HistorySample, 'stageRank'> {
    const { percent, millivolts, milliwatts } = this.#whole
    return { percent, millivolts, milliwatts }
  }
}

/** Where nobody measures what is drawn, a gauge may know how long it lasts. */
function byGauges(parts: readonly Part[]): Endurance | null {
  const present = parts.filter(({ view }) => !view.isAbsent)
  let seconds = 0
  let least = 0
  for (const { view } of present) {
    if (view.secondsToEmpty === null || view.secondsToEmpty > SECONDS_MAX) return null
    const sure =
      view.percent === null || view.percent === 0
        ? 1
        : Math.max(0, 1 - (view.percentError ?? 0) / view.percent)
    seconds += Math.max(0, view.secondsToEmpty)
    least += Math.max(0, view.secondsToEmpty) * sure
  }
  return present.length === 0 ? null : { seconds, secondsMin: least }
}
