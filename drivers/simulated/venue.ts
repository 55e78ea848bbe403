/** What hangs on the wires of the simulated venue box, so that a whole show runs on a laptop. */
import type { Board } from '../../boards/board.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { SimulatedHost } from './host.js'
import { Pca9685Chip } from './pca9685-chip.js'

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
