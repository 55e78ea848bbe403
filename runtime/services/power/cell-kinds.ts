/**
 * How differently cells of one chemistry behave. Published curves fall into a few families; a pack that nobody has seen
 * before is of one of them, or between two. Pure.
 *
 * - li-ion: nickel-rich round cells whose zero is at 2.5 V (Molicel P42A, Samsung 40T), cells of equal parts of nickel,
 *   manganese and cobalt, and cobalt pouch cells; the mean of all of them is in `chemistry.ts`.
 * - lifepo4: power cells by their data sheets at C/5, which lie 20 to 30 mV below slow measurements, and cells whose last
 *   tenth is long.
 * - lead-acid: flooded and gel batteries that are counted down to 10.5 V, AGM, and rested standby batteries.
 */
import { type Chemistry, openCircuitVolts } from './chemistry.js'

/** The voltage of one cell at these charges. */
type Row = readonly number[]

interface Family {
  readonly charges: Row
  readonly rows: readonly Row[]
  /** How far a cell may lie off the nearest of these, one standard deviation, at the same charges. */
  readonly spread: Row
}

const families: Readonly<Record<Chemistry, Family>> = {
  'li-ion': {
    charges: [0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1],
    rows: [
      [2.6, 2.95, 3.17, 3.33, 3.42, 3.48, 3.58, 3.655, 3.73, 3.82, 3.91, 4.0, 4.07, 4.1, 4.19],
      [3.0, 3.22, 3.38, 3.45, 3.5, 3.55, 3.605, 3.64, 3.68, 3.755, 3.845, 3.94, 4.05, 4.11, 4.18],
      [3.0, 3.4, 3.6, 3.68, 3.71, 3.74, 3.77, 3.8, 3.835, 3.885, 3.95, 4.025, 4.105, 4.15, 4.2],
    ],
    spread: [
      0.1, 0.08, 0.06, 0.035, 0.028, 0.022, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.018, 0.015, 0.012,
    ],
  },
  lifepo4: {
    charges: [0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 1],
    rows: [
      [
        2.5, 2.85, 3.05, 3.14, 3.18, 3.205, 3.235, 3.253, 3.264, 3.273, 3.286, 3.306, 3.32, 3.335,
        3.45,
      ],
      [2.5, 2.62, 2.8, 3.03, 3.13, 3.19, 3.228, 3.252, 3.266, 3.278, 3.3, 3.322, 3.34, 3.355, 3.42],
    ],
    spread: [
      0.09, 0.08, 0.06, 0.03, 0.02, 0.012, 0.01, 0.009, 0.009, 0.009, 0.01, 0.01, 0.012, 0.02, 0.06,
    ],
  },
  'lead-acid': {
    charges: [0, 0.03, 0.06, 0.1, 0.25, 0.5, 0.75, 1],
    rows: [
      [1.77, 1.85, 1.9, 1.925, 1.965, 2.022, 2.075, 2.12],
      [1.9, 1.93, 1.95, 1.965, 2.005, 2.055, 2.105, 2.15],
      [1.9, 1.93, 1.945, 1.95, 1.975, 2.01, 2.06, 2.115],
    ],
    spread: [0.06, 0.04, 0.025, 0.018, 0.012, 0.012, 0.012, 0.012],
  },
}

/** A charge in steps of a half percent: 0..200. */
export const CHARGE_STEPS = 200

/** One family of cells, at each of `CHARGE_STEPS`. */
export interface CellKind {
  /** How often there are such cells, beside the others. */
  readonly weight: number
  readonly volts: Float64Array
  /** Squared: of the curve itself, and of a charge that is off by a percent. */
  readonly variance: Float64Array
}

const CHARGE_DEVIATION = 0.01

function kindsOf(chemistry: Chemistry): readonly CellKind[] {
  const { charges, rows, spread } = families[chemistry]
  const mean = charges.map(charge => openCircuitVolts(chemistry, charge))
  // Most cells are between the mean and one of the others.
  const halves = rows.map(row => row.map((volts, index) => (volts + (mean[index] ?? 0)) / 2))
  const kind = (row: Row, weight: number): CellKind => kindOf(charges, row, spread, weight)
  return [kind(mean, 2), ...halves.map(row => kind(row, 1)), ...rows.map(row => kind(row, 0.7))]
}

function kindOf(charges: Row, row: Row, spread: Row, weight: number): CellKind {
  const volts = Float64Array.from({ length: CHARGE_STEPS + 1 }, (_, step) =>
    along(charges, row, step / CHARGE_STEPS),
  )
  const variance = volts.map((at, step) => {
    const slope = ((volts[step + 1] ?? at) - (volts[step - 1] ?? at)) * (CHARGE_STEPS / 2)
    return along(charges, spread, step / CHARGE_STEPS) ** 2 + (slope * CHARGE_DEVIATION) ** 2
  })
  return { weight, volts, variance }
}

function along(places: Row, values: Row, at: number): number {
  const above = Math.max(
    1,
    places.findIndex(place => place >= at),
  )
  const [from = 0, to = 1] = [places[above - 1], places[above]]
  const [low = 0, high = 0] = [values[above - 1], values[above]]
  return low + ((at - from) / (to - from)) * (high - low)
}

const kinds: Readonly<Record<Chemistry, readonly CellKind[]>> = {
  'li-ion': kindsOf('li-ion'),
  lifepo4: kindsOf('lifepo4'),
  'lead-acid': kindsOf('lead-acid'),
}

export const cellKinds = (chemistry: Chemistry): readonly CellKind[] => kinds[chemistry]
