/** One entry per driver: the options a technician may write in box.json, and how the device is built from them. */
import { ConfigError } from '../runtime/core/errors.js'
import { suggestion } from '../runtime/core/nearest.js'
import { jsonSchema } from '../runtime/core/schema.js'
import type { Clock } from '../runtime/ports/clock.js'
import type { Host } from '../runtime/ports/host.js'
import { gaugeDrivers } from './gauge-drivers.js'
import { hatDrivers } from './hat-drivers.js'
import { printerDrivers } from './printer-drivers.js'
import type { BuiltDevice, CheckedDevice, DriverEntry } from './recipe.js'
import { stageDrivers } from './stage-drivers.js'

/** As in box.json. */
export interface DeviceDescription {
  readonly name: string
  readonly driver: string
  readonly options: unknown
}

export const catalogue: Readonly<Record<string, DriverEntry>> = {
  ...stageDrivers,
  ...printerDrivers,
  ...gaugeDrivers,
  ...hatDrivers,
}

/**
 * @param path where the description stands: `box.devices[2]`
 * @throws ConfigError for an unknown driver and for options that break its schema
 */
export function checkDevice(description: DeviceDescription, path: string): CheckedDevice {
  const { name, driver, options } = description
  const found = Object.hasOwn(catalogue, driver) ? catalogue[driver] : undefined
  if (found) return found.check(name, options, `${path}.options`)
  const known = Object.keys(catalogue)
  const message = `"${driver}" is not a known driver${suggestion(driver, known)}; known are ${known.join(', ')}`
  throw new ConfigError([{ path: `${path}.driver`, message, place: null }])
}

/** Both steps at once. @throws ConfigError also for what the board does not have */
export function buildDevice(
  description: DeviceDescription,
  path: string,
  host: Host,
  clock: Clock,
): BuiltDevice {
  return checkDevice(description, path).build(host, clock)
}

/** JSON Schema of each driver's options, for the documents. */
export const driverOptionsSchemas = (): Readonly<Record<string, Record<string, unknown>>> =>
  Object.fromEntries(
    Object.entries(catalogue).map(([key, { schema }]) => [key, jsonSchema(schema)]),
  )
