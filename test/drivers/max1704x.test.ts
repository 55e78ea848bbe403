import t from 'tap'
import {
  cellMillivolts,
  familyOf,
  MAX1704X_ADDRESS,
  type Max1704xOptions,
  max1704x,
  percentOf,
  percentPerHour,
  wasPoweredUp,
} from '../../drivers/max1704x.js'
import { WordRegisterChip } from '../../drivers/simulated/chips.js'
import { Max1704xChip } from '../../drivers/simulated/max1704x-chip.js'
import type { Gauge } from '../../runtime/ports/gauge.js'
import { faultsOf, readOne } from './gauge-bench.js'
import { type GaugeChipBench, imageOf, makeGaugeBench, wordAt } from './gauge-chip-bench.js'

const VCELL = 0x02
const SOC = 0x04
const CONFIG = 0x0c
const STATUS = 0x1a
const MINUTE_MS = 60_000

interface Rig extends GaugeChipBench<Max1704xChip> {
  readonly gauge: Gauge
}

async function started(options: Partial<Max1704xOptions> = {}): Promise<Rig> {
  const { family = 'max17048', cells = 1 } = options
  const bench = makeGaugeBench(
    MAX1704X_ADDRESS,
    () => new Max1704xChip({ family: family ?? 'max17048', cells, milliampHours: 3000 }),
  )
  const gauge = max1704x(bench.device, bench.clock, { name: 'pack', family, cells })
  await gauge.start()
  // The first reading tells that the chip was just powered.
  await gauge.read()
  return { ...bench, gauge }
}

t.test('the voltage: 78.125 uV a step, or 1.25 mV in the upper twelve bits', async t => {
  t.equal(cellMillivolts(0xcd00, 'max17048'), 4100)
  t.equal(cellMillivolts(1, 'max17048'), 0.078125)
  t.equal(cellMillivolts(0xffff, 'max17048'), 5119.921875)
  t.equal(cellMillivolts(0xb900, 'max17040'), 3700, '0xb90 times 1.25 mV')
  t.equal(cellMillivolts(0xb90f, 'max17040'), 3700, 'the lowest four bits mean nothing')
  t.equal(cellMillivolts(0xfff0, 'max17040'), 5118.75)
})

t.test('the charge: 1/256 % a step, and more than 100 as it is told', async t => {
  t.equal(percentOf(0x5700), 87)
  t.equal(percentOf(0x5780), 87.5)
  t.equal(percentOf(0x0001), 1 / 256)
  t.equal(percentOf(0x6580), 101.5)
})

t.test('the rate: 0.208 %/h a step, both signs', async t => {
  t.equal(percentPerHour(1), 0.208)
  t.equal(percentPerHour(0xffff), -0.208)
  t.ok(Math.abs(percentPerHour(0xffd0) + 9.984) < 1e-9)
  t.ok(Math.abs(percentPerHour(240) - 49.92) < 1e-9)
})

t.test('two flags of the status tell of a supply that was gone, the others do not', async t => {
  t.equal(wasPoweredUp(0x0100), true, 'RI')
  t.equal(wasPoweredUp(0x0800), true, 'VR')
  for (const flag of [0x0200, 0x0400, 0x1000, 0x2000, 0x4000, 0x8000, 0x00ff])
    t.equal(wasPoweredUp(flag), false, flag.toString(16))
})

t.test('the version tells the family', async t => {
  for (const version of [0x0010, 0x0011, 0x0012, 0x001f]) t.equal(familyOf(version), 'max17048')
  for (const version of [0x0001, 0x0002, 0x0003, 0x0020]) t.equal(familyOf(version), 'max17040')
  for (const version of [0x0000, 0xffff, 0x1200, 0x0310]) t.equal(familyOf(version), null)
})

t.test('measures what is there, within the steps of each chip', async t => {
  for (const [family, cells, stepMillivolts] of [
    ['max17048', 1, 0.04],
    ['max17048', 2, 0.08],
    ['max17040', 1, 0.625],
    ['max17040', 2, 1.25],
  ] as const) {
    const { gauge, chip } = await started({ family, cells })
    Object.assign(chip.truth, { millivolts: 3777.7 * cells, percent: 61.23 })
    const reading = await readOne(gauge)
    t.ok(Math.abs((reading.millivolts ?? 0) - 3777.7 * cells) <= stepMillivolts, family)
    t.ok(Math.abs((reading.percent ?? 0) - 61.23) <= 0.002, family)
    t.same(reading.troubles, [])
    t.match(reading, { milliamps: null, celsius: null, isExternal: null, wasReset: false })
  }
})

