/** What tests of gauges ask again and again. */
import type { Gauge, GaugeReading } from '../../runtime/ports/gauge.js'

/** The one reading of a gauge with one pack. */
export async function readOne(gauge: Gauge): Promise<GaugeReading> {
  const [reading, ...others] = await gauge.read()
  if (reading === undefined || others.length > 0) throw new Error('a gauge with one pack reads one')
  return reading
}

export function faultsOf(gauge: Gauge): Error[] {
  const faults: Error[] = []
  gauge.onFault(fault => faults.push(fault))
  return faults
}

/** Each change that the gauge told: `12 external`, `40 battery`. */
export function externalsOf(gauge: Gauge): string[] {
  const told: string[] = []
  gauge.onExternal((isExternal, at) => told.push(`${at} ${isExternal ? 'external' : 'battery'}`))
  return told
}
