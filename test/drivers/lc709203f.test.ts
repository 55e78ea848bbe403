import t from 'tap'
import { known, unknown } from '../../drivers/gauge-reading.js'
import {
  celsiusOf,
  chargeOf,
  crc8,
  LC709203F_ADDRESS,
  type Lc709203fOptions,
  lc709203f,
  percentOf,
  readChecksum,
  writeChecksum,
} from '../../drivers/lc709203f.js'
import { RegisterChip } from '../../drivers/simulated/chips.js'
import { Lc709203fChip } from '../../drivers/simulated/lc709203f-chip.js'
import type { Gauge } from '../../runtime/ports/gauge.js'
import { faultsOf, readOne } from './gauge-bench.js'
import { type GaugeChipBench, makeGaugeBench } from './gauge-chip-bench.js'

const APA = 0x0b
const ITE = 0x0f
const PROFILE = 0x12
const POWER_MODE = 0x15
const MINUTE_MS = 60_000

interface Rig extends GaugeChipBench<Lc709203fChip> {
  readonly gauge: Gauge
}

const usual: Lc709203fOptions = {
  name: 'pack',
  packAdjustment: 54,
  profile: 1,
  hasThermistor: false,
}

async function started(options: Partial<Lc709203fOptions> = {}): Promise<Rig> {
  const bench = makeGaugeBench(LC709203F_ADDRESS, () => new Lc709203fChip())
  const gauge = lc709203f(bench.device, bench.clock, { ...usual, ...options })
  await gauge.start()
  // The first reading tells that the chip did not know its pack.
  await gauge.read()
  return { ...bench, gauge }
}

/** Low byte first. */
const wordOf = (chip: Lc709203fChip, register: number): number => {
  const [low = 0, high = 0] = chip.read(register, 2)
  return (high << 8) | low
}

t.test("the data sheet's examples of the checksum", async t => {
  t.equal(crc8([0x16, 0x09, 0x17, 0xc2, 0x0e]), 0x86)
  t.equal(crc8([0x16, 0x09, 0x55, 0xaa]), 0x3b)
  t.equal(readChecksum(0x0b, 0x09, 3778), 0x86)
  t.equal(writeChecksum(0x0b, 0x09, 0xaa55), 0x3b)
})

t.test('the check value of CRC-8 with this polynomial, and one wrong bit shows', async t => {
  const digits = [...'123456789'].map(digit => digit.charCodeAt(0))
  t.equal(crc8(digits), 0xf4)
  t.equal(crc8([]), 0)
  for (let bit = 0; bit < 40; bit++) {
    const bytes = [0x16, 0x09, 0x17, 0xc2, 0x0e]
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    t.not(crc8(bytes), 0x86)
  }
})

t.test('tenths of a kelvin, tenths of a percent', async t => {
  t.equal(celsiusOf(0x0aac), 0)
  t.equal(celsiusOf(0x0ba6), 25)
  t.equal(celsiusOf(0x09e4), -20)
  t.equal(celsiusOf(0x0d04), 60)
  t.equal(percentOf(875), 87.5)
  t.match(chargeOf(1000, known(4200)), { value: 100 })
  t.match(chargeOf(1001, known(4200)), { trouble: 'implausible' })
  t.match(chargeOf(0, known(3900)), { trouble: 'implausible' })
  t.match(chargeOf(0, known(3000)), { value: 0 })
  t.match(chargeOf(500, unknown('no-pack')), { trouble: 'no-pack' })
})

t.test('measures what is there, within its own steps', async t => {
  const { gauge, chip } = await started({ hasThermistor: true })
  Object.assign(chip.truth, { millivolts: 3777.7, percent: 61.23, celsius: -7.44 })
  t.match(await readOne(gauge), {
    millivolts: 3778,
    percent: 61.2,
    celsius: -7.4,
    milliamps: null,
    isExternal: null,
    isCharging: null,
    wasReset: false,
    troubles: [],
  })
})

t.test("the data sheet's transfer of 3778 mV is read as it stands there", async t => {
  const { gauge, chip } = await started()
  chip.force(0x09, 3778)
  chip.force(0x0d, 61)
  chip.force(0x0f, 617)
  t.same([...chip.read(0x09, 3)], [0xc2, 0x0e, 0x86])
  t.match(await readOne(gauge), { millivolts: 3778, percent: 61.7 }, 'tenths, not RSOC')
})

t.test('without a thermistor there is no temperature, whatever the register says', async t => {
  const { gauge } = await started()
  t.equal((await readOne(gauge)).celsius, null)
})

t.test('a temperature that cannot be is unknown', async t => {
  const { gauge, chip } = await started({ hasThermistor: true })
  chip.force(0x08, 0)
  t.match(await readOne(gauge), { celsius: null, millivolts: 3900, troubles: ['implausible'] })
})

t.test('a chip that knows nothing is told its pack, and estimates anew', async t => {
  const { chip } = await started()
  t.same(
    [POWER_MODE, PROFILE, APA, 0x16].map(register => wordOf(chip, register)),
    [1, 1, 54, 0],
  )
  t.equal(chip.initialisations, 1)
})

