import t from 'tap'
import {
  busMillivolts,
  busVoltage,
  calibrationFor,
  type Ina219Options,
  ina219,
  isConverted,
  isOverflown,
  shuntDrop,
  shuntMicrovolts,
} from '../../drivers/ina219.js'
import {
  RegisterChip,
  type SimulatedChip,
  WordRegisterChip,
} from '../../drivers/simulated/chips.js'
import type { SimulatedClock } from '../../drivers/simulated/clock.js'
import { Ina219Chip } from '../../drivers/simulated/ina219-chip.js'
import { Pca9685Chip } from '../../drivers/simulated/pca9685-chip.js'
import type { Gauge } from '../../runtime/ports/gauge.js'
import { during, makeBench } from './bench.js'
import { faultsOf, readOne } from './gauge-bench.js'
import {
  CONVERSION_MS,
  type GaugeChipBench,
  imageOf,
  makeGaugeBench,
  nextReading,
  wordAt,
} from './gauge-chip-bench.js'

const ADDRESS = 0x40

interface Rig extends GaugeChipBench<Ina219Chip> {
  readonly gauge: Gauge
}

async function started(options: Partial<Ina219Options> = {}): Promise<Rig> {
  const { shuntMilliohms = 100, isReversed = false } = options
  const bench = makeGaugeBench(ADDRESS, clock => new Ina219Chip(clock, { shuntMilliohms }))
  bench.chip.converter.noiseSteps = 0
  const gauge = ina219(bench.device, bench.clock, { name: 'pack', shuntMilliohms, isReversed })
  await gauge.start()
  return { ...bench, gauge }
}

t.test("the data sheet's example: 10 A through 2 milliohms at 12 V", async t => {
  t.equal(shuntMicrovolts(0x07d0), 20_000)
  t.equal(busMillivolts(0x5d98), 11_980)
  t.equal(calibrationFor({ shuntMilliohms: 2, milliampsMax: 32_768 }), 0x5000, '1 mA a step')
  t.equal(Math.trunc((0x07d0 * 0x5000) / 4096), 0x2710, 'what its current register holds')
})

t.test("the data sheet's table of the shunt register, both signs of every range", async t => {
  for (const [word, microvolts] of [
    [0x7d00, 320_000],
    [0x3e80, 160_000],
    [0x1f40, 80_000],
    [0x0fa0, 40_000],
    [0x0001, 10],
    [0x0000, 0],
    [0xffff, -10],
    [0xf060, -40_000],
    [0xe0c0, -80_000],
    [0xc180, -160_000],
    [0x8300, -320_000],
  ] as const)
    t.equal(shuntMicrovolts(word), microvolts, word.toString(16))
})

t.test('the voltage stands above three bits that are none of it', async t => {
  t.equal(busMillivolts(0x1f40 << 3), 32_000)
  t.equal(busMillivolts((0x0fa0 << 3) | 0x7), 16_000)
  t.equal(busMillivolts(0x0003), 0)
  t.same([isConverted(0x0002), isConverted(0x0001)], [true, false])
  t.same([isOverflown(0x0001), isOverflown(0x0002)], [true, false])
})

t.test('the calibration is even, and the usual boards have theirs', async t => {
  t.equal(calibrationFor({ shuntMilliohms: 100, milliampsMax: 3_276.8 }), 4096)
  t.equal(calibrationFor({ shuntMilliohms: 10, milliampsMax: 4_993.84 }), 26_876)
  for (let shuntMilliohms = 1; shuntMilliohms <= 1000; shuntMilliohms++) {
    const calibration = calibrationFor({ shuntMilliohms, milliampsMax: 327_680 / shuntMilliohms })
    if (calibration !== 4096) t.fail(`${shuntMilliohms} milliohms: ${calibration}`)
  }
})

