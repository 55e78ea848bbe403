/** The second pass over the devices of `box.json`: what one schema alone cannot see. Touches no hardware. */
import { checkDevice } from '../drivers/catalogue.js'
import type { BuiltDevice, Resources } from '../drivers/recipe.js'
import type { BoxConfig } from './config.js'
import { ConfigError, type Problem } from './core/errors.js'
import { suggestion } from './core/nearest.js'
import type { Clock } from './ports/clock.js'
import type { Host } from './ports/host.js'
import { powerProblems } from './services/power/check-power.js'
import type { KnownDevice } from './services/show/draft.js'

export type Fitted = BuiltDevice & {
  readonly driver: string
  /** As in box.json; they have passed the driver's schema. */
  readonly options: unknown
  readonly resources: Resources
}

/**
 * Builds every device, and finds unknown drivers, wrong options, names used twice, and two devices on one line,
 * address or output.
 * @throws ConfigError with the problems of all devices
 */
export function fitDevices(config: BoxConfig, host: Host, clock: Clock): readonly Fitted[] {
  const problems: Problem[] = []
  const owners = new Map<string, string>()
  const fitted: Fitted[] = []
  for (const [index, entry] of config.devices.entries()) {
    const path = `box.devices[${index}]`
    claim(owners, `the name "${entry.name}"`, entry.name, `${path}.name`, problems)
    try {
      const { resources, build } = checkDevice(entry, path)
      for (const resource of namesOf(resources))
        claim(owners, resource, entry.name, `${path}.options`, problems)
      const { driver, options } = entry
      fitted.push({ ...build(host, clock), driver, options, resources })
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.push(...error.problems)
    }
  }
  problems.push(
    ...chordProblems(config, fitted, owners),
    ...packProblems(config, fitted),
    ...rollProblems(config, fitted),
  )
  if (problems.length > 0) throw new ConfigError(problems)
  return fitted
}

/** What a show may speak of: the devices, and the chords of its inputs. */
export const knownDevices = (
  { chords }: BoxConfig,
  fitted: readonly Fitted[],
): readonly KnownDevice[] => [
  ...fitted.map(({ kind, device }) => ({
    name: device.name,
    kind,
    channelCount: kind === 'light' ? device.channelCount : null,
    isDimmable: kind === 'light' ? device.isDimmable : null,
  })),
  ...chords.map(({ name }) => ({
    name,
    kind: 'input' as const,
    channelCount: null,
    isDimmable: null,
  })),
]

function claim(
  owners: Map<string, string>,
  resource: string,
  device: string,
  path: string,
  problems: Problem[],
): void {
  const owner = owners.get(resource)
  if (owner === undefined) owners.set(resource, device)
  else problems.push({ path, message: `${resource} is already used by "${owner}"`, place: null })
}

const namesOf = ({ lines, i2c, pwm, streams }: Resources): readonly string[] => [
  ...lines.map(line => `the line "${line}"`),
  ...i2c.map(([bus, address]) => `the address ${address} (0x${address.toString(16)}) on "${bus}"`),
  ...pwm.map(output => `the output "${output}"`),
  ...streams,
]

/** A chord shares its namespace with devices, since triggers name either. */
function chordProblems(
  config: BoxConfig,
  fitted: readonly Fitted[],
  owners: Map<string, string>,
): readonly Problem[] {
  const inputs = fitted.filter(({ kind }) => kind === 'input').map(({ device }) => device.name)
  const problems: Problem[] = []
  for (const [index, chord] of config.chords.entries()) {
    const path = `box.chords[${index}]`
    claim(owners, `the name "${chord.name}"`, chord.name, `${path}.name`, problems)
    for (const [position, input] of chord.inputs.entries())
      if (!inputs.includes(input))
        problems.push({
          path: `${path}.inputs[${position}]`,
          message: `there is no input "${input}"${suggestion(input, inputs)}`,
          place: null,
        })
  }
  return problems
}

function packProblems({ power }: BoxConfig, fitted: readonly Fitted[]): readonly Problem[] {
  const gauges = fitted.flatMap(part => (part.kind === 'gauge' ? [part.device] : []))
  const packCounts = new Map(gauges.map(({ name, packCount }) => [name, packCount]))
  return power === null ? [] : powerProblems(power.packs, packCounts)
}

function rollProblems({ printing }: BoxConfig, fitted: readonly Fitted[]): readonly Problem[] {
  const printers = fitted.filter(({ kind }) => kind === 'printer').map(({ device }) => device.name)
  return Object.keys(printing.rollMetres)
    .filter(printer => !printers.includes(printer))
    .map(printer => ({
      path: `box.printing.rollMetres.${printer}`,
      message: `there is no printer "${printer}"${suggestion(printer, printers)}`,
      place: null,
    }))
}
