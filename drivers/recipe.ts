/** What an entry of the catalogue is made of: the options a technician may write, and how a device is built from them. */
import { ConfigError } from '../runtime/core/errors.js'
import { check, type Schema } from '../runtime/core/schema.js'
import type { Clock } from '../runtime/ports/clock.js'
import type {
  CaptureTrigger as CaptureTriggerPort,
  Input,
  Light,
} from '../runtime/ports/devices.js'
import type { Gauge } from '../runtime/ports/gauge.js'
import type { Host } from '../runtime/ports/host.js'
import type { Printer } from '../runtime/ports/printer.js'

/** What a device takes for itself: no other device may name it. */
export interface Resources {
  readonly lines: readonly string[]
  readonly i2c: readonly (readonly [bus: string, address: number])[]
  readonly pwm: readonly string[]
  /** Serial ports, USB printers, addresses in the network, in words: `the serial port "printer"`. */
  readonly streams: readonly string[]
}

export type BuiltDevice =
  | { readonly kind: 'light'; readonly device: Light }
  | { readonly kind: 'input'; readonly device: Input }
  | { readonly kind: 'capture'; readonly device: CaptureTriggerPort }
  | { readonly kind: 'printer'; readonly device: Printer }
  | { readonly kind: 'gauge'; readonly device: Gauge }

/** Options that have passed the driver's schema, and what follows from them. */
export interface CheckedDevice {
  readonly resources: Resources
  /** Touches no hardware. Throws ConfigError for a line, bus or output that the board does not have. */
  build(host: Host, clock: Clock): BuiltDevice
}

export interface DriverEntry {
  readonly kind: BuiltDevice['kind']
  /** One line for the documents and the error page. */
  readonly summary: string
  readonly schema: Schema<unknown>
  check(name: string, options: unknown, path: string): CheckedDevice
}

export interface Recipe<T> {
  readonly kind: BuiltDevice['kind']
  readonly summary: string
  readonly schema: Schema<T>
  resources(options: T): Partial<Resources>
  build(name: string, options: T, host: Host, clock: Clock): BuiltDevice
}

/** An entry of the catalogue, made of a recipe. */
export function entry<T>(recipe: Recipe<T>): DriverEntry {
  return {
    kind: recipe.kind,
    summary: recipe.summary,
    schema: recipe.schema,
    check: (name, raw, path) => {
      const options = check(recipe.schema, raw, path)
      return {
        resources: { lines: [], i2c: [], pwm: [], streams: [], ...recipe.resources(options) },
        build: (host, clock) =>
          naming(path, options, () => recipe.build(name, options, host, clock)),
      }
    },
  }
}

/** The lines that an option names, those left out aside. */
export const wired = (...lines: readonly (string | null)[]): Pick<Resources, 'lines'> => ({
  lines: lines.filter(line => line !== null),
})

/** A host names the line it does not have; the technician needs the option that names it. */
function naming(path: string, options: unknown, build: () => BuiltDevice): BuiltDevice {
  try {
    return build()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(
      error.problems.map(problem => ({
        ...problem,
        path: `${path}${optionThatNames(problem.path, options)}`,
      })),
    )
  }
}

/** @param boardPath `board.<name>`, of what the board does not have */
function optionThatNames(boardPath: string, options: unknown): string {
  const found = Object.entries(options ?? {}).find(([, value]) => `board.${value}` === boardPath)
  return found ? `.${found[0]}` : ''
}
