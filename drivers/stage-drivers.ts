/** The catalogue's lights, inputs and capture triggers. */
import {
  boolean,
  integer,
  name as lineName,
  nullable,
  number,
  object,
  withDefault,
} from '../runtime/core/schema.js'
import type {
  CaptureTrigger as CaptureTriggerPort,
  Input,
  Light,
} from '../runtime/ports/devices.js'
import { Button } from './button.js'
import { CaptureTrigger } from './capture-trigger.js'
import { GAMMA_USUAL } from './gamma.js'
import { GpioLight } from './gpio-light.js'
import { Pca9685Light } from './pca9685-light.js'
import { PwmLight } from './pwm-light.js'
import { type BuiltDevice, type DriverEntry, entry, wired } from './recipe.js'

const light = (device: Light): BuiltDevice => ({ kind: 'light', device })
const input = (device: Input): BuiltDevice => ({ kind: 'input', device })
const capture = (device: CaptureTriggerPort): BuiltDevice => ({ kind: 'capture', device })
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

export const stageDrivers: Readonly<Record<string, DriverEntry>> = {
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
