import t from 'tap'
import {
  busMillivolts,
  busVoltage,
  calibrationFor,
  type Ina226Options,
  ina226,
  isConverted,
  isOverflown,
  shuntDrop,
  shuntMicrovolts,
} from '../../drivers/ina226.js'
import { WordRegisterChip } from '../../drivers/simulated/chips.js'
import { Ina219Chip } from '../../drivers/simulated/ina219-chip.js'
import { Ina226Chip } from '../../drivers/simulated/ina226-chip.js'
import type { Gauge } from '../../runtime/ports/gauge.js'
import { faultsOf, readOne } from './gauge-bench.js'
import {
  type GaugeChipBench,
  imageOf,
  makeGaugeBench,
  nextReading,
  wordAt,
} from './gauge-chip-bench.js'

const ADDRESS = 0x44

interface Rig extends GaugeChipBench<Ina226Chip> {
  readonly gauge: Gauge
}

async function started(options: Partial<Ina226Options> = {}): Promise<Rig> {
  const { shuntMilliohms = 10, isReversed = false } = options
  const bench = makeGaugeBench(ADDRESS, clock => new Ina226Chip(clock, { shuntMilliohms }))
  bench.chip.converter.noiseSteps = 0
  const gauge = ina226(bench.device, bench.clock, { name: 'pack', shuntMilliohms, isReversed })
  await gauge.start()
  return { ...bench, gauge }
}

t.test("the data sheet's example: 10 A through 2 milliohms at 12 V", async t => {
  t.equal(shuntMicrovolts(0x1f40), 20_000)
  t.equal(busMillivolts(0x2570), 11_980)
  t.equal(calibrationFor({ shuntMilliohms: 2, milliampsMax: 32_768 }), 0x0a00, '1 mA a step')
  t.equal((0x1f40 * 0x0a00) / 2048, 0x2710, 'what its current register holds')
})

t.test('both signs of the shunt register, to its ends', async t => {
  t.equal(shuntMicrovolts(0x8300), -80_000, "the data sheet's example of -80 mV")
  t.equal(shuntMicrovolts(0x7d00), 80_000)
  t.equal(shuntMicrovolts(0xffff), -2.5)
  t.equal(shuntMicrovolts(0x0001), 2.5)
  t.match(shuntDrop(0x7ffe), { value: 81_915 })
  t.match(shuntDrop(0x7fff), { value: 81_917.5, trouble: 'overflow' }, 'full scale, or more')
  t.match(shuntDrop(0x8000), { value: -81_920, trouble: 'overflow' })
  t.match(shuntDrop(0x8001), { value: -81_917.5, trouble: null })
})

t.test('a voltage beyond what the register can hold is unknown', async t => {
  t.equal(busMillivolts(0x7fff), 40_958.75)
  t.match(busVoltage(28_800), { value: 36_000 })
  t.match(busVoltage(0x7fff), { value: null, trouble: 'overflow' })
  t.match(busVoltage(0x8000), { value: null, trouble: 'implausible' })
  t.match(busVoltage(0xffff), { value: null, trouble: 'implausible' })
})

t.test('the flags of the conversion are bits 3 and 2', async t => {
  t.same([isConverted(0x0008), isConverted(0x0004)], [true, false])
  t.same([isOverflown(0x0004), isOverflown(0x0008)], [true, false])
})

t.test('the calibration makes the current register count the drop', async t => {
  for (let shuntMilliohms = 1; shuntMilliohms <= 1000; shuntMilliohms++) {
    const calibration = calibrationFor({ shuntMilliohms, milliampsMax: 81_920 / shuntMilliohms })
    if (calibration !== 2048) t.fail(`${shuntMilliohms} milliohms: ${calibration}`)
  }
})

t.test('measures what is there, within its own steps', async t => {
  const { gauge, chip, clock } = await started()
  for (const [millivolts, milliamps] of [
    [12_300, -1234.5],
    [3_001, 0.25],
    [36_000, 8_191],
    [8_399, -8_191],
    [4_000, 0],
  ] as const) {
    Object.assign(chip.truth, { millivolts, milliamps })
    const reading = await nextReading(gauge, clock)
    t.ok(Math.abs((reading.millivolts ?? 0) - millivolts) <= 0.625, `${reading.millivolts} mV`)
    t.ok(Math.abs((reading.milliamps ?? 9999) - milliamps) <= 0.125, `${reading.milliamps} mA`)
    t.same(reading.troubles, [])
  }
})

t.test(
  'is set to average 128 samples of 1.1 ms, and to a calibration that cannot overflow',
  async t => {
    const { chip } = await started()
    t.equal(wordAt(chip, 0), 0x4927)
    t.equal(wordAt(chip, 5), 2048)
  },
)

t.test('nothing is told before the first conversion has ended', async t => {
  const { gauge, chip, clock } = await started()
  Object.assign(chip.truth, { millivolts: 12_000, milliamps: -500 })
  await clock.advance(281)
  t.match(await readOne(gauge), { millivolts: null, milliamps: null, troubles: ['not-ready'] })
  await clock.advance(1)
  t.match(await readOne(gauge), { millivolts: 12_000, milliamps: -500, troubles: [] })
  await clock.advance(100)
  t.match(await readOne(gauge), { millivolts: 12_000, milliamps: -500, troubles: [] }, 'the last')
})