t.test(
  'a drop at the end of its range is told with a reservation, what is beyond is none',
  async t => {
    t.match(shuntDrop(0x7cff), { value: 319_990 })
    t.match(shuntDrop(0x7d00), { value: 320_000, trouble: 'overflow' })
    t.match(shuntDrop(0x8300), { value: -320_000, trouble: 'overflow' }, 'example of 8.6.3.1')
    t.match(shuntDrop(0x7d01), { value: null, trouble: 'implausible' })
    t.match(shuntDrop(0x8000), { value: null, trouble: 'implausible' })
    t.match(shuntDrop(0xffff), { value: -10 }, 'a small current, and not all ones')
    t.match(busVoltage((7999 << 3) | 2), { value: 31_996 })
    t.match(busVoltage((8000 << 3) | 2), { value: null, trouble: 'overflow' })
    t.match(busVoltage((8001 << 3) | 2), { value: null, trouble: 'implausible' })
    t.match(busVoltage(0xffff), { value: null, trouble: 'implausible' })
    t.match(
      busVoltage(0x5d9c),
      { value: null, trouble: 'implausible' },
      'a bit that does not exist',
    )
  },
)

t.test('measures what is there, within its own steps', async t => {
  const { gauge, chip, clock } = await started()
  for (const [millivolts, milliamps] of [
    [12_300, -1234.5],
    [3_001, 0.1],
    [26_000, 3_199.9],
    [8_399, -3_199.9],
    [4_000, 0],
  ] as const) {
    Object.assign(chip.truth, { millivolts, milliamps })
    const reading = await nextReading(gauge, clock)
    t.ok(Math.abs((reading.millivolts ?? 0) - millivolts) <= 2, `${reading.millivolts} mV`)
    t.ok(Math.abs((reading.milliamps ?? 9999) - milliamps) <= 0.05, `${reading.milliamps} mA`)
    t.same(reading.troubles, [])
    t.match(reading, { percent: null, isExternal: null, secondsToEmpty: null, wasReset: false })
  }
})

t.test('into the pack is positive, however the board is wired', async t => {
  const { gauge, chip, clock } = await started({ isReversed: true, shuntMilliohms: 10 })
  chip.truth.milliamps = -2500
  t.match(await nextReading(gauge, clock), { milliamps: 2500, isCharging: true })
  chip.truth.milliamps = 2500
  t.match(await nextReading(gauge, clock), { milliamps: -2500, isCharging: false })
  chip.truth.milliamps = 0
  t.equal(Object.is((await nextReading(gauge, clock)).milliamps, 0), true)
})

t.test('a current within the offset of the chip is no charging', async t => {
  const { gauge, chip, clock } = await started()
  chip.truth.milliamps = 1
  t.match(await nextReading(gauge, clock), { milliamps: 1, isCharging: false })
  chip.truth.milliamps = 1.1
  t.match(await nextReading(gauge, clock), { milliamps: 1.1, isCharging: true })
})

t.test(
  'is set to average 128 samples of each, and to a calibration that cannot overflow',
  async t => {
    const { chip } = await started()
    t.equal(wordAt(chip, 0), 0x3fff)
    t.equal(wordAt(chip, 5), 4096)
  },
)

t.test('nothing is told before the first conversion has ended', async t => {
  const { gauge, chip, clock } = await started()
  Object.assign(chip.truth, { millivolts: 12_000, milliamps: -500 })
  await clock.advance(100)
  t.match(await readOne(gauge), { millivolts: null, milliamps: null, troubles: ['not-ready'] })
  await clock.advance(37)
  t.match(await readOne(gauge), { millivolts: 12_000, milliamps: -500, troubles: [] })
})

t.test('two readings within one conversion tell the same', async t => {
  const { gauge, clock } = await started()
  const first = await nextReading(gauge, clock)
  await clock.advance(10)
  t.match(await readOne(gauge), { millivolts: first.millivolts, troubles: [] })
})

t.test('a chip that has stopped converting is not believed', async t => {
  const { gauge, chip, clock } = await started()
  await nextReading(gauge, clock)
  chip.converter.isHalted = true
  await clock.advance(9_000)
  t.match(await nextReading(gauge, clock), {
    millivolts: null,
    milliamps: null,
    isCharging: null,
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
    isCharging: null,
    wasReset: true,
    troubles: ['reset'],
  })
  t.same([wordAt(chip, 0), wordAt(chip, 5)], [0x3fff, 4096])
  t.match(await nextReading(gauge, clock), { milliamps: -500, wasReset: false, troubles: [] })
})

