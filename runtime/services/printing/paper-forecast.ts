/**
 * For how many tickets the paper lasts: what was printed since the roll was changed, and where the sensor said that its
 * end is near. Pure.
 */
import { boolean, nullable, number, type Of, object, oneOf } from '../../core/schema.js'
import type { PrinterStatus } from '../../ports/printer.js'

/** How much is left when the sensor speaks, until a roll has shown it. The sensor can be moved: 1 to 3 m are usual. */
const REST_MILLIMETRES = 2_000
const REST_MILLIMETRES_MIN = 100
const REST_MILLIMETRES_MAX = 20_000
/** A sensor that wavers at its edge speaks again within so much paper; one that does not sees a new roll. */
const WAVER_MILLIMETRES = 500
/** Of each new ticket in the mean length, and of each roll in the rest. */
const TICKET_SHARE = 0.1
const ROLL_SHARE = 0.5

const millimetres = number({ min: 0, max: 1e9 })

export const paperForecast = object({
  /** Since the roll was changed. */
  usedMillimetres: millimetres,
  /** Null before the first ticket. */
  meanMillimetres: nullable(millimetres),
  /** What was used of this roll when its end came near; null while it has not. */
  nearEndAtMillimetres: nullable(millimetres),
  /** What was used when the sensor took that back; null while it has not. */
  enoughAtMillimetres: nullable(millimetres),
  /** What rolls had left from there to their end. */
  restMillimetres: nullable(millimetres),
  /** As last heard, over restarts. */
  paper: nullable(oneOf('enough', 'near-end', 'end')),
  /** The cover was open since the end came near: somebody may have changed the roll. */
  wasOpened: boolean,
})

export type PaperForecast = Of<typeof paperForecast>

export const newForecast: PaperForecast = {
  usedMillimetres: 0,
  meanMillimetres: null,
  nearEndAtMillimetres: null,
  enoughAtMillimetres: null,
  restMillimetres: null,
  paper: null,
  wasOpened: false,
}

/** @param isWhole false: a part of a ticket, which takes paper and says nothing of how long tickets are */
export function printed(
  before: PaperForecast,
  lengthMillimetres: number,
  isWhole: boolean,
): PaperForecast {
  const mean = before.meanMillimetres ?? lengthMillimetres
  const after: PaperForecast = {
    ...before,
    usedMillimetres: before.usedMillimetres + lengthMillimetres,
    meanMillimetres: isWhole
      ? mean * (1 - TICKET_SHARE) + lengthMillimetres * TICKET_SHARE
      : before.meanMillimetres,
  }
  const sinceMillimetres = after.usedMillimetres - (after.enoughAtMillimetres ?? Infinity)
  return sinceMillimetres > WAVER_MILLIMETRES ? newRoll(after, sinceMillimetres) : after
}

/** What the printer said of its paper and cover. The same object when that changes nothing. */
export function heard(
  before: PaperForecast,
  { paper, isCoverOpen }: Pick<PrinterStatus, 'paper' | 'isCoverOpen'>,
): PaperForecast {
  // With the cover open the sensors look at nothing, or at a hand.
  if (isCoverOpen === true) return opened(before)
  if (paper === null || (paper === before.paper && !before.wasOpened)) return before
  return { ...sensed(before, paper), paper, wasOpened: false }
}

const opened = (before: PaperForecast): PaperForecast =>
  before.nearEndAtMillimetres === null || before.wasOpened ? before : { ...before, wasOpened: true }

function sensed(before: PaperForecast, paper: 'enough' | 'near-end' | 'end'): PaperForecast {
  if (before.paper === 'end' && paper !== 'end')
    return { ...newRoll(before, 0), nearEndAtMillimetres: paper === 'near-end' ? 0 : null }
  switch (paper) {
    case 'end':
      return before.paper === 'end' ? before : learned(before)
    case 'near-end':
      return {
        ...before,
        nearEndAtMillimetres: before.nearEndAtMillimetres ?? before.usedMillimetres,
        enoughAtMillimetres: null,
      }
    case 'enough':
      return before.wasOpened ? newRoll(before, 0) : tookBack(before)
  }
}

const tookBack = (before: PaperForecast): PaperForecast =>
  before.nearEndAtMillimetres === null
    ? before
    : { ...before, enoughAtMillimetres: before.enoughAtMillimetres ?? before.usedMillimetres }

const newRoll = (before: PaperForecast, usedMillimetres: number): PaperForecast => ({
  ...before,
  usedMillimetres,
  nearEndAtMillimetres: null,
  enoughAtMillimetres: null,
})

function learned(before: PaperForecast): PaperForecast {
  const { nearEndAtMillimetres, usedMillimetres, restMillimetres } = before
  if (nearEndAtMillimetres === null) return before
  const rest = usedMillimetres - nearEndAtMillimetres
  if (rest < REST_MILLIMETRES_MIN || rest > REST_MILLIMETRES_MAX) return before
  const mean = (restMillimetres ?? rest) * (1 - ROLL_SHARE) + rest * ROLL_SHARE
  return { ...before, restMillimetres: mean }
}

/** Null while nobody knows. @param rollMillimetres length of a new roll; null: not known */
export function ticketsLeft(
  forecast: PaperForecast,
  rollMillimetres: number | null,
): number | null {
  const { meanMillimetres, usedMillimetres, nearEndAtMillimetres, restMillimetres } = forecast
  if (forecast.paper === 'end') return 0
  if (meanMillimetres === null || meanMillimetres === 0) return null
  const endMillimetres =
    nearEndAtMillimetres === null
      ? rollMillimetres
      : nearEndAtMillimetres + (restMillimetres ?? REST_MILLIMETRES)
  if (endMillimetres === null) return null
  return Math.floor(Math.max(0, endMillimetres - usedMillimetres) / meanMillimetres)
}
