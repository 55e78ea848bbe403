/**
 * What is known of a cell by its chemistry, before anything is known of the pack: its open-circuit voltage (OCV) over the
 * state of charge, how far cells of one chemistry lie apart, and what cold and charging do. Pure.
 *
 * The curves are means over published measurements, each stretched so that 0 is where a box can no longer live on it
 * (3.0 V, 2.6 V, 1.8 V without load) and 1 is a full charge:
 * - li-ion: slow (C/32, C/20) cycles of Molicel P42A and Samsung 40T (Sunil, Pattipati, Balasingam, "Piecewise Linear
 *   Approximation of Battery Open-Circuit Voltage", IEEE TIM 2025), Murata VTC6 (C/20), a 2-cell NMC pack and a cobalt
 *   pouch cell (tables in Linux devicetree sources). These lie up to 0.25 V apart in the lower half, and the spread says so.
 * - lifepo4: Lithium Werks APR18650M1B (same article), with the step of the plateau near 65 %.
 * - lead-acid: rested voltages of flooded (BCI: 12.65, 12.45, 12.24, 12.06, 11.89 V) and AGM batteries.
 */

export type Chemistry = 'li-ion' | 'lifepo4' | 'lead-acid'

/** Points of charge (0..1) and volts of one cell, ascending. */
type Line = readonly (readonly [charge: number, volts: number])[]

interface Cell {
  readonly curve: Line
  /** How far a cell may lie off the curve, one standard deviation. */
  readonly spread: Line
  /** The same once a pack's own curve has been learned. */
  readonly learnedSpread: Line
  /** At or above it, with the current tapered off, the pack is full. */
  readonly fullVolts: number
  /** Under load, held: what is below harms the cell or lets the converter behind it drop out. */
  readonly shutdownVolts: number
  /** Capacity lost for each kelvin below 25 °C, at a load that takes a day: a quicker one loses twice as much. */
  readonly coldLossPerKelvin: number
  /** Of the charge that goes in, what comes out again. */
  readonly efficiency: number
  /** What charging adds to the voltage beyond the resistance, and how long it takes to fade. */
  readonly surfaceVolts: number
  readonly surfaceFadeMs: number
}

const MINUTE_MS = 60_000

const liIon: Cell = {
  curve: [
    [0, 3.0],
    [0.02, 3.22],
    [0.05, 3.4],
    [0.1, 3.497],
    [0.15, 3.538],
    [0.2, 3.576],
    [0.25, 3.613],
    [0.3, 3.647],
    [0.4, 3.697],
    [0.5, 3.748],
    [0.6, 3.818],
    [0.7, 3.905],
    [0.8, 3.994],
    [0.9, 4.071],
    [0.95, 4.112],
    [0.98, 4.155],
    [1, 4.187],
  ],
  spread: [
    [0, 0.06],
    [0.05, 0.1],
    [0.1, 0.1],
    [0.2, 0.075],
    [0.4, 0.065],
    [0.5, 0.06],
    [0.8, 0.04],
    [0.9, 0.026],
    [0.95, 0.018],
    [1, 0.012],
  ],
  learnedSpread: [
    [0, 0.03],
    [0.1, 0.015],
    [0.2, 0.01],
    [1, 0.01],
  ],
  fullVolts: 4.15,
  shutdownVolts: 3.2,
  coldLossPerKelvin: 0.002,
  efficiency: 0.998,
  surfaceVolts: 0.012,
  surfaceFadeMs: 15 * MINUTE_MS,
}

const lifepo4: Cell = {
  curve: [
    [0, 2.6],
    [0.01, 2.76],
    [0.025, 2.94],
    [0.05, 3.08],
    [0.09, 3.19],
    [0.15, 3.217],
    [0.2, 3.237],
    [0.3, 3.272],
    [0.4, 3.285],
    [0.5, 3.29],
    [0.6, 3.297],
    [0.7, 3.322],
    [0.8, 3.33],
    [0.9, 3.334],
    [0.95, 3.338],
    [0.98, 3.352],
    [0.995, 3.42],
    [1, 3.48],
  ],
  spread: [
    [0, 0.09],
    [0.1, 0.025],
    [0.2, 0.016],
    [0.9, 0.014],
    [0.98, 0.02],
    [1, 0.06],
  ],
  learnedSpread: [
    [0, 0.04],
    [0.1, 0.01],
    [0.2, 0.005],
    [0.95, 0.005],
    [1, 0.03],
  ],
  fullVolts: 3.45,
  shutdownVolts: 2.8,
  coldLossPerKelvin: 0.003,
  efficiency: 0.997,
  surfaceVolts: 0.02,
  surfaceFadeMs: 30 * MINUTE_MS,
}

const leadAcid: Cell = {
  curve: [
    [0, 1.8],
    [0.03, 1.92],
    [0.06, 1.96],
    [0.25, 2.0],
    [0.5, 2.04],
    [0.75, 2.08],
    [1, 2.122],
  ],
  spread: [
    [0, 0.05],
    [0.06, 0.02],
    [0.1, 0.016],
    [1, 0.016],
  ],
  learnedSpread: [
    [0, 0.012],
    [0.1, 0.005],
    [1, 0.005],
  ],
  fullVolts: 2.22,
  shutdownVolts: 1.85,
  coldLossPerKelvin: 0.005,
  efficiency: 0.88,
  surfaceVolts: 0.12,
  surfaceFadeMs: 90 * MINUTE_MS,
}

const cells: Readonly<Record<Chemistry, Cell>> = {
  'li-ion': liIon,
  lifepo4,
  'lead-acid': leadAcid,
}

export const cellOf = (chemistry: Chemistry): Cell => cells[chemistry]

/** The mean open-circuit voltage of one cell; beyond 0 and 1 it goes on as steep as it ended. */
export const openCircuitVolts = (chemistry: Chemistry, charge: number): number =>
  along(cells[chemistry].curve, charge)

/** One standard deviation of a cell's distance from the curve, or from what was learned of it. */
export const spreadVolts = (chemistry: Chemistry, charge: number, isLearned: boolean): number =>
  along(
    isLearned ? cells[chemistry].learnedSpread : cells[chemistry].spread,
    Math.min(1, Math.max(0, charge)),
  )

/** What is left of the capacity; 1 from 25 °C on, and where the temperature is not known. */
export function capacityShare(chemistry: Chemistry, celsius: number | null): number {
  if (celsius === null) return 1
  const kelvinBelow = Math.min(60, Math.max(0, 25 - celsius))
  return Math.max(0.5, 1 - cells[chemistry].coldLossPerKelvin * kelvinBelow)
}

/** How much more a pack resists than in the middle of its charge at 25 °C. */
export function resistanceShare(charge: number, celsius: number | null): number {
  const kelvinBelow = celsius === null ? 0 : Math.min(45, Math.max(0, 25 - celsius))
  const emptiness = Math.max(0, 1 - Math.max(0, charge) / 0.15)
  return (1 + 0.025 * kelvinBelow) * (1 + emptiness)
}

function along(points: Line, at: number): number {
  let index = 1
  while (index < points.length - 1 && (points[index]?.[0] ?? 1) < at) index++
  const [fromCharge, fromVolts] = points[index - 1] ?? [0, 0]
  const [toCharge, toVolts] = points[index] ?? [1, 0]
  return fromVolts + ((at - fromCharge) / (toCharge - fromCharge)) * (toVolts - fromVolts)
}
