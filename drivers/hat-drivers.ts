/** The catalogue's UPS HATs and other sources of power readings. */
import { ConfigError } from '../runtime/core/errors.js'
import {
  integer,
  name as lineName,
  nullable,
  object,
  oneOf,
  pattern,
  withDefault,
} from '../runtime/core/schema.js'
import type { Clock } from '../runtime/ports/clock.js'
import type { Gauge } from '../runtime/ports/gauge.js'
import type { Host, OutputLine } from '../runtime/ports/host.js'
import { EXTERNAL_DEBOUNCE_MS, ExternalLine, type Level } from './external-line.js'
import { ina219 } from './ina219.js'
import { MAX1704X_ADDRESS, max1704x } from './max1704x.js'
import { NutUps } from './nut-ups.js'
import { pijuice } from './pijuice.js'
import { piSugar3 } from './pisugar3.js'
import { powerSupplyGauge } from './power-supply-gauge.js'
import { type BuiltDevice, type DriverEntry, entry, wired } from './recipe.js'
import { WaveshareUps, waveshareBoards } from './waveshare-ups.js'
import { waveshareUpsE } from './waveshare-ups-e.js'
import { X120X_EXTERNAL_LEVEL, X120X_NO_CHARGE_LEVEL, X120x } from './x120x.js'
import { X728, X728_CUT_LEVEL, X728_EXTERNAL_LEVEL } from './x728.js'

const gauge = (device: Gauge): BuiltDevice => ({ kind: 'gauge', device })
/** What the bus leaves to devices (I2C-bus specification, 3.1.12). */
const address = integer({ min: 0x08, max: 0x77 })
/** Below /sys/class/power_supply, and nowhere else. */
const supplyName = pattern(/^\w[\w.:-]{0,63}$/, 'a name as in /sys/class/power_supply', 64)
const hostName = pattern(/^[\w.:-]{1,253}$/, 'a host name or an address', 253)
const upsName = pattern(/^[\w.-]{1,64}$/, 'a name as in `upsc -l`', 64)
/** What a line of NUT's protocol can hold. */
const credential = pattern(/^[ -~]{1,128}$/, 'printable ASCII, 128 characters at most', 128)
const nutSchema = object({
  host: hostName,
  port: withDefault(integer({ min: 1, max: 65_535 }), 3493),
  ups: upsName,
  username: withDefault(nullable(credential), null),
  password: withDefault(nullable(credential), null),
}).refine(({ username, password }) => (username === null) === (password === null), {
  path: ['username'],
  message: 'goes with password: both, or none',
})

function externalLine(host: Host, line: string, external: Level): ExternalLine {
  return new ExternalLine(host.inputLine(line, { debounceMs: EXTERNAL_DEBOUNCE_MS }), {
    external,
    active: host.activeLevel(line),
  })
}

/** A line that the board turns round would be on the dangerous level whenever it is safe. */
function outputAt(host: Host, line: string | null, level: Level): OutputLine | null {
  if (line === null) return null
  const output = host.outputLine(line)
  if (host.activeLevel(line) === level) return output
  const message = `must be active ${level} for this HAT: the board has it the other way round`
  throw new ConfigError([{ path: `board.${line}`, message, place: null }])
}

/** The chip that two families of HATs share. */
const cellGauge = (name: string, host: Host, bus: string, clock: Clock): Gauge =>
  max1704x(host.i2cDevice(bus, MAX1704X_ADDRESS), clock, { name, cells: 1, family: null })

