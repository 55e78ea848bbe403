import t from 'tap'
import {
  BQ27441_ADDRESS,
  bq27441,
  capacityOf,
  celsiusOf,
  chargeOf,
  chargingOf,
  currentOf,
  flagsOf,
  milliampsOf,
} from '../../drivers/bq27441.js'
import { known } from '../../drivers/gauge-reading.js'
import { Bq27441Chip } from '../../drivers/simulated/bq27441-chip.js'
import { RegisterChip } from '../../drivers/simulated/chips.js'
import type { Gauge, GaugeReading } from '../../runtime/ports/gauge.js'
import { during } from './bench.js'
import { faultsOf, readOne } from './gauge-bench.js'
import { type GaugeChipBench, makeGaugeBench } from './gauge-chip-bench.js'

const LIMIT_MS = 10_000
const MINUTE_MS = 60_000
const options = { name: 'pack', milliampHours: 3000, emptyMillivolts: 3200 }

interface Rig extends GaugeChipBench<Bq27441Chip> {
  readonly gauge: Gauge
}

function makeRig(): Rig {
  const bench = makeGaugeBench(BQ27441_ADDRESS, clock => new Bq27441Chip(clock))
  return { ...bench, gauge: bq27441(bench.device, bench.clock, options) }
}

async function started(): Promise<Rig> {
  const rig = makeRig()
  await during(rig.clock, rig.gauge.start(), LIMIT_MS)
  // The first reading tells that the gauge was just powered.
  await rig.gauge.read()
  return rig
}

const patiently = ({ gauge, clock }: Rig): Promise<GaugeReading> =>
  during(clock, readOne(gauge), LIMIT_MS)

t.test('words of the manual: kelvin, milliamps of both signs, percent, milliamp hours', async t => {
  t.ok(Math.abs(celsiusOf(2982) - 25.05) < 1e-9)
  t.ok(Math.abs(celsiusOf(2731) + 0.05) < 1e-9)
  for (const [word, milliamps] of [
    [0x0000, 0],
    [0x01f4, 500],
    [0xfe0c, -500],
    [0xffff, -1],
    [0x8001, -32_767],
  ] as const)
    t.equal(milliampsOf(word), milliamps)
  t.match(currentOf(0xffff), { value: -1 }, 'a small current, and not all ones')
  t.match(currentOf(0x7fff), { value: null, trouble: 'overflow' })
  t.match(currentOf(0x8000), { value: null, trouble: 'overflow' })
  t.match(chargeOf(100, known(4200)), { value: 100 })
  t.match(chargeOf(101, known(4200)), { trouble: 'implausible' })
  t.match(chargeOf(0, known(3900)), { trouble: 'implausible' })
  t.match(capacityOf(3000), { value: 3000 })
  t.match(capacityOf(0xffff), { trouble: 'implausible' })
})

t.test('each flag is its own bit', async t => {
  const none = {
    wasReset: false,
    isBeingConfigured: false,
    hasBattery: false,
    isDischarging: false,
  }
  t.same(flagsOf(0x0020), { ...none, wasReset: true })
  t.same(flagsOf(0x0010), { ...none, isBeingConfigured: true })
  t.same(flagsOf(0x0008), { ...none, hasBattery: true })
  t.same(flagsOf(0x0001), { ...none, isDischarging: true })
  t.same(flagsOf(0x0300), none, 'FC and CHG say nothing of what flows')
  t.same(flagsOf(0xffc6), none)
})

t.test('the current tells of charging, and the gauge may contradict', async t => {
  for (const [milliamps, flags, isCharging] of [
    [10, 0x0108, true],
    [350, 0x0008, true],
    [350, 0x0009, false],
    [9, 0x0108, false],
    [-350, 0x0109, false],
  ] as const)
    t.equal(chargingOf(known(milliamps), flagsOf(flags)), isCharging, `${milliamps} mA`)
  t.equal(chargingOf(currentOf(0x7fff), flagsOf(0x0008)), null)
})

t.test('measures what is there, low byte first', async t => {
  const { gauge, chip } = await started()
  Object.assign(chip.truth, { millivolts: 3777.7, milliamps: -1234.4, percent: 61.4, celsius: 31 })
  const { celsius, ...reading } = await readOne(gauge)
  t.match(reading, {
    millivolts: 3778,
    milliamps: -1234,
    percent: 61,
    remainingMilliampHours: 1842,
    fullMilliampHours: 3000,
    isCharging: false,
    isExternal: null,
    secondsToEmpty: null,
    wasReset: false,
    troubles: [],
  })
  t.ok(Math.abs((celsius ?? 0) - 31) < 0.11)
  chip.truth.milliamps = 900
  t.match(await readOne(gauge), { milliamps: 900, isCharging: true })
  chip.truth.milliamps = 9
  t.match(await readOne(gauge), { isCharging: false }, 'rest')
})

