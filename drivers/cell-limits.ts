/** What one lithium cell can be: beyond that a gauge has not measured, whatever it says. */
import { type Known, known, NO_PACK_MILLIVOLTS, unknown } from './gauge-reading.js'

/** No cell is charged to more, and converters for one cell end there. */
const CELL_MILLIVOLTS_MAX = 5_000
/**
 * A cell that was emptied and is left alone recovers to 3.5 V; what has more than this holds some charge, and a gauge
 * that says 0 % of it has not said anything.
 */
const EMPTY_MILLIVOLTS_MAX = 3_600
/** Some gauges exceed 100 by a little, until their model has caught up. */
const PERCENT_MAX = 125
const CELSIUS_MIN = -40
const CELSIUS_MAX = 125

export function cellVoltage(millivolts: number): Known<number> {
  if (millivolts > CELL_MILLIVOLTS_MAX) return unknown('implausible')
  return millivolts < NO_PACK_MILLIVOLTS ? unknown('no-pack') : known(millivolts)
}

/** @param percent as the gauge tells it; @param cell its voltage, which has a say */
export function cellCharge(percent: number, cell: Known<number>): Known<number> {
  if (cell.value === null) return cell
  const isWronglyEmpty = percent === 0 && cell.value > EMPTY_MILLIVOLTS_MAX
  return percent > PERCENT_MAX || isWronglyEmpty ? unknown('implausible') : known(percent)
}

/**
 * What a board's firmware says, which is a number also where it knows nothing. An empty cell shows by its voltage, so 0 %
 * beside none, or beside one of a cell that is not empty, says nothing.
 * @param cell the voltage of one cell
 */
export function firmwareCharge(percent: Known<number>, cell: Known<number>): Known<number> {
  return percent.value === 0 ? cellCharge(0, cell) : percent
}

export const temperature = (celsius: number): Known<number> =>
  celsius < CELSIUS_MIN || celsius > CELSIUS_MAX ? unknown('implausible') : known(celsius)
