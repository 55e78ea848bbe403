import t from 'tap'
import {
  busMillivolts,
  busVoltage,
  type Ina3221Options,
  ina3221,
  isConverted,
  shuntDrop,
  shuntMicrovolts,
} from '../../drivers/ina3221.js'
import { WordRegisterChip } from '../../drivers/simulated/chips.js'
import { Ina3221Chip } from '../../drivers/simulated/ina3221-chip.js'
import type { Gauge } from '../../runtime/ports/gauge.js'
import { faultsOf, readOne } from './gauge-bench.js'
import {
  CONVERSION_MS,
  type GaugeChipBench,
  imageOf,
  makeGaugeBench,
  nextReading,
  wordAt,
} from './gauge-chip-bench.js'

const ADDRESS = 0x41

interface Rig extends GaugeChipBench<Ina3221Chip> {
  readonly gauge: Gauge
}

const usual: Ina3221Options = {
  name: 'packs',
  shuntMilliohms: 100,
  isReversed: false,
  packChannels: [1],
  externalChannel: null,
  externalMillivoltsMin: 4400,
}

async function started(options: Partial<Ina3221Options> = {}): Promise<Rig> {
  const bench = makeGaugeBench(ADDRESS, clock => new Ina3221Chip(clock, { shuntMilliohms: 100 }))
  bench.chip.converter.noiseSteps = 0
  const gauge = ina3221(bench.device, bench.clock, { ...usual, ...options })
  await gauge.start()
  return { ...bench, gauge }
}

t.test(
  "the data sheet's examples: 13 bits that stand to the left, in two's complement",
  async t => {
    t.equal(shuntMicrovolts(0xc180), -80_000, 'section 8.6.2.2')
    t.equal(shuntMicrovolts(0x3e80), 80_000)
    t.equal(shuntMicrovolts(0x7ff8), 163_800, 'full scale')
    t.equal(shuntMicrovolts(0x8000), -163_840)
    t.equal(shuntMicrovolts(0x0008), 40)
    t.equal(shuntMicrovolts(0xfff8), -40)
    t.equal(shuntMicrovolts(0), 0)
    t.equal(busMillivolts(0x7ff8), 32_760, 'full scale')
    t.equal(busMillivolts(0x0008), 8)
    t.equal(busMillivolts(0x2ee0), 12_000)
  },
)

t.test('a drop at the end of its range is told with a reservation', async t => {
  t.match(shuntDrop(0x7ff0), { value: 163_760 })
  for (const [word, value] of [
    [0x7ff8, 163_800],
    [0x8000, -163_840],
    [0x8008, -163_800],
  ] as const)
    t.match(shuntDrop(word), { value, trouble: 'overflow' })
  t.match(shuntDrop(0x8010), { value: -163_760, trouble: null })
  t.match(shuntDrop(0xffff), { value: null, trouble: 'implausible' })
  t.match(shuntDrop(0x3e81), { value: null, trouble: 'implausible' }, 'a reserved bit')
  t.match(busVoltage(0x7ff8), { trouble: 'overflow' })
  t.match(busVoltage(0xffff), { trouble: 'implausible' })
  t.same([isConverted(0x0001), isConverted(0x0002)], [true, false])
})

t.test(
  "the data sheet's words, as they are on the wire, with the ready flag and without",
  async t => {
    const { device, clock, chip } = makeGaugeBench(ADDRESS, () => new WordRegisterChip())
    chip.words[0] = 0x7127
    chip.words.set([0xc180, 0x2ee0, 0x0008, 0x2ee8, 0x0000, 0x0000], 1)
    chip.words.set([0x5449, 0x3220], 0xfe)
    const gauge = ina3221(device, clock, { ...usual, packChannels: [1, 2], externalChannel: 3 })
    await gauge.start()
    const packs = [
      { millivolts: 12_000, milliamps: -800, isCharging: false, troubles: [] },
      { millivolts: 12_008, milliamps: 0.4, isCharging: false, troubles: [] },
    ]
    t.match(await gauge.read(), packs)
    t.match(await gauge.read(), [{ isExternal: null }, {}], 'nothing was measured there yet')
    chip.words[0x0f] = 0x0001
    t.match(await gauge.read(), packs)
    t.match(await gauge.read(), [{ isExternal: false }, {}])
    // What a customer of TI's took for 4294 A (e2e.ti.com, thread 1296731) is -40 uV.
    chip.words[1] = 0xfff8
    t.match(await gauge.read(), [{ milliamps: -0.4 }, {}])
  },
)