t.test('a gauge that does not know its pack is told at the start', async t => {
  const { chip } = await started()
  t.same(
    [10, 12, 16].map(offset => chip.parameter(offset)),
    [3000, 11_100, 3200],
  )
  t.equal(chip.isSealed, true)
})

t.test('one that knows its pack is left alone', async t => {
  const { gauge, chip, clock } = await started()
  await gauge.stop()
  await during(clock, gauge.start(), LIMIT_MS)
  t.equal(chip.configurations, 1)
  t.match(await readOne(gauge), { wasReset: false, percent: 75 })
})

t.test('a reset before the start is told by the first reading', async t => {
  const rig = makeRig()
  await during(rig.clock, rig.gauge.start(), LIMIT_MS)
  t.match(await readOne(rig.gauge), { wasReset: true, percent: 75, troubles: ['reset'] })
  t.match(await readOne(rig.gauge), { wasReset: false, troubles: [] })
})

t.test(
  'a reset in between is noticed, told once, and the gauge is told its pack again',
  async t => {
    const rig = await started()
    rig.chip.reset()
    t.match(await patiently(rig), {
      millivolts: 3900,
      percent: null,
      remainingMilliampHours: null,
      fullMilliampHours: null,
      wasReset: true,
      troubles: ['reset'],
    })
    t.equal(rig.chip.parameter(10), 3000)
    t.match(await patiently(rig), { percent: 75, fullMilliampHours: 3000, wasReset: false })
  },
)

t.test('a gauge that was left in its configuration is brought back to gauging', async t => {
  const { gauge, chip, clock } = await started()
  await gauge.stop()
  for (const word of [0x8000, 0x8000, 0x0013]) chip.write(0, Uint8Array.of(word & 0xff, word >> 8))
  await clock.advance(1_000)
  await during(clock, gauge.start(), LIMIT_MS)
  t.equal(chip.isConfiguring, false)
  t.match(await readOne(gauge), { percent: 75, troubles: [] })
})

t.test('while somebody configures it, it does not gauge', async t => {
  const { gauge, chip, clock } = await started()
  for (const word of [0x8000, 0x8000, 0x0013]) chip.write(0, Uint8Array.of(word & 0xff, word >> 8))
  await clock.advance(1_000)
  t.match(await readOne(gauge), { millivolts: null, percent: null, troubles: ['not-ready'] })
})

t.test('without a battery nothing is known', async t => {
  const { gauge, chip } = await started()
  chip.hasBattery = false
  t.match(await readOne(gauge), {
    millivolts: null,
    milliamps: null,
    percent: null,
    troubles: ['no-pack'],
  })
})

t.test('ones and zeros are unknown, never 0 %', async t => {
  const { gauge, chip } = await started()
  chip.pattern = 'all-ones'
  t.match(await readOne(gauge), { millivolts: null, percent: null, troubles: ['implausible'] })
  chip.pattern = 'all-zeros'
  t.match(await readOne(gauge), { millivolts: null, percent: null, troubles: ['no-pack'] })
})

t.test('one value that cannot be does not take the others with it', async t => {
  const { gauge, chip } = await started()
  chip.truth.milliamps = -500
  await gauge.read()
  chip.force(0x1c, 0xffff)
  t.match(await readOne(gauge), {
    millivolts: 3900,
    milliamps: -500,
    percent: null,
    remainingMilliampHours: null,
    fullMilliampHours: 3000,
    troubles: ['implausible'],
  })
  chip.force(0x10, 0x8000)
  t.match(await readOne(gauge), { milliamps: null, isCharging: null, millivolts: 3900 })
  chip.force(0x02, 0)
  t.equal((await readOne(gauge)).celsius, null)
})

t.test('a pack that holds nothing when full is unknown', async t => {
  const { gauge, chip } = await started()
  await gauge.read()
  chip.force(0x0e, 0)
  t.equal((await readOne(gauge)).fullMilliampHours, null)
})

t.test('values that stand still under load are stuck', async t => {
  const { gauge, chip, clock } = await started()
  chip.truth.milliamps = -400
  for (let minute = 0; minute < 10; minute++) {
    t.same((await readOne(gauge)).troubles, [])
    await clock.advance(MINUTE_MS)
  }
  t.match(await readOne(gauge), { millivolts: null, milliamps: null, troubles: ['stuck'] })
})

t.test('another chip is refused with what it says it is', async t => {
  const { device, clock, chip } = makeGaugeBench(BQ27441_ADDRESS, () => new RegisterChip())
  await t.rejects(bq27441(device, clock, options).start(), {
    code: 'device.absent',
    message: 'what answers at 0x55 is no BQ27441: its device type is 0x0001',
  })
  t.ok(
    [...chip.registers].slice(2).every(byte => byte === 0),
    'only asked',
  )
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
})

t.test('has no power to cut, and hears of no mains', async t => {
  const { gauge } = await started()
  t.equal(await gauge.cutPower(), false)
  gauge.onExternal(() => {})()
})
