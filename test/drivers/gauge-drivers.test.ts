/** Goal: box.json, catalogue, driver and chip fit together. Method: the smallest options, on the simulated venue. */
import t from 'tap'
import { buildDevice, checkDevice } from '../../drivers/catalogue.js'
import { gaugeDrivers } from '../../drivers/gauge-drivers.js'
import { Bq27441Chip } from '../../drivers/simulated/bq27441-chip.js'
import type { SimulatedChip } from '../../drivers/simulated/chips.js'
import type { SimulatedClock } from '../../drivers/simulated/clock.js'
import { Ina219Chip } from '../../drivers/simulated/ina219-chip.js'
import { Ina226Chip } from '../../drivers/simulated/ina226-chip.js'
import { Ina3221Chip } from '../../drivers/simulated/ina3221-chip.js'
import { Lc709203fChip } from '../../drivers/simulated/lc709203f-chip.js'
import { Max1704xChip } from '../../drivers/simulated/max1704x-chip.js'
import type { PackTruth } from '../../drivers/simulated/pack-truth.js'
import { plugGauge } from '../../drivers/simulated/venue.js'
import { ConfigError } from '../../runtime/core/errors.js'
import type { Gauge, GaugeReading } from '../../runtime/ports/gauge.js'
import { type Bench, during, makeBench } from './bench.js'
import { CONVERSION_MS } from './gauge-chip-bench.js'

const truth: PackTruth = { millivolts: 3_725, milliamps: -642, percent: 53.7, celsius: 21 }
const max = (family: 'max17040' | 'max17048') => () =>
  new Max1704xChip({ family, cells: 1, milliampHours: 3000, truth })

interface Kind {
  readonly options: Readonly<Record<string, unknown>>
  readonly address: number
  readonly chip: (clock: SimulatedClock) => SimulatedChip
  /** How far each value may be off; null where the chip does not tell. */
  readonly steps: {
    readonly millivolts: number
    readonly milliamps: number | null
    readonly percent: number | null
  }
}

const shunt = { shuntMilliohms: 100, truth }
const kinds: Readonly<Record<string, Kind>> = {
  ina219: {
    options: {},
    address: 0x40,
    chip: clock => new Ina219Chip(clock, shunt),
    steps: { millivolts: 2, milliamps: 0.15, percent: null },
  },
  ina226: {
    options: {},
    address: 0x40,
    chip: clock => new Ina226Chip(clock, shunt),
    steps: { millivolts: 0.7, milliamps: 0.05, percent: null },
  },
  ina3221: {
    options: {},
    address: 0x40,
    chip: clock => new Ina3221Chip(clock, { shuntMilliohms: 100, truths: [truth, truth, truth] }),
    steps: { millivolts: 4, milliamps: 0.61, percent: null },
  },
  max17040: {
    options: {},
    address: 0x36,
    chip: max('max17040'),
    steps: { millivolts: 0.7, milliamps: null, percent: 0.002 },
  },
  max17048: {
    options: {},
    address: 0x36,
    chip: max('max17048'),
    steps: { millivolts: 0.04, milliamps: null, percent: 0.002 },
  },
  lc709203f: {
    options: {},
    address: 0x0b,
    chip: () => new Lc709203fChip(truth),
    steps: { millivolts: 0.5, milliamps: null, percent: 0.051 },
  },
  bq27441: {
    options: { milliampHours: 3000 },
    address: 0x55,
    chip: clock => new Bq27441Chip(clock, truth),
    steps: { millivolts: 0.5, milliamps: 0.5, percent: 0.5 },
  },
}

function build({ host, clock }: Bench, driver: string): Gauge {
  const options = { bus: 'header', ...kinds[driver]?.options }
  const built = buildDevice({ name: 'pack', driver, options }, 'box', host, clock)
  if (built.kind !== 'gauge') throw new Error(`${driver} is no gauge`)
  return built.device
}

/** Until it has measured, and has told that it was just powered. */
async function settled({ clock }: Bench, gauge: Gauge): Promise<GaugeReading> {
  await during(clock, gauge.start(), 10_000)
  for (let round = 0; ; round++) {
    await clock.advance(CONVERSION_MS)
    const [reading] = await gauge.read()
    if (reading === undefined) throw new Error('no reading')
    if (round === 3 || reading.troubles.length === 0) return reading
  }
}

