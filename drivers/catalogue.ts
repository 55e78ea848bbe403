/** One entry per driver: the options a technician may write in box.json, and how the device is built from them. */
import { ConfigError } from '../runtime/core/errors.js'
import { suggestion } from '../runtime/core/nearest.js'
import {
  boolean,
  check,
  integer,
  jsonSchema,
  name as lineName,
  nullable,
  number,
  object,
  type Schema,
  withDefault,
} from '../runtime/core/schema.js'
import type { Clock } from '../runtime/ports/clock.js'
import type {
  CaptureTrigger as CaptureTriggerPort,
  Input,
  Light,
} from '../runtime/ports/devices.js'
import type { Host } from '../runtime/ports/host.js'
import { Button } from './button.js'
import { CaptureTrigger } from './capture-trigger.js'
import { GAMMA_USUAL } from './gamma.js'
import { GpioLight } from './gpio-light.js'
import { Pca9685Light } from './pca9685-light.js'
import { PwmLight } from './pwm-light.js'

/** What a device takes for itself: no other device may name it. */
export interface Resources {
  readonly lines: readonly string[]
  readonly i2c: readonly (readonly [bus: string, address: number])[]
  readonly pwm: readonly string[]
}

export type BuiltDevice =
  | { readonly kind: 'light'; readonly device: Light }
  | { readonly kind: 'input'; readonly device: Input }
  | { readonly kind: 'capture'; readonly device: CaptureTriggerPort }

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

/** As in box.json. */
export interface DeviceDescription {
  readonly name: string
  readonly driver: string
  readonly options: unknown
}

interface Recipe<T> {
  readonly kind: BuiltDevice['kind']
  readonly summary: string
  readonly schema: Schema<T>
  resources(options: T): Partial<Resources>
  build(name: string, options: T, host: Host, clock: Clock): BuiltDevice
}

function entry<T>(recipe: Recipe<T>): DriverEntry {
  return {
    kind: recipe.kind,
    summary: recipe.summary,
    schema: recipe.schema,
    check: (name, raw, path) => {
      const options = check(recipe.schema, raw, path)
      return {
        resources: { lines: [], i2c: [], pwm: [], ...recipe.resources(options) },
        build: (host, clock) =>
          naming(path, options, () => recipe.build(name, options, host, clock)),
      }
    },
  }
}

const light = (device: Light): BuiltDevice => ({ kind: 'light', device })
const input = (device: Input): BuiltDevice => ({ kind: 'input', device })
const capture = (device: CaptureTriggerPort): BuiltDevice => ({ kind: 'capture', device })
const wired = (...lines: readonly (string | null)[]): Pick<Resources, 'lines'> => ({
  lines: lines.filter(line => line !== null),
})

const leadMs = integer({ min: 0, max: 2000 })
const gamma = withDefault(number({ min: 1, max: 4 }), GAMMA_USUAL)

/** A button and its kin differ in their defaults only. */
function contact(
  summary: string,
  defaults: { debounceMs: number; settleMs: number; holdOffMs: number },
): DriverEntry {
  return entry({
    kind: 'input',
    summary,
    schema: object({
      line: lineName,
      debounceMs: withDefault(integer({ min: 0, max: 1000 }), defaults.debounceMs),
      settleMs: withDefault(integer({ min: 0, max: 1000 }), defaults.settleMs),
      holdOffMs: withDefault(integer({ min: 0, max: 60_000 }), defaults.holdOffMs),
      longPressMs: withDefault(integer({ min: 0, max: 60_000 }), 1000),
    }),
    resources: ({ line }) => wired(line),
    build: (name, { line, debounceMs, ...options }, host, clock) =>
      input(new Button(host.inputLine(line, { debounceMs }), clock, { name, ...options })),
  })
}

