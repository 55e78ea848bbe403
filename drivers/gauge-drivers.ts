/** The catalogue's battery gauges: bare chips, on whatever board. */
import {
  boolean,
  eitherForm,
  integer,
  name as lineName,
  list,
  literal,
  nullable,
  number,
  object,
  withDefault,
} from '../runtime/core/schema.js'
import type { Gauge } from '../runtime/ports/gauge.js'
import { BQ27441_ADDRESS, bq27441 } from './bq27441.js'
import { ina219 } from './ina219.js'
import { ina226 } from './ina226.js'
import { ina3221 } from './ina3221.js'
import { LC709203F_ADDRESS, lc709203f } from './lc709203f.js'
import { MAX1704X_ADDRESS, type Max1704xFamily, max1704x } from './max1704x.js'
import { type BuiltDevice, type DriverEntry, entry } from './recipe.js'

const gauge = (device: Gauge): BuiltDevice => ({ kind: 'gauge', device })

const shunt = {
  /** Of the resistor that is fitted: boards of one name differ. */
  shuntMilliohms: withDefault(number({ min: 0.1, max: 1000 }), 100),
  isReversed: withDefault(boolean, false),
}
const channel = eitherForm('1, 2 or 3', literal(1), literal(2), literal(3))
const cells = withDefault(eitherForm('1 or 2', literal(1), literal(2)), 1)

const shuntSchema = object({
  bus: lineName,
  address: withDefault(integer({ min: 0x40, max: 0x4f }), 0x40),
  ...shunt,
})

const ina3221Schema = object({
  bus: lineName,
  address: withDefault(integer({ min: 0x40, max: 0x43 }), 0x40),
  ...shunt,
  packChannels: withDefault(list(channel, { min: 1, max: 3 }), [1]),
  externalChannel: withDefault(nullable(channel), null),
  externalMillivoltsMin: withDefault(integer({ min: 500, max: 30_000 }), 4_400),
})
  .refine(({ packChannels }) => new Set(packChannels).size === packChannels.length, {
    path: ['packChannels'],
    message: 'must name each channel once',
  })
  .refine(
    ({ packChannels, externalChannel }) =>
      externalChannel === null || !packChannels.includes(externalChannel),
    { path: ['externalChannel'], message: 'must not be a channel of a pack' },
  )

/** One, or two in series, without a shunt. */
function voltageGauge(family: Max1704xFamily, summary: string): DriverEntry {
  return entry({
    kind: 'gauge',
    summary,
    schema: object({ bus: lineName, cells }),
    resources: ({ bus }) => ({ i2c: [[bus, MAX1704X_ADDRESS]] }),
    build: (name, options, host, clock) => {
      const device = host.i2cDevice(options.bus, MAX1704X_ADDRESS)
      return gauge(max1704x(device, clock, { name, cells: options.cells, family }))
    },
  })
}

export const gaugeDrivers: Readonly<Record<string, DriverEntry>> = {
  ina219: entry({
    kind: 'gauge',
    summary: 'Voltage and current of a pack, by an INA219 or INA220',
    schema: shuntSchema,
    resources: ({ bus, address }) => ({ i2c: [[bus, address]] }),
    build: (name, { bus, address, ...options }, host, clock) =>
      gauge(ina219(host.i2cDevice(bus, address), clock, { name, ...options })),
  }),
  ina226: entry({
    kind: 'gauge',
    summary: 'Voltage and current of a pack, finer, by an INA226',
    schema: shuntSchema,
    resources: ({ bus, address }) => ({ i2c: [[bus, address]] }),
    build: (name, { bus, address, ...options }, host, clock) =>
      gauge(ina226(host.i2cDevice(bus, address), clock, { name, ...options })),
  }),
  ina3221: entry({
    kind: 'gauge',
    summary: 'Voltages and currents of up to three packs, or of packs and the supply from outside',
    schema: ina3221Schema,
    resources: ({ bus, address }) => ({ i2c: [[bus, address]] }),
    build: (name, { bus, address, ...options }, host, clock) =>
      gauge(ina3221(host.i2cDevice(bus, address), clock, { name, ...options })),
  }),
  max17040: voltageGauge(
    'max17040',
    'Voltage and charge of one or two cells, by a MAX17040, 41, 43 or 44',
  ),
  max17048: voltageGauge(
    'max17048',
    'Voltage, charge and trend of one or two cells, by a MAX17048 or 49',
  ),
  lc709203f: entry({
    kind: 'gauge',
    summary: 'Voltage and charge of one cell, by an LC709203F',
    schema: object({
      bus: lineName,
      packAdjustment: withDefault(integer({ min: 0, max: 255 }), 54),
      profile: withDefault(eitherForm('0 or 1', literal(0), literal(1)), 1),
      hasThermistor: withDefault(boolean, false),
    }),
    resources: ({ bus }) => ({ i2c: [[bus, LC709203F_ADDRESS]] }),
    build: (name, { bus, ...options }, host, clock) =>
      gauge(lc709203f(host.i2cDevice(bus, LC709203F_ADDRESS), clock, { name, ...options })),
  }),
  bq27441: entry({
    kind: 'gauge',
    summary: 'Voltage, current, charge and capacity of one cell, by a BQ27441-G1',
    schema: object({
      bus: lineName,
      milliampHours: integer({ min: 100, max: 8_000 }),
      emptyMillivolts: withDefault(integer({ min: 2_500, max: 3_700 }), 3_200),
    }),
    resources: ({ bus }) => ({ i2c: [[bus, BQ27441_ADDRESS]] }),
    build: (name, { bus, ...options }, host, clock) =>
      gauge(bq27441(host.i2cDevice(bus, BQ27441_ADDRESS), clock, { name, ...options })),
  }),
}