t.test('just after a reset its registers hold nothing, which is not 0 V', async t => {
  const { gauge, chip, clock } = await started()
  await nextReading(gauge, clock)
  chip.reset()
  t.match(await readOne(gauge), {
    millivolts: null,
    milliamps: null,
    wasReset: true,
    troubles: ['reset', 'not-ready'],
  })
})

t.test('a calibration that was lost alone is a reset, too', async t => {
  const { gauge, chip, clock } = await started()
  await nextReading(gauge, clock)
  chip.write(5, Uint8Array.of(0, 0))
  t.match(await nextReading(gauge, clock), { milliamps: null, wasReset: true })
  t.equal(wordAt(chip, 5), 4096)
})

t.test('a chip that was reset between stop and start is told as such', async t => {
  const { gauge, chip, clock } = await started()
  await gauge.stop()
  await gauge.start()
  t.equal((await nextReading(gauge, clock)).wasReset, false)
  await gauge.stop()
  chip.reset()
  await gauge.start()
  const reading = await nextReading(gauge, clock)
  t.match(reading, { wasReset: true, troubles: ['reset'] })
  t.not(reading.milliamps, null, 'by our own settings again')
  t.equal((await nextReading(gauge, clock)).wasReset, false)
})

t.test('an overflow of its arithmetic makes the current unknown, and not the voltage', async t => {
  const { device, clock, chip } = makeGaugeBench(ADDRESS, () => new WordRegisterChip())
  chip.words.set([0x399f, 0x07d0, (3075 << 3) | 2])
  const gauge = ina219(device, clock, { name: 'pack', shuntMilliohms: 100, isReversed: false })
  await gauge.start()
  t.match(await readOne(gauge), { millivolts: 12_300, milliamps: 200, troubles: [] })
  chip.words[2] = (3075 << 3) | 3
  t.match(await readOne(gauge), { millivolts: 12_300, milliamps: null, troubles: ['overflow'] })
})

t.test('more current than the range holds is told as the least that it is', async t => {
  const { gauge, chip, clock } = await started()
  chip.truth.milliamps = -5000
  t.match(await nextReading(gauge, clock), {
    milliamps: -3200,
    isCharging: false,
    troubles: ['overflow'],
  })
})

/** A chip that keeps what is written, and holds what it was given: no converter. */
async function holding(
  words: Readonly<Record<number, number>>,
  options: { shuntMilliohms: number },
): Promise<{ gauge: Gauge; chip: WordRegisterChip; clock: SimulatedClock }> {
  const { device, clock, chip } = makeGaugeBench(ADDRESS, () => new WordRegisterChip())
  for (const [register, word] of Object.entries({ 0: 0x399f, ...words }))
    chip.words[Number(register)] = word
  const gauge = ina219(device, clock, { name: 'pack', isReversed: false, ...options })
  await gauge.start()
  return { gauge, chip, clock }
}

t.test("the data sheet's words, as they are on the wire", async t => {
  for (const [bus, shunt, shuntMilliohms, reading] of [
    // Figure 27 and table 8: 12 V, 10 A through 2 milliohms; CNVR as the register there has it.
    [0x5d98, 0x07d0, 2, { millivolts: 11_980, milliamps: 10_000, troubles: [] }],
    [0x5d9a, 0x07d0, 2, { millivolts: 11_980, milliamps: 10_000, troubles: [] }],
    [0x5d9b, 0x07d0, 2, { millivolts: 11_980, milliamps: null, troubles: ['overflow'] }],
    // Table 7, each range of the amplifier, both signs.
    [0x5d9a, 0x0fa0, 100, { milliamps: 400, troubles: [] }],
    [0x5d9a, 0xf060, 100, { milliamps: -400, troubles: [] }],
    [0x5d9a, 0x1f40, 100, { milliamps: 800, troubles: [] }],
    [0x5d9a, 0xe0c0, 100, { milliamps: -800, troubles: [] }],
    [0x5d9a, 0x3e80, 100, { milliamps: 1_600, troubles: [] }],
    [0x5d9a, 0xc180, 100, { milliamps: -1_600, troubles: [] }],
    [0x5d9a, 0x8301, 100, { milliamps: -3_199.9, troubles: [] }],
    [0x5d9a, 0x8300, 100, { milliamps: -3_200, troubles: ['overflow'] }],
    [0x5d9a, 0xffff, 100, { milliamps: -0.1, isCharging: false, troubles: [] }],
    // hjw163/INA219-Utilities on a UPS HAT: "-6.330mV", "8.196V", "Ready", "In range".
    [0x400a, 0xfd87, 100, { millivolts: 8_196, milliamps: -63.3, isCharging: false }],
  ] as const) {
    const { gauge } = await holding({ 1: shunt, 2: bus }, { shuntMilliohms })
    t.match(await readOne(gauge), reading, `${bus.toString(16)} ${shunt.toString(16)}`)
  }
})