t.test('a MAX17048 tells whether it is charged, and how long it lasts', async t => {
  const { gauge, chip } = await started()
  Object.assign(chip.truth, { percent: 50, milliamps: -1500 })
  const draining = await readOne(gauge)
  t.equal(draining.isCharging, false)
  t.ok(Math.abs((draining.secondsToEmpty ?? 0) - 3600) < 10, `${draining.secondsToEmpty} s`)
  chip.truth.milliamps = 1500
  t.match(await readOne(gauge), { isCharging: true, secondsToEmpty: null })
  chip.truth.milliamps = -15
  t.match(await readOne(gauge), { isCharging: false, secondsToEmpty: null }, 'no trend')
})

t.test('a MAX17043 does not, and says so', async t => {
  const { gauge, chip } = await started({ family: 'max17040' })
  chip.truth.milliamps = -1500
  t.match(await readOne(gauge), { isCharging: null, secondsToEmpty: null })
})

t.test('a new cell is noticed, told once, and what is first guessed of it is not told', async t => {
  const { gauge, chip } = await started()
  t.match(await readOne(gauge), { wasReset: false, percent: 75 })
  chip.reset()
  t.match(await readOne(gauge), {
    millivolts: 3900,
    percent: null,
    isCharging: null,
    secondsToEmpty: null,
    wasReset: true,
    troubles: ['reset'],
  })
  t.equal(wordAt(chip, STATUS), 0, 'acknowledged')
  t.match(await readOne(gauge), { percent: 75, wasReset: false, troubles: [] })
})

t.test('a cell that was changed while the box was off is told by the first reading', async t => {
  const { device, clock } = makeGaugeBench(
    MAX1704X_ADDRESS,
    () => new Max1704xChip({ family: 'max17048', cells: 1, milliampHours: 3000 }),
  )
  const gauge = max1704x(device, clock, { name: 'pack', family: null, cells: 1 })
  await gauge.start()
  t.match(await readOne(gauge), { wasReset: true, percent: null })
  t.match(await readOne(gauge), { wasReset: false, percent: 75 })
})

t.test('its other flags are left as they are', async t => {
  const { gauge, chip } = await started()
  chip.write(STATUS, Uint8Array.of(0x53, 0))
  t.equal((await readOne(gauge)).wasReset, true)
  t.equal(wordAt(chip, STATUS), 0x5200)
})

t.test('a gauge that was put to sleep is woken, and nothing else is changed', async t => {
  const { gauge, chip } = await started()
  chip.write(CONFIG, Uint8Array.of(0x97, 0x9c))
  await gauge.stop()
  await gauge.start()
  t.equal(wordAt(chip, CONFIG), 0x971c)
})

t.test('what the gauge has learned is never thrown away', async t => {
  const { gauge, chip } = await started()
  for (let round = 0; round < 3; round++) {
    await gauge.read()
    chip.reset()
    await gauge.read()
    await gauge.stop()
    await gauge.start()
  }
  t.equal(chip.quickStarts, 0)
})

t.test('ones and zeros are unknown, never 0 % or 100 %', async t => {
  for (const family of ['max17048', 'max17040'] as const) {
    const { gauge, chip } = await started({ family })
    chip.pattern = 'all-ones'
    t.match(await readOne(gauge), {
      millivolts: null,
      percent: null,
      isCharging: null,
      wasReset: false,
      troubles: ['implausible'],
    })
    chip.pattern = 'all-zeros'
    t.match(await readOne(gauge), { millivolts: null, percent: null, troubles: ['no-pack'] })
  }
})

t.test('a charge that cannot be is unknown, and the voltage is told', async t => {
  const { gauge, chip } = await started()
  await gauge.read()
  chip.force(VCELL, 0xcd00)
  for (const word of [0xffff, 0x7e00, 0x0000]) {
    chip.force(SOC, word)
    t.match(await readOne(gauge), {
      millivolts: 4100,
      percent: null,
      secondsToEmpty: null,
      troubles: ['implausible'],
    })
  }
  chip.force(SOC, 0x6580)
  t.match(await readOne(gauge), { percent: 101.5, troubles: [] })
  chip.force(VCELL, 0x9600)
  chip.force(SOC, 0)
  t.match(await readOne(gauge), { millivolts: 3000, percent: 0, troubles: [] }, 'really empty')
})

t.test('a voltage that stands still while the charge goes is stuck', async t => {
  const { gauge, chip, clock } = await started()
  for (let minute = 0; minute < 30; minute++) {
    chip.truth.percent = 75 - minute / 4
    t.same((await readOne(gauge)).troubles, [])
    await clock.advance(MINUTE_MS)
  }
  t.match(await readOne(gauge), { millivolts: null, percent: 67.75, troubles: ['stuck'] })
})