t.test('a chip that has stopped converting is not believed', async t => {
  const { gauge, chip, clock } = await started()
  await nextReading(gauge, clock)
  chip.converter.isHalted = true
  await clock.advance(9_000)
  t.match(await nextReading(gauge, clock), {
    millivolts: null,
    milliamps: null,
    troubles: ['not-ready'],
  })
})

t.test('a reset is noticed, told once, and the settings are written again', async t => {
  const { gauge, chip, clock } = await started()
  Object.assign(chip.truth, { millivolts: 12_000, milliamps: -500 })
  await nextReading(gauge, clock)
  chip.reset()
  t.match(await nextReading(gauge, clock), {
    millivolts: 12_000,
    milliamps: null,
    wasReset: true,
    troubles: ['reset'],
  })
  t.same([wordAt(chip, 0), wordAt(chip, 5)], [0x4927, 2048])
  t.match(await nextReading(gauge, clock), { milliamps: -500, wasReset: false, troubles: [] })
})

t.test('an overflow of its arithmetic makes the current unknown, and not the voltage', async t => {
  const { device, clock, chip } = makeGaugeBench(ADDRESS, () => new WordRegisterChip())
  chip.words.set([0x4127, 0x1f40, 0x2570])
  chip.words.set([0x5449, 0x2261], 0xfe)
  chip.words[6] = 0x0008
  const gauge = ina226(device, clock, { name: 'pack', shuntMilliohms: 2, isReversed: false })
  await gauge.start()
  t.match(await readOne(gauge), { millivolts: 11_980, milliamps: 10_000, troubles: [] })
  chip.words[6] = 0x000c
  t.match(await readOne(gauge), { millivolts: 11_980, milliamps: null, troubles: ['overflow'] })
  chip.words[6] = 0x0000
  t.match(
    await readOne(gauge),
    { millivolts: 11_980, milliamps: 10_000, troubles: [] },
    'somebody else has cleared the ready flag',
  )
  for (const [shunt, milliamps] of [
    [0x8300, -40_000],
    [0xffff, -1.25],
    [0x0001, 1.25],
    [0xe0c0, -10_000],
  ] as const) {
    chip.words[1] = shunt
    t.match(await readOne(gauge), { milliamps, troubles: [] }, shunt.toString(16))
  }
  chip.words.set([0, 0], 1)
  t.match(await readOne(gauge), { millivolts: null, troubles: ['no-pack'] }, 'measured before')
})

t.test('more current than the range holds is told as the least that it is', async t => {
  const { gauge, chip, clock } = await started()
  chip.truth.milliamps = -9000
  t.match(await nextReading(gauge, clock), { milliamps: -8192, troubles: ['overflow'] })
})

t.test('a bus of ones or of zeros is unknown', async t => {
  const { gauge, chip, clock } = await started()
  await nextReading(gauge, clock)
  for (const pattern of ['all-ones', 'all-zeros'] as const) {
    chip.pattern = pattern
    t.match(await nextReading(gauge, clock), {
      millivolts: null,
      milliamps: null,
      wasReset: false,
      troubles: ['implausible'],
    })
  }
})

t.test('values that stand still under load are stuck', async t => {
  const { gauge, chip, clock } = await started()
  chip.truth.milliamps = -400
  await nextReading(gauge, clock)
  chip.isStuck = true
  for (let minute = 0; minute < 10; minute++) {
    t.same((await readOne(gauge)).troubles, [])
    await clock.advance(60_000)
  }
  t.match(await readOne(gauge), { millivolts: null, milliamps: null, troubles: ['stuck'] })
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

t.test('another chip, even of the same maker, is refused and not written to', async t => {
  const other = (entries: Readonly<Record<number, number>>) => () => {
    const chip = new WordRegisterChip()
    for (const [register, word] of Object.entries(entries)) chip.words[Number(register)] = word
    return chip
  }
  for (const make of [
    other({ 254: 0x5449, 255: 0x3220 }),
    other({ 254: 0x2054, 255: 0x2260 }),
    other({}),
  ]) {
    const { device, clock, chip } = makeGaugeBench(ADDRESS, make)
    const before = imageOf(chip)
    const gauge = ina226(device, clock, { name: 'pack', shuntMilliohms: 2, isReversed: false })
    await t.rejects(gauge.start(), { code: 'device.absent', message: /no INA226: register 0xf/ })
    t.same(imageOf(chip), before)
  }
  const { device, clock } = makeGaugeBench(
    ADDRESS,
    clock => new Ina219Chip(clock, { shuntMilliohms: 100 }),
  )
  const gauge = ina226(device, clock, { name: 'pack', shuntMilliohms: 2, isReversed: false })
  await t.rejects(gauge.start(), { code: 'device.absent' })
})

t.test('has no power to cut, and hears of no mains', async t => {
  const { gauge } = await started()
  t.equal(await gauge.cutPower(), false)
  gauge.onExternal(() => {})()
})