t.test('ones on the bus in one word or all are unknown, and no 0 V', async t => {
  const { gauge, chip } = await holding({ 1: 0x07d0, 2: 0x5d9a }, { shuntMilliohms: 2 })
  chip.words.set([0xffff, 0xffff], 1)
  t.match(await readOne(gauge), { millivolts: null, troubles: ['implausible'] })
})

t.test('a voltage is told without the ready flag, a zero is not', async t => {
  const { gauge, chip } = await holding({ 1: 0x07d0, 2: 0x5d98 }, { shuntMilliohms: 2 })
  t.match(await readOne(gauge), { millivolts: 11_980, milliamps: 10_000, troubles: [] })
  chip.words[2] = 0x0000
  t.match(await readOne(gauge), { millivolts: null, milliamps: null, troubles: ['not-ready'] })
  chip.words[2] = 0x0002
  t.match(await readOne(gauge), { millivolts: null, milliamps: null, troubles: ['no-pack'] })
})

t.test('a bus of ones or of zeros is unknown, and nothing is written', async t => {
  const { gauge, chip, clock, bus } = await started()
  await nextReading(gauge, clock)
  for (const pattern of ['all-ones', 'all-zeros'] as const) {
    chip.pattern = pattern
    const before = bus.transferCount
    t.match(await nextReading(gauge, clock), {
      millivolts: null,
      milliamps: null,
      wasReset: false,
      troubles: ['implausible'],
    })
    t.equal(bus.transferCount - before, 2, 'only looked at')
  }
  chip.pattern = null
  t.match(await nextReading(gauge, clock), { troubles: [] })
})

t.test('no voltage is no pack', async t => {
  const { gauge, chip, clock } = await started()
  chip.truth.millivolts = 40
  t.match(await nextReading(gauge, clock), {
    millivolts: null,
    milliamps: null,
    troubles: ['no-pack'],
  })
})

t.test('values that stand still under load are stuck; with noise they are not', async t => {
  for (const [noiseSteps, isStuck, troubles] of [
    [0, true, ['stuck']],
    [1, false, []],
  ] as const) {
    const { gauge, chip, clock } = await started()
    chip.truth.milliamps = -400
    chip.converter.noiseSteps = noiseSteps
    await nextReading(gauge, clock)
    chip.isStuck = isStuck
    for (let minute = 0; minute < 10; minute++) {
      t.same((await readOne(gauge)).troubles, [])
      await clock.advance(60_000)
    }
    const reading = await readOne(gauge)
    t.same(reading.troubles, troubles)
    t.equal(reading.milliamps === null && reading.millivolts === null, isStuck)
  }
})

t.test('one that is gone is a fault, told once, and reads no more', async t => {
  const { gauge, chip, clock } = await started()
  const faults = faultsOf(gauge)
  chip.isPlugged = false
  await t.rejects(gauge.read(), { code: 'device.absent' })
  await t.rejects(gauge.read(), { code: 'device.absent' })
  t.equal(faults.length, 1)
  chip.isPlugged = true
  await gauge.stop()
  await gauge.start()
  t.match(await nextReading(gauge, clock), { troubles: [] })
})

t.test('a bus that fails is a fault with its own code', async t => {
  const { gauge, bus } = await started()
  bus.isStuck = true
  await t.rejects(gauge.read(), { code: 'device.stuck' })
})