t.test('one that knows its pack is left its estimate', async t => {
  const { gauge, chip } = await started()
  for (let round = 0; round < 3; round++) {
    await gauge.read()
    await gauge.stop()
    await gauge.start()
  }
  t.match(await readOne(gauge), { percent: 75, wasReset: false, troubles: [] })
  t.equal(chip.initialisations, 1)
})

t.test('a new cell is noticed, told once, and what is first guessed of it is not told', async t => {
  const { gauge, chip } = await started()
  chip.reset()
  t.match(await readOne(gauge), {
    millivolts: 3900,
    percent: null,
    wasReset: true,
    troubles: ['reset'],
  })
  t.same([wordOf(chip, PROFILE), wordOf(chip, APA), chip.initialisations], [1, 54, 2])
  t.match(await readOne(gauge), { percent: 75, wasReset: false, troubles: [] })
})

t.test(
  'a new cell is noticed also where its profile is the one that the chip wakes up with',
  async t => {
    const { gauge, chip } = await started({ profile: 0 })
    t.equal((await readOne(gauge)).wasReset, false)
    chip.reset()
    t.match(await readOne(gauge), { percent: null, wasReset: true })
    t.equal(wordOf(chip, APA), 54)
  },
)

t.test('a pack that the chip was not told of is told by the first reading', async t => {
  const { device, clock } = makeGaugeBench(LC709203F_ADDRESS, () => new Lc709203fChip())
  const gauge = lc709203f(device, clock, usual)
  await gauge.start()
  t.match(await readOne(gauge), { wasReset: true, percent: 75 })
  t.match(await readOne(gauge), { wasReset: false })
})

t.test('two wrong checksums are forgiven, the third is a fault', async t => {
  const { gauge, chip } = await started()
  const faults = faultsOf(gauge)
  chip.badChecksums = 2
  t.match(await readOne(gauge), { percent: 75 })
  chip.badChecksums = 3
  await t.rejects(gauge.read(), { code: 'device.io', message: /the checksum is wrong/ })
  t.equal(faults.length, 1)
})

t.test('ones and zeros have a wrong checksum: nothing is made of them', async t => {
  for (const pattern of ['all-ones', 'all-zeros'] as const) {
    const { gauge, chip } = await started()
    chip.pattern = pattern
    await t.rejects(gauge.read(), { code: 'device.io' })
  }
})

t.test('a charge that cannot be is unknown', async t => {
  const { gauge, chip } = await started()
  chip.force(ITE, 0xffff)
  t.match(await readOne(gauge), { percent: null, millivolts: 3900, troubles: ['implausible'] })
  chip.force(ITE, 0)
  t.match(await readOne(gauge), { percent: null, troubles: ['implausible'] })
  chip.force(0x09, 0xffff)
  t.match(await readOne(gauge), { millivolts: null, percent: null, troubles: ['implausible'] })
  chip.force(0x09, 0)
  t.match(await readOne(gauge), { millivolts: null, percent: null, troubles: ['no-pack'] })
})

t.test('a charge that stands still while the voltage falls is stuck', async t => {
  const { gauge, chip, clock } = await started()
  for (let minute = 0; minute < 30; minute++) {
    chip.truth.millivolts = 3900 - minute * 10
    t.same((await readOne(gauge)).troubles, [])
    await clock.advance(MINUTE_MS)
  }
  chip.truth.millivolts = 3600
  t.match(await readOne(gauge), { percent: null, millivolts: 3600, troubles: ['stuck'] })
})

t.test('what answers without the right checksum is a stranger, and is not written to', async t => {
  const { device, clock, chip } = makeGaugeBench(LC709203F_ADDRESS, () => new RegisterChip())
  chip.registers.set([0x17, 0x27, 0x55], 0x11)
  const before = Uint8Array.from(chip.registers)
  await t.rejects(lc709203f(device, clock, usual).start(), {
    code: 'device.absent',
    message: /LC709203F at 0x0b: .*checksum/,
  })
  t.same(chip.registers, before)
})

t.test('a setting that is not kept is a fault', async t => {
  const { device, clock, chip } = makeGaugeBench(LC709203F_ADDRESS, () => new Lc709203fChip())
  chip.write = () => {}
  await t.rejects(lc709203f(device, clock, usual).start(), {
    code: 'device.io',
    message: /register 0x15 keeps 0x0002/,
  })
})

t.test('one that is gone is a fault, and stops quietly', async t => {
  const { gauge, chip } = await started()
  chip.isPlugged = false
  await t.rejects(gauge.read(), { code: 'device.absent' })
  await gauge.stop()
  await gauge.stop()
  await t.rejects(gauge.start(), { code: 'device.absent' })
})

t.test('has no power to cut, and hears of no mains', async t => {
  const { gauge } = await started()
  t.equal(await gauge.cutPower(), false)
  gauge.onExternal(() => {})()
})