export const catalogue: Readonly<Record<string, DriverEntry>> = {
  'gpio-light': entry({
    kind: 'light',
    summary: 'A lamp or relay on a line: on or off',
    schema: object({
      line: lineName,
      leadMs: withDefault(leadMs, 0),
      threshold: withDefault(number({ min: 0.01, max: 1 }), 0.5),
    }),
    resources: ({ line }) => wired(line),
    build: (name, { line, ...options }, host, clock) =>
      light(new GpioLight(host.outputLine(line), clock, { name, ...options })),
  }),
  'pwm-light': entry({
    kind: 'light',
    summary: 'A dimmed lamp on a PWM output of the board',
    schema: object({
      output: lineName,
      frequencyHz: withDefault(integer({ min: 100, max: 100_000 }), 1000),
      gamma,
    }),
    resources: ({ output }) => ({ pwm: [output] }),
    build: (name, { output, ...options }, host, clock) =>
      light(new PwmLight(host.pwmOutput(output), clock, { name, ...options })),
  }),
  'pca9685-light': entry({
    kind: 'light',
    summary: 'Up to 16 dimmed channels on a PCA9685 at an I2C address',
    schema: object({
      bus: lineName,
      /**
       * 0x70 is the chip's all-call address: every PCA9685 listens there until it is configured. From 0x78 on the bus
       * keeps addresses for itself (I2C-bus specification, 3.1.12).
       */
      address: withDefault(
        integer({ min: 0x40, max: 0x77 }).refine(
          address => address !== 0x70,
          'must not be 112, where every PCA9685 answers after power-on',
        ),
        0x40,
      ),
      frequencyHz: withDefault(integer({ min: 24, max: 1526 }), 1000),
      gamma,
      channels: withDefault(integer({ min: 1, max: 16 }), 16),
      isStaggered: withDefault(boolean, false),
      outputEnableLine: withDefault(nullable(lineName), null),
    }),
    resources: ({ bus, address, outputEnableLine }) => ({
      i2c: [[bus, address]],
      ...wired(outputEnableLine),
    }),
    build: (name, { bus, address, channels, outputEnableLine, ...options }, host, clock) =>
      light(
        new Pca9685Light(
          host.i2cDevice(bus, address),
          outputEnableLine === null ? null : host.outputLine(outputEnableLine),
          clock,
          { name, channelCount: channels, ...options },
        ),
      ),
  }),
  button: contact('A push button', { debounceMs: 1, settleMs: 20, holdOffMs: 0 }),
  footswitch: contact('A footswitch, with springs that bounce longer', {
    debounceMs: 2,
    settleMs: 60,
    holdOffMs: 0,
  }),
  contact: contact('A light barrier or a sensor that switches cleanly, heard once in a while', {
    debounceMs: 0,
    settleMs: 0,
    holdOffMs: 200,
  }),
  'capture-trigger': entry({
    kind: 'capture',
    summary: "A camera's shutter contact, with focus and sync where they are wired",
    schema: object({
      shutterLine: lineName,
      focusLine: withDefault(nullable(lineName), null),
      syncLine: withDefault(nullable(lineName), null),
      pulseMs: withDefault(integer({ min: 10, max: 5000 }), 100),
      focusLeadMs: withDefault(leadMs, 0),
      minGapMs: withDefault(integer({ min: 20, max: 60_000 }), 20),
      lagMs: withDefault(number({ min: 0, max: 2000 }), 0),
      syncWindowMs: withDefault(integer({ min: 1, max: 5000 }), 500),
    }),
    resources: ({ shutterLine, focusLine, syncLine }) => wired(shutterLine, focusLine, syncLine),
    build: (name, { shutterLine, focusLine, syncLine, ...options }, host, clock) =>
      capture(
        new CaptureTrigger(
          {
            shutter: host.outputLine(shutterLine),
            focus: focusLine === null ? null : host.outputLine(focusLine),
            // A sync contact is an electronic switch or a voltage: it does not bounce, and its moment counts.
            sync: syncLine === null ? null : host.inputLine(syncLine, { debounceMs: 0 }),
          },
          clock,
          { name, ...options },
        ),
      ),
  }),
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