t.test('a pack at rest is not stuck', async t => {
  const { gauge, clock } = await started()
  for (let minute = 0; minute < 300; minute++) {
    t.same((await readOne(gauge)).troubles, [])
    await clock.advance(MINUTE_MS)
  }
})

t.test('the wrong family, and a stranger, are refused and not written to', async t => {
  for (const [family, version] of [
    ['max17048', 0x0003],
    ['max17040', 0x0012],
    ['max17040', 0x0000],
    ['max17040', 0x0310],
    [null, 0xffff],
  ] as const) {
    const { device, clock, chip } = makeGaugeBench(MAX1704X_ADDRESS, () => new WordRegisterChip())
    chip.words[0x08] = version
    const before = imageOf(chip)
    const gauge = max1704x(device, clock, { name: 'pack', family, cells: 1 })
    await t.rejects(gauge.start(), {
      code: 'device.absent',
      message: /^what answers at 0x36 is no MAX1704[08]: register 0x08 reads 0x/,
    })
    t.same(imageOf(chip), before)
  }
})

t.test('a clone on a board is read like its family, and told once', async t => {
  for (const version of [0x0000, 0x0310, 0x4000]) {
    const { device, clock, chip } = makeGaugeBench(MAX1704X_ADDRESS, () => new WordRegisterChip())
    // VCELL and SOC of a UPS-Lite, as davidem/UPS-Lite shows its registers.
    chip.words.set([0xb520], VCELL)
    chip.words.set([0x230f], SOC)
    chip.words[0x08] = version
    chip.words[CONFIG] = 0x9700
    const before = imageOf(chip)
    const gauge = max1704x(device, clock, { name: 'pack', family: null, cells: 1 })
    await gauge.start()
    const known = { millivolts: 3_622.5, percent: 0x230f / 256, wasReset: false }
    t.match(await readOne(gauge), { ...known, troubles: ['unfamiliar'] }, version.toString(16))
    t.match(await readOne(gauge), { ...known, troubles: [] })
    await gauge.stop()
    await gauge.start()
    t.match(await readOne(gauge), { troubles: ['unfamiliar'] }, 'of each start')
    t.same(imageOf(chip), before, 'and nothing was written')
  }
})

t.test('one that is known is not told, whichever of the families it is', async t => {
  for (const [version, vcell] of [
    [0x0002, 0xb520],
    [0x0012, 0xb520],
  ] as const) {
    const { device, clock, chip } = makeGaugeBench(MAX1704X_ADDRESS, () => new WordRegisterChip())
    chip.words[VCELL] = vcell
    chip.words[SOC] = 0x230f
    chip.words[0x08] = version
    const gauge = max1704x(device, clock, { name: 'pack', family: null, cells: 1 })
    await gauge.start()
    t.match(await readOne(gauge), { millivolts: 3_622.5, troubles: [] })
  }
})

t.test('two cells in series: 156.25 uV a step of a MAX17049, 2.5 mV of a MAX17041', async t => {
  for (const [family, version, vcell, millivolts] of [
    ['max17048', 0x0011, 0xc350, 7_812.5],
    ['max17048', 0x0011, 0xc351, 7_812.65625],
    ['max17040', 0x0002, 0xb900, 7_400],
    ['max17040', 0x0002, 0xb91f, 7_402.5],
  ] as const) {
    const { device, clock, chip } = makeGaugeBench(MAX1704X_ADDRESS, () => new WordRegisterChip())
    chip.words[VCELL] = vcell
    chip.words[SOC] = 0x3200
    chip.words[0x08] = version
    const gauge = max1704x(device, clock, { name: 'pack', family, cells: 2 })
    await gauge.start()
    t.match(await readOne(gauge), { millivolts, percent: 50 }, vcell.toString(16))
  }
})

t.test('one that is gone is a fault, and stops quietly', async t => {
  const { gauge, chip } = await started()
  const faults = faultsOf(gauge)
  chip.isPlugged = false
  await t.rejects(gauge.read(), { code: 'device.absent' })
  t.equal(faults.length, 1)
  await gauge.stop()
  await gauge.stop()
  await t.rejects(gauge.start(), { code: 'device.absent' })
  chip.isPlugged = true
  await gauge.start()
  t.match(await readOne(gauge), { percent: 75 })
})

t.test('has no power to cut, and hears of no mains', async t => {
  const { gauge } = await started()
  t.equal(await gauge.cutPower(), false)
  gauge.onExternal(() => {})()
})