t.test(
  'is found on a chip that was left in mid-action, and leaves it alone when stopped',
  async t => {
    const { gauge, chip, bus } = await started()
    chip.write(0, Uint8Array.of(0x39, 0x9a))
    await gauge.stop()
    await gauge.start()
    t.equal(wordAt(chip, 0), 0x3fff)
    const before = bus.transferCount
    await gauge.stop()
    await gauge.stop()
    t.equal(bus.transferCount, before)
    await t.rejects(gauge.read(), { code: 'device.absent' })
  },
)

t.test(
  'a dimmer, a later chip, and plain memory are told apart without being written to',
  async t => {
    const words = (entries: Readonly<Record<number, number>>) => {
      const chip = new WordRegisterChip()
      for (const [register, word] of Object.entries(entries)) chip.words[Number(register)] = word
      return chip
    }
    const atWork = (clock: SimulatedClock): Pca9685Chip => {
      const chip = new Pca9685Chip(clock, () => true)
      chip.write(0, Uint8Array.of(0x20))
      return chip
    }
    const bytes = new RegisterChip()
    bytes.registers.set([0x39, 0x9f, 0xff, 0x01])
    const strangers: Readonly<Record<string, (clock: SimulatedClock) => SimulatedChip>> = {
      'a dimmer after power-on': clock => new Pca9685Chip(clock, () => true),
      'a dimmer at work': atWork,
      'an INA226': () => words({ 0: 0x4127, 254: 0x5449, 255: 0x2260 }),
      'an INA3221 with its first channel off': () => words({ 0: 0x3127, 254: 0x5449, 255: 0x3220 }),
      'an odd calibration': () => words({ 0: 0x399f, 5: 0x1001 }),
      'a bit below the voltage': () => words({ 0: 0x399f, 2: 0x0004 }),
      'nothing but zeros': () => words({}),
      'bytes of memory': () => bytes,
    }
    for (const [what, make] of Object.entries(strangers)) {
      const { device, clock, chip } = makeGaugeBench(ADDRESS, make)
      const before = imageOf(chip)
      const options = { name: 'pack', shuntMilliohms: 100, isReversed: false }
      await t.rejects(
        ina219(device, clock, options).start(),
        { code: 'device.absent', message: /at 0x40 is no INA219: register 0x.. reads 0x/ },
        what,
      )
      t.same(imageOf(chip), before, what)
    }
  },
)

t.test('a chip that does not keep its configuration is no INA219', async t => {
  const { device, clock, chip } = makeGaugeBench(ADDRESS, () => new WordRegisterChip())
  chip.words[0] = 0x399f
  chip.write = () => {}
  const options = { name: 'pack', shuntMilliohms: 100, isReversed: false }
  await t.rejects(ina219(device, clock, options).start(), { code: 'device.absent' })
})

t.test('unplugged before the start, it is found when it is there', async t => {
  const bench = makeGaugeBench(ADDRESS, clock => new Ina219Chip(clock, { shuntMilliohms: 100 }))
  const options = { name: 'pack', shuntMilliohms: 100, isReversed: false }
  const gauge = ina219(bench.device, bench.clock, options)
  bench.chip.isPlugged = false
  await t.rejects(gauge.start(), { code: 'device.absent' })
  await gauge.stop()
  bench.chip.isPlugged = true
  await gauge.start()
  t.match(await nextReading(gauge, bench.clock), { wasReset: false, troubles: [] })
})

t.test('no transfer keeps the bus for 2 ms, even at 100 kHz', async t => {
  const { host, clock } = makeBench({ isI2cTimed: true })
  const chip = new Ina219Chip(clock, { shuntMilliohms: 100 })
  host.bus('header').plug(ADDRESS, chip)
  const options = { name: 'pack', shuntMilliohms: 100, isReversed: false }
  const gauge = ina219(host.i2cDevice('header', ADDRESS), clock, options)
  await during(clock, gauge.start())
  await clock.advance(CONVERSION_MS)
  const [before, from] = [host.bus('header').transferCount, clock.monotonicMs()]
  await during(clock, gauge.read())
  const transfers = host.bus('header').transferCount - before
  t.equal(transfers, 5)
  t.ok((clock.monotonicMs() - from) / transfers < 2)
})

t.test('has no power to cut, and hears of no mains', async t => {
  const { gauge } = await started()
  t.equal(await gauge.cutPower(), false)
  gauge.onExternal(() => {})()
})
