/**
 * Open-circuit voltages as they stand in other people's firmware and data sheets, one cell, from empty to full in equal
 * steps or by charge. None of them is among those that the estimator or the simulated packs of the box are made of.
 */
import type { PackModel } from '../../runtime/services/power/knowledge.js'

export type Curve = readonly (readonly [charge: number, volts: number])[]

const evenly = (...volts: readonly number[]): Curve =>
  volts.map((value, index) => [index / (volts.length - 1), value])

export const textbookCurves: Readonly<
  Record<PackModel['chemistry'], Readonly<Record<string, Curve>>>
> = {
  'li-ion': {
    // The table in most small firmware.
    common: [
      [0, 3.0],
      [0.05, 3.45],
      ...evenly(3.68, 3.74, 3.77, 3.79, 3.82, 3.87, 3.92, 3.98, 4.06, 4.2).map(
        ([at, volts]) => [0.1 + 0.9 * at, volts] as const,
      ),
    ],
    // A round cell of equal parts of nickel, manganese and cobalt.
    nmc: evenly(
      ...[3.18, 3.427, 3.459, 3.501, 3.548, 3.581, 3.6, 3.613, 3.627, 3.642, 3.662, 3.706, 3.749],
      ...[3.787, 3.83, 3.878, 3.929, 3.984, 4.04, 4.102, 4.172],
    ),
    'nickel-rich': [
      [0, 2.693],
      [0.0236, 3.168],
      [0.0473, 3.318],
      [0.0709, 3.367],
      [0.0945, 3.392],
      [0.153, 3.456],
      [0.2417, 3.548],
      [0.3303, 3.609],
      [0.4644, 3.706],
      [0.5985, 3.837],
      [0.7391, 3.974],
      [0.8798, 4.076],
      [0.9599, 4.132],
      [1, 4.171],
    ],
    straight: evenly(3.1, 3.3, 3.42, 3.53, 3.63, 3.72, 3.8, 3.89, 3.99, 4.05, 4.19),
    plain: evenly(3.0, 3.45, 3.6, 3.68, 3.74, 3.8, 3.87, 3.95, 4.03, 4.11, 4.2),
    pouch: evenly(
      ...[3.27, 3.61, 3.69, 3.71, 3.73, 3.75, 3.77, 3.79, 3.8, 3.82, 3.84, 3.85, 3.87, 3.91],
      ...[3.95, 3.98, 4.02, 4.08, 4.11, 4.15, 4.2],
    ),
  },
  lifepo4: {
    a123: [
      [0, 2.6],
      [0.01, 2.9],
      [0.0535, 3.12],
      [0.0963, 3.17],
      [0.1388, 3.19],
      [0.2259, 3.22],
      [0.3124, 3.24],
      [0.3983, 3.263],
      [0.5274, 3.272],
      [0.6992, 3.28],
      [0.7418, 3.29],
      [0.7854, 3.304],
      [0.9147, 3.316],
      [0.9571, 3.32],
      [1, 3.59],
    ],
    rounded: evenly(3.0, 3.12, 3.2, 3.23, 3.25, 3.26, 3.27, 3.29, 3.32, 3.35, 3.4),
    chart: evenly(2.5, 3.0, 3.2, 3.225, 3.25, 3.265, 3.275, 3.3, 3.325, 3.35, 3.4),
  },
  'lead-acid': {
    chart: evenly(...[1.75, 1.918, 1.943, 1.968, 1.993, 2.017, 2.04, 2.062, 2.083, 2.103, 2.122]),
    flooded: evenly(1.933, 2.0, 2.033, 2.067, 2.1),
    rounded: evenly(1.95, 1.96, 1.97, 1.98, 1.99, 2.01, 2.03, 2.05, 2.07, 2.09, 2.12),
  },
}

export function voltsOn(curve: Curve, charge: number): number {
  const above = Math.max(
    1,
    curve.findIndex(([at]) => at >= charge),
  )
  const [from, fromVolts] = curve[above - 1] ?? [0, 0]
  const [to, toVolts] = curve[above] ?? [1, 0]
  return fromVolts + ((charge - from) / (to - from)) * (toVolts - fromVolts)
}
