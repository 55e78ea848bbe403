/** How long the packs last: the energy down to the voltage at which the box must go, over what it draws. */
import { cellOf } from './chemistry.js'
import { ohmsAt, restVolts } from './knowledge.js'
import type { Part } from './whole.js'

const SETTLE_MS = 180_000
const MEMORY_SECONDS = 1_800
const SORT_EVERY_MS = 30_000
/** A load that was last seen so long ago is no load any more. */
const FORGET_MS = 30 * 60_000

export interface Draw {
  /** As it was in the last few minutes. */
  readonly meanMilliwatts: number
  /** Exceeded in one of twenty seconds of the last half hour. */
  readonly highMilliwatts: number
}

/** Remembers what was drawn, in fixed memory. */
export class DrawMemory {
  readonly #seconds = new Float64Array(MEMORY_SECONDS)
  #count = 0
  #mean: number | null = null
  #meanMs = 0
  #high = 0
  #sinceSortMs = Number.POSITIVE_INFINITY
  #sinceSeenMs = 0

  /** @param milliwatts out of the packs; null when nothing is drawn, or nobody knows */
  add(milliwatts: number | null, elapsedMs: number): void {
    if (milliwatts === null || milliwatts <= 0) {
      this.#sinceSeenMs += elapsedMs
      if (this.#sinceSeenMs > FORGET_MS) this.#forget()
      return
    }
    this.#sinceSeenMs = 0
    this.#seconds[this.#count % MEMORY_SECONDS] = milliwatts
    this.#count++
    // Until it has run for as long as it settles in, it is a plain mean: the first second must not stand for minutes.
    this.#meanMs = Math.min(SETTLE_MS, this.#meanMs + elapsedMs)
    const weight = this.#mean === null ? 1 : Math.min(1, elapsedMs / this.#meanMs)
    this.#mean = (this.#mean ?? 0) + weight * (milliwatts - (this.#mean ?? 0))
    this.#sinceSortMs += elapsedMs
    if (this.#sinceSortMs < SORT_EVERY_MS) return
    this.#sinceSortMs = 0
    const sorted = this.#seconds.slice(0, Math.min(this.#count, MEMORY_SECONDS)).sort()
    this.#high = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? milliwatts
  }

  /** Null until something was drawn. */
  read(): Draw | null {
    if (this.#mean === null) return null
    return { meanMilliwatts: this.#mean, highMilliwatts: Math.max(this.#high, this.#mean) }
  }

  #forget(): void {
    this.#count = 0
    this.#mean = null
    this.#meanMs = 0
    this.#sinceSortMs = Number.POSITIVE_INFINITY
  }
}

export interface Endurance {
  readonly seconds: number
  /** At the high draw, and with the charge as low as it may be. */
  readonly secondsMin: number
}

/** Longer is not a forecast. */
const SECONDS_MAX = 30 * 86_400

/** Null when nobody knows: no charge, no draw. */
export function enduranceOf(
  parts: readonly Part[],
  draw: Draw | null,
  shutdownCellMillivolts: number | null,
): Endurance | null {
  const present = parts.filter(({ view }) => !view.isAbsent && view.percent !== null)
  if (draw === null || present.length === 0) return null
  const at = (milliwatts: number, errorShare: number): number => {
    const wattHours = present.reduce(
      (sum, part) =>
        sum +
        wattHoursOf(part, {
          milliwatts: milliwatts / present.length,
          errorShare,
          shutdownCellMillivolts,
        }),
      0,
    )
    return (wattHours * 3_600_000) / milliwatts
  }
  const seconds = at(draw.meanMilliwatts, 0)
  if (!(seconds <= SECONDS_MAX)) return null
  return { seconds, secondsMin: Math.min(seconds, at(draw.highMilliwatts, 1)) }
}

interface Asked {
  /** That this pack gives, with the others giving the rest. */
  readonly milliwatts: number
  /** How much of its error is taken off its charge. */
  readonly errorShare: number
  readonly shutdownCellMillivolts: number | null
}

const SLICES = 40
const SHIFT_VOLTS_MAX = 0.25

/** A pack that lies beside its curve now will do so farther down. */
function shiftOf({ view, model, knowledge }: Part): number {
  if (view.restMillivolts === null || view.percent === null) return 0
  const found = view.restMillivolts / 1000 - restVolts(model, knowledge, view.percent / 100)
  return Math.min(SHIFT_VOLTS_MAX, Math.max(-SHIFT_VOLTS_MAX, found))
}

/** From the top down, slice by slice, until the voltage under this load is too low. */
function wattHoursOf({ view, model, knowledge }: Part, asked: Asked): number {
  const percent = (view.percent ?? 0) - asked.errorShare * (view.percentError ?? 0)
  const charge = Math.max(0, percent / 100)
  const fullAmpHours = (view.fullMilliampHours ?? model.milliampHours) / 1000
  const limit =
    (asked.shutdownCellMillivolts ?? cellOf(model.chemistry).shutdownVolts * 1000) / 1000
  const shift = shiftOf({ view, model, knowledge })
  const voltsAt = (at: number): number => {
    const open = restVolts(model, knowledge, at) + shift
    return (
      open - (asked.milliwatts / 1000 / model.cells / open) * ohmsAt(knowledge, at, view.celsius)
    )
  }
  let wattHours = 0
  for (let slice = SLICES; slice > 0; slice--) {
    const at = (charge * (slice - 0.5)) / SLICES
    const volts = voltsAt(at)
    if (volts < limit) break
    wattHours += volts * model.cells * fullAmpHours * (charge / SLICES)
  }
  return wattHours
}
