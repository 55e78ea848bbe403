/** What hangs on the wires of the simulated venue box, so that a whole show runs on a laptop. */
import type { Board } from '../../boards/board.js'
import type { Clock } from '../../runtime/ports/clock.js'
import { Bq27441Chip } from './bq27441-chip.js'
import type { SimulatedChip } from './chips.js'
import type { SimulatedHost } from './host.js'
import { Ina219Chip } from './ina219-chip.js'
import { Ina226Chip } from './ina226-chip.js'
import { Ina3221Chip } from './ina3221-chip.js'
import { Lc709203fChip } from './lc709203f-chip.js'
import { Max1704xChip } from './max1704x-chip.js'
import { type PackTruth, RunningPack } from './pack-truth.js'
import { Pca9685Chip } from './pca9685-chip.js'
import { PijuiceChip } from './pijuice-chip.js'
import { PiSugar3Chip } from './pisugar3-chip.js'

const DIMMER_ADDRESS = 0x40
const DIMMER_ENABLE_LINE = 'dimmer-enable'

export interface DimmerPlace {
  readonly bus: string
  readonly address: number
  /** The line on the OE pin (low lets the outputs through, data sheet section 7.4); null when OE is tied to ground. */
  readonly enableLine: string | null
}

/** Plugs a PCA9685 dimmer in. */
export function plugDimmer(
  host: SimulatedHost,
  clock: Clock,
  { bus, address, enableLine }: DimmerPlace,
): Pca9685Chip {
  const chip = new Pca9685Chip(clock, () => enableLine === null || !host.physical(enableLine))
  host.bus(bus).plug(address, chip)
  return chip
}

/** One on the board's first I2C bus at 0x40, enabled by `dimmer-enable` where there is one. Null without a bus. */
export function plugVenueDimmer(
  host: SimulatedHost,
  board: Board,
  clock: Clock,
): Pca9685Chip | null {
  const bus = board.i2cBuses[0]
  if (!bus) return null
  const isEnableWired = board.lines.some(line => line.name === DIMMER_ENABLE_LINE)
  const enableLine = isEnableWired ? DIMMER_ENABLE_LINE : null
  return plugDimmer(host, clock, { bus: bus.name, address: DIMMER_ADDRESS, enableLine })
}

/** What is wired to a gauge, as far as box.json says. */
export interface GaugeWiring {
  readonly shuntMilliohms: number
  readonly cells: number
  readonly milliampHours: number
}

/** As most boards have it, with one cell of a usual size. */
const usualWiring: GaugeWiring = { shuntMilliohms: 100, cells: 1, milliampHours: 3_000 }
/** What a box of this kind takes. */
const BOX_MILLIWATTS = 2_500

type MakeChip = (clock: Clock, truth: PackTruth, wiring: GaugeWiring) => SimulatedChip

const max1704x =
  (family: 'max17040' | 'max17048'): MakeChip =>
  (_, truth, { milliampHours }) =>
    new Max1704xChip({ family, cells: 1, milliampHours, truth })

const ina219: MakeChip = (clock, truth, { shuntMilliohms }) =>
  new Ina219Chip(clock, { shuntMilliohms, truth })

/** By driver: those of the HATs that are a chip and lines have the chip's. */
const gaugeChips: Readonly<Record<string, MakeChip>> = {
  ina219,
  'waveshare-ups': ina219,
  ina226: (clock, truth, { shuntMilliohms }) => new Ina226Chip(clock, { shuntMilliohms, truth }),
  ina3221: (clock, truth, { shuntMilliohms }) =>
    new Ina3221Chip(clock, { shuntMilliohms, truths: [truth, truth, truth] }),
  max17040: max1704x('max17040'),
  x728: max1704x('max17040'),
  max17048: max1704x('max17048'),
  x120x: max1704x('max17048'),
  lc709203f: (_, truth) => new Lc709203fChip(truth),
  bq27441: (clock, truth) => new Bq27441Chip(clock, truth),
  pisugar3: clock => new PiSugar3Chip(clock),
  pijuice: clock => new PijuiceChip(clock),
}

/**
 * Plugs in the chip of a gauge, and a cell that the box runs on.
 * @returns null for a driver that is none of those gauges
 */
export function plugGauge(
  host: SimulatedHost,
  clock: Clock,
  place: { readonly driver: string; readonly bus: string; readonly address: number },
  wiring: GaugeWiring = usualWiring,
): SimulatedChip | null {
  const make = gaugeChips[place.driver]
  if (make === undefined) return null
  const truth = new RunningPack(clock, { milliwatts: BOX_MILLIWATTS, ...wiring })
  const chip = make(clock, truth, wiring)
  host.bus(place.bus).plug(place.address, chip)
  return chip
}