export const hatDrivers: Readonly<Record<string, DriverEntry>> = {
  pisugar3: entry({
    kind: 'gauge',
    summary: 'A PiSugar 3 battery board',
    schema: object({
      bus: lineName,
      address: withDefault(address, 0x57),
      cutSeconds: withDefault(integer({ min: 5, max: 255 }), 60),
    }),
    resources: options => ({ i2c: [[options.bus, options.address]] }),
    build: (name, { bus, address, cutSeconds }, host, clock) =>
      gauge(piSugar3(host.i2cDevice(bus, address), clock, { name, cutSeconds })),
  }),
  pijuice: entry({
    kind: 'gauge',
    summary: 'A PiJuice battery board',
    schema: object({
      bus: lineName,
      address: withDefault(address, 0x14),
      cutSeconds: withDefault(integer({ min: 5, max: 250 }), 60),
    }),
    resources: options => ({ i2c: [[options.bus, options.address]] }),
    build: (name, { bus, address, cutSeconds }, host, clock) =>
      gauge(pijuice(host.i2cDevice(bus, address), clock, { name, cutSeconds })),
  }),
  'waveshare-ups': entry({
    kind: 'gauge',
    summary: 'A Waveshare UPS HAT (B), (C), (D), or UPS Module 3S',
    schema: object({ bus: lineName, model: oneOf('b', 'c', 'd', '3s') }),
    resources: ({ bus, model }) => ({ i2c: [[bus, waveshareBoards[model].address]] }),
    build: (name, { bus, model }, host, clock) => {
      const { address: place, shuntMilliohms, isReversed } = waveshareBoards[model]
      const device = host.i2cDevice(bus, place)
      return gauge(new WaveshareUps(ina219(device, clock, { name, shuntMilliohms, isReversed })))
    },
  }),
  'waveshare-ups-e': entry({
    kind: 'gauge',
    summary: 'A Waveshare UPS HAT (E)',
    schema: object({ bus: lineName, address: withDefault(address, 0x2d) }),
    resources: options => ({ i2c: [[options.bus, options.address]] }),
    build: (name, { bus, address }, host, clock) =>
      gauge(waveshareUpsE(host.i2cDevice(bus, address), clock, { name })),
  }),
  x728: entry({
    kind: 'gauge',
    summary: 'A Geekworm X728: gauge, line that tells of mains, line that cuts the power',
    schema: object({
      bus: lineName,
      externalLine: lineName,
      cutLine: withDefault(nullable(lineName), null),
    }),
    resources: ({ bus, externalLine: line, cutLine }) => ({
      i2c: [[bus, MAX1704X_ADDRESS]],
      ...wired(line, cutLine),
    }),
    build: (name, options, host, clock) =>
      gauge(
        new X728(
          cellGauge(name, host, options.bus, clock),
          externalLine(host, options.externalLine, X728_EXTERNAL_LEVEL),
          outputAt(host, options.cutLine, X728_CUT_LEVEL),
          clock,
        ),
      ),
  }),
  x120x: entry({
    kind: 'gauge',
    summary: 'A SupTronics X1200 to X1209: gauge, line that tells of mains',
    schema: object({
      bus: lineName,
      externalLine: lineName,
      noChargeLine: withDefault(nullable(lineName), null),
    }),
    resources: ({ bus, externalLine: line, noChargeLine }) => ({
      i2c: [[bus, MAX1704X_ADDRESS]],
      ...wired(line, noChargeLine),
    }),
    build: (name, options, host, clock) =>
      gauge(
        new X120x(
          cellGauge(name, host, options.bus, clock),
          externalLine(host, options.externalLine, X120X_EXTERNAL_LEVEL),
          outputAt(host, options.noChargeLine, X120X_NO_CHARGE_LEVEL),
        ),
      ),
  }),
  'power-supply': entry({
    kind: 'gauge',
    summary: 'A battery that the kernel has a driver for',
    schema: object({ supply: supplyName, mains: withDefault(nullable(supplyName), null) }),
    resources: ({ supply }) => ({ streams: [`the power supply "${supply}"`] }),
    build: (name, { supply, mains }, host, clock) =>
      gauge(
        powerSupplyGauge(
          host.powerSupply(supply),
          mains === null ? null : host.powerSupply(mains),
          clock,
          { name },
        ),
      ),
  }),
  'nut-ups': entry({
    kind: 'gauge',
    summary: "A UPS that somebody else's NUT server reads",
    schema: nutSchema,
    resources: ({ host, port, ups }) => ({ streams: [`the UPS "${ups}" at ${host}:${port}`] }),
    build: (name, { host: server, port, ups, username, password }, host, clock) => {
      const login = username === null || password === null ? null : { username, password }
      return gauge(new NutUps(host.tcpStream(server, port, 'beside'), clock, { name, ups, login }))
    },
  }),
}
