/** A gauge's chip on a simulated bus, and the gauge that reads it. */
import type { SimulatedChip } from '../../drivers/simulated/chips.js'
import type { SimulatedClock } from '../../drivers/simulated/clock.js'
import type { SimulatedHost } from '../../drivers/simulated/host.js'
import type { SimulatedI2cBus } from '../../drivers/simulated/i2c-bus.js'
import type { Gauge, GaugeReading } from '../../runtime/ports/gauge.js'
import type { I2cDevice } from '../../runtime/ports/host.js'
import { makeBench } from './bench.js'
import { readOne } from './gauge-bench.js'

export interface GaugeChipBench<Chip> {
  readonly clock: SimulatedClock
  readonly host: SimulatedHost
  readonly bus: SimulatedI2cBus
  readonly device: I2cDevice
  readonly chip: Chip
}

export function makeGaugeBench<Chip extends SimulatedChip>(
  address: number,
  makeChip: (clock: SimulatedClock) => Chip,
): GaugeChipBench<Chip> {
  const { clock, host } = makeBench()
  const chip = makeChip(clock)
  const bus = host.bus('header')
  bus.plug(address, chip)
  return { clock, host, bus, device: host.i2cDevice('header', address), chip }
}

/** Longer than any chip converts. */
export const CONVERSION_MS = 1_000

/** The first that comes once the chip has measured again. */
export async function nextReading(gauge: Gauge, clock: SimulatedClock): Promise<GaugeReading> {
  await clock.advance(CONVERSION_MS)
  return readOne(gauge)
}

/** Registers as the chip sends them. */
export const wordAt = (chip: SimulatedChip, register: number): number => {
  const [high = 0, low = 0] = chip.read(register, 2)
  return (high << 8) | low
}

/** Every register of the chip, to see that nobody wrote. */
export const imageOf = (chip: SimulatedChip): number[] =>
  Array.from({ length: 256 }, (_, register) => wordAt(chip, register))