t.test('each gauge with its smallest options tells what is there', async t => {
  t.same(Object.keys(kinds).sort(), Object.keys(gaugeDrivers).sort())
  for (const [driver, { address, chip, steps }] of Object.entries(kinds)) {
    const bench = makeBench()
    bench.host.bus('header').plug(address, chip(bench.clock))
    const reading = await settled(bench, build(bench, driver))
    t.same(reading.troubles, [], driver)
    for (const quantity of ['millivolts', 'milliamps', 'percent'] as const) {
      const step = steps[quantity]
      const value = reading[quantity]
      if (step === null) t.equal(value, null, `${driver} tells no ${quantity}`)
      else
        t.ok(
          value !== null && Math.abs(value - truth[quantity]) <= step,
          `${driver}: ${value} ${quantity}`,
        )
    }
  }
})

t.test('each gauge takes its address for itself', async t => {
  for (const [driver, { options, address }] of Object.entries(kinds)) {
    const description = { name: 'pack', driver, options: { bus: 'header', ...options } }
    t.same(checkDevice(description, 'box').resources.i2c, [['header', address]], driver)
  }
})

t.test('the simulated venue has the chip of each gauge, and a cell that drains', async t => {
  for (const [driver, { address }] of Object.entries(kinds)) {
    const bench = makeBench()
    t.not(plugGauge(bench.host, bench.clock, { driver, bus: 'header', address }), null, driver)
    const gauge = build(bench, driver)
    const first = await settled(bench, gauge)
    await bench.clock.advance(3_600_000)
    const [later] = await gauge.read()
    t.ok((later?.millivolts ?? 0) < (first.millivolts ?? 0), driver)
    t.same(later?.troubles, [], driver)
  }
  const { host, clock } = makeBench()
  t.equal(plugGauge(host, clock, { driver: 'button', bus: 'header', address: 0x40 }), null)
})

t.test('a venue that runs for hours has no stuck gauge', async t => {
  for (const driver of ['ina219', 'ina226', 'ina3221', 'max17048']) {
    const bench = makeBench()
    const { address = 0 } = kinds[driver] ?? {}
    plugGauge(bench.host, bench.clock, { driver, bus: 'header', address })
    const gauge = build(bench, driver)
    await settled(bench, gauge)
    const troubles: unknown[] = []
    for (let reading = 0; reading < 360; reading++) {
      await bench.clock.advance(10_000)
      troubles.push(...(await gauge.read()).flatMap(one => one.troubles))
    }
    t.same(troubles, [], driver)
  }
})

t.test('an option that cannot be is refused with path, range and value', async t => {
  for (const [driver, options, message] of [
    [
      'ina219',
      { shuntMilliohms: 0 },
      /options\.shuntMilliohms: must be between 0\.1 and 1000, is 0/,
    ],
    ['ina219', { address: 0x50 }, /options\.address: must be between 64 and 79, is 80/],
    ['ina3221', { packChannels: [] }, /options\.packChannels: must have at least 1 entries/],
    ['ina3221', { packChannels: [4] }, /options\.packChannels\[0\]: must be 1, 2 or 3, is 4/],
    ['ina3221', { packChannels: [1, 1] }, /options\.packChannels: must name each channel once/],
    [
      'ina3221',
      { externalChannel: 1 },
      /options\.externalChannel: must not be a channel of a pack/,
    ],
    ['max17048', { cells: 3 }, /options\.cells: must be 1 or 2, is 3/],
    ['lc709203f', { profile: 2 }, /options\.profile: must be 0 or 1, is 2/],
    ['bq27441', {}, /options\.milliampHours: is missing/],
  ] as const) {
    const description = { name: 'pack', driver, options: { bus: 'header', ...options } }
    try {
      checkDevice(description, 'box.devices[0]')
      t.fail(`${driver} takes ${JSON.stringify(options)}`)
    } catch (error) {
      t.ok(error instanceof ConfigError)
      t.match(error, { message })
    }
  }
})