t.test('reads its packs in the order of the options, each within its own steps', async t => {
  const { gauge, chip, clock } = await started({ packChannels: [3, 1] })
  t.equal(gauge.packCount, 2)
  Object.assign(chip.truths[0], { millivolts: 8_400, milliamps: -750 })
  Object.assign(chip.truths[1], { millivolts: 5_000, milliamps: 9 })
  Object.assign(chip.truths[2], { millivolts: 12_345, milliamps: 1_500.2 })
  await clock.advance(CONVERSION_MS)
  const [first, second, ...others] = await gauge.read()
  t.same(others, [])
  t.ok(Math.abs((first?.millivolts ?? 0) - 12_345) <= 4)
  t.ok(Math.abs((first?.milliamps ?? 0) - 1_500.2) < 0.21)
  t.match(second, { millivolts: 8_400, milliamps: -750.0, isCharging: false, isExternal: null })
  t.match(first, { isCharging: true, troubles: [] })
})

t.test('only what is wired is converted, slowly', async t => {
  for (const [options, word] of [
    [{ packChannels: [1] }, 0x4727],
    [{ packChannels: [2, 3] }, 0x3727],
    [{ packChannels: [1, 2], externalChannel: 3 }, 0x7727],
  ] as const) {
    const { chip } = await started(options)
    t.equal(wordAt(chip, 0), word)
  }
})

t.test('power from outside is there when its channel has a voltage', async t => {
  const { gauge, chip, clock } = await started({ externalChannel: 2 })
  for (const [millivolts, isExternal] of [
    [5_100, true],
    [4_400, true],
    [4_392, false],
    [0, false],
  ] as const) {
    chip.truths[1].millivolts = millivolts
    const reading = await nextReading(gauge, clock)
    t.equal(reading.isExternal, isExternal, `${millivolts} mV`)
    t.same(reading.troubles, [])
  }
})

t.test('whether there is power from outside is unknown when its channel is', async t => {
  const { gauge, chip, clock } = await started({ externalChannel: 2 })
  t.equal((await readOne(gauge)).isExternal, null, 'not ready')
  chip.truths[1].millivolts = 40_000
  t.equal((await nextReading(gauge, clock)).isExternal, null, 'beyond its range')
})

t.test('a reset is noticed, told by every pack, and the settings are written again', async t => {
  const { gauge, chip, clock } = await started({ packChannels: [1, 2] })
  await clock.advance(CONVERSION_MS)
  await gauge.read()
  chip.reset()
  await clock.advance(CONVERSION_MS)
  t.match(await gauge.read(), [
    { milliamps: null, wasReset: true, troubles: ['reset'] },
    { milliamps: null, wasReset: true, troubles: ['reset'] },
  ])
  t.equal(wordAt(chip, 0), 0x6727)
  await clock.advance(CONVERSION_MS)
  t.match(await gauge.read(), [{ wasReset: false, troubles: [] }, { troubles: [] }])
})

t.test(
  'nothing is told before the first conversion has ended, and not by one that has stopped',
  async t => {
    const { gauge, chip, clock } = await started()
    t.match(await readOne(gauge), { millivolts: null, troubles: ['not-ready'] })
    t.match(await nextReading(gauge, clock), { troubles: [] })
    chip.converter.isHalted = true
    await clock.advance(9_000)
    t.match(await nextReading(gauge, clock), { millivolts: null, troubles: ['not-ready'] })
  },
)

t.test('a bus of ones or of zeros is unknown', async t => {
  const { gauge, chip, clock } = await started()
  await nextReading(gauge, clock)
  for (const pattern of ['all-ones', 'all-zeros'] as const) {
    chip.pattern = pattern
    t.match(await nextReading(gauge, clock), { millivolts: null, troubles: ['implausible'] })
  }
})

t.test('values that stand still under load are stuck, of that pack alone', async t => {
  const { gauge, chip, clock } = await started({ packChannels: [1, 2] })
  chip.truths[0].milliamps = -400
  chip.truths[1].milliamps = 0
  for (let minute = 0; minute <= 10; minute++) {
    await clock.advance(60_000)
    await gauge.read()
  }
  t.match(await gauge.read(), [{ millivolts: null, troubles: ['stuck'] }, { troubles: [] }])
})

t.test('another chip is refused and not written to', async t => {
  const { device, clock, chip } = makeGaugeBench(ADDRESS, () => new WordRegisterChip())
  chip.words.set([0x5449, 0x2260], 0xfe)
  const before = imageOf(chip)
  await t.rejects(ina3221(device, clock, usual).start(), {
    code: 'device.absent',
    message: 'what answers at 0x41 is no INA3221: register 0xff reads 0x2260',
  })
  chip.words[0xfe] = 0
  await t.rejects(ina3221(device, clock, usual).start(), { code: 'device.absent' })
  chip.words[0xfe] = 0x5449
  t.same(imageOf(chip), before)
})

t.test('one that is gone is a fault', async t => {
  const { gauge, chip } = await started()
  const faults = faultsOf(gauge)
  chip.isPlugged = false
  await t.rejects(gauge.read(), { code: 'device.absent' })
  t.equal(faults.length, 1)
  await gauge.stop()
  await gauge.stop()
})

t.test('has no power to cut, and hears of no mains by a line', async t => {
  const { gauge } = await started()
  t.equal(await gauge.cutPower(), false)
  gauge.onExternal(() => {})()
})
