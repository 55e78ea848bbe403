/** Cells as they are sold: their voltage at rest over their charge, and what cold and a charger do to them. */

export type BatteryChemistry = 'li-ion' | 'lifepo4' | 'lead-acid'

type Table = readonly (readonly [charge: number, volts: number])[]

export interface BatteryKind {
  /** Cells that are sold under one name differ: a pack is a mixture of these. */
  readonly tables: readonly [Table, ...Table[]]
  readonly bumpVolts: number
  readonly chargeVolts: number
  readonly coldLossPerKelvin: number
  readonly efficiency: number
  /** How slowly what a charger leaves on the surface fades. */
  readonly surfaceSeconds: number
}

export const batteryKinds: Readonly<Record<BatteryChemistry, BatteryKind>> = {
  'li-ion': {
    tables: [
      // Nickel-rich round cell, after a slow discharge of a VTC6.
      [
        [0, 3.0],
        [0.035, 3.147],
        [0.073, 3.268],
        [0.124, 3.351],
        [0.175, 3.421],
        [0.226, 3.505],
        [0.278, 3.562],
        [0.33, 3.61],
        [0.382, 3.662],
        [0.433, 3.708],
        [0.484, 3.752],
        [0.536, 3.798],
        [0.588, 3.84],
        [0.638, 3.884],
        [0.69, 3.922],
        [0.742, 3.979],
        [0.794, 4.037],
        [0.845, 4.075],
        [0.897, 4.09],
        [0.948, 4.111],
        [1, 4.18],
      ],
      // Cobalt pouch cell, after the table of a phone's cell brought to 4.2 V.
      [
        [0, 3.0],
        [0.012, 3.33],
        [0.03, 3.54],
        [0.055, 3.655],
        [0.12, 3.69],
        [0.22, 3.74],
        [0.33, 3.772],
        [0.44, 3.802],
        [0.55, 3.845],
        [0.65, 3.9],
        [0.76, 3.985],
        [0.87, 4.075],
        [0.95, 4.15],
        [1, 4.2],
      ],
      // The rule of thumb of many meters.
      [
        [0, 3.0],
        [0.05, 3.3],
        [0.1, 3.45],
        [0.2, 3.58],
        [0.3, 3.65],
        [0.4, 3.71],
        [0.5, 3.76],
        [0.6, 3.83],
        [0.7, 3.91],
        [0.8, 3.99],
        [0.9, 4.08],
        [1, 4.19],
      ],
      // An older mixed-metal cell.
      [
        [0, 3.0],
        [0.06, 3.36],
        [0.12, 3.44],
        [0.26, 3.55],
        [0.4, 3.618],
        [0.5, 3.655],
        [0.58, 3.71],
        [0.67, 3.8],
        [0.77, 3.895],
        [0.86, 3.985],
        [0.95, 4.085],
        [1, 4.175],
      ],
    ],
    bumpVolts: 0.01,
    chargeVolts: 4.2,
    coldLossPerKelvin: 0.005,
    efficiency: 0.997,
    surfaceSeconds: 120,
  },
  lifepo4: {
    tables: [
      [
        [0, 2.5],
        [0.01, 2.72],
        [0.03, 2.95],
        [0.06, 3.11],
        [0.1, 3.2],
        [0.18, 3.225],
        [0.28, 3.268],
        [0.38, 3.287],
        [0.55, 3.293],
        [0.64, 3.303],
        [0.7, 3.326],
        [0.85, 3.332],
        [0.96, 3.341],
        [0.985, 3.37],
        [1, 3.46],
      ],
      [
        [0, 2.6],
        [0.02, 2.9],
        [0.05, 3.07],
        [0.1, 3.18],
        [0.2, 3.23],
        [0.3, 3.26],
        [0.4, 3.276],
        [0.5, 3.283],
        [0.6, 3.291],
        [0.7, 3.309],
        [0.8, 3.322],
        [0.9, 3.327],
        [0.97, 3.35],
        [1, 3.45],
      ],
    ],
    bumpVolts: 0.003,
    chargeVolts: 3.6,
    coldLossPerKelvin: 0.006,
    efficiency: 0.997,
    surfaceSeconds: 400,
  },
  'lead-acid': {
    tables: [
      [
        [0, 1.75],
        [0.025, 1.9],
        [0.05, 1.955],
        [0.1, 1.972],
        [0.4, 2.02],
        [0.7, 2.068],
        [1, 2.112],
      ],
      [
        [0, 1.82],
        [0.04, 1.94],
        [0.08, 1.966],
        [0.3, 2.01],
        [0.6, 2.058],
        [1, 2.138],
      ],
    ],
    bumpVolts: 0.003,
    chargeVolts: 2.38,
    coldLossPerKelvin: 0.007,
    efficiency: 0.87,
    surfaceSeconds: 2400,
  },
}

export function voltsAlong(table: Table, charge: number): number {
  let index = 1
  while (index < table.length - 1 && (table[index]?.[0] ?? 1) < charge) index++
  const [from, fromVolts] = table[index - 1] ?? [0, 0]
  const [to, toVolts] = table[index] ?? [1, 0]
  return fromVolts + ((charge - from) / (to - from)) * (toVolts - fromVolts)
}
