import t from 'tap'
import {
  powerSupplyGauge,
  powerSupplyReading,
  propertiesOf,
  signedMilliamps,
  statusOf,
} from '../../drivers/power-supply-gauge.js'
import type { GaugeReading } from '../../runtime/ports/gauge.js'
import { at, makeBench } from './bench.js'
import { faultsOf, readOne } from './gauge-bench.js'

const uevent = (properties: Readonly<Record<string, string | number>>): string =>
  Object.entries(properties)
    .map(([name, value]) => `POWER_SUPPLY_${name}=${value}\n`)
    .join('')

const readingOf = (
  battery: Readonly<Record<string, string | number>>,
  mains: Readonly<Record<string, string | number>> | null = null,
): GaugeReading =>
  powerSupplyReading(
    at(7),
    propertiesOf(uevent(battery)),
    mains === null ? null : propertiesOf(uevent(mains)),
  )

t.test('properties are lines of names and values', async t => {
  t.same(
    [...propertiesOf('POWER_SUPPLY_NAME=BAT0\nPOWER_SUPPLY_MODEL_NAME=a=b c\nDEVTYPE=x\n\nrot')],
    [
      ['NAME', 'BAT0'],
      ['MODEL_NAME', 'a=b c'],
    ],
  )
  t.equal(propertiesOf('POWER_SUPPLY_A=1\n'.repeat(3) + 'x\n'.repeat(10_000)).size, 1)
})

t.test('the sign of a current is what the status says, where it says something', async t => {
  for (const [microamps, status, milliamps] of [
    [900_000, 'discharging', -900],
    [-900_000, 'discharging', -900],
    [450_000, 'charging', 450],
    [-450_000, 'charging', 450],
    [-3_000, 'idle', -3],
    [0, 'idle', 0],
    [-900_000, 'unknown', -900],
    [900_000, 'unknown', null],
    [0, 'unknown', 0],
  ] as const)
    t.equal(signedMilliamps(microamps, status), milliamps, `${microamps} ${status}`)
})

t.test('the kernel has five words for how a battery is', async t => {
  for (const [word, status] of [
    ['Charging', 'charging'],
    ['Discharging', 'discharging'],
    ['Full', 'idle'],
    ['Not charging', 'idle'],
    ['Unknown', 'unknown'],
    ['', 'unknown'],
  ] as const)
    t.equal(statusOf(new Map([['STATUS', word]])), status)
  t.equal(statusOf(new Map()), 'unknown')
})

t.test('a gauge chip with a kernel driver is read whole', async t => {
  const battery = {
    NAME: 'bq27441-0',
    TYPE: 'Battery',
    STATUS: 'Discharging',
    PRESENT: 1,
    VOLTAGE_NOW: 3_712_000,
    CURRENT_NOW: -415_000,
    CAPACITY: 41,
    TEMP: 289,
    TIME_TO_EMPTY_NOW: 9_360,
    CHARGE_FULL: 2_650_000,
    CHARGE_NOW: 1_086_000,
  }
  t.same(readingOf(battery), {
    at: 7,
    millivolts: 3_712,
    milliamps: -415,
    percent: 41,
    celsius: 28.9,
    remainingMilliampHours: 1_086,
    fullMilliampHours: 2_650,
    isExternal: false,
    isCharging: false,
    secondsToEmpty: 9_360,
    wasReset: false,
    troubles: [],
  })
})

t.test('a laptop tells energies and a power, and no sign', async t => {
  const battery = {
    STATUS: 'Discharging',
    VOLTAGE_MIN_DESIGN: 11_400_000,
    VOLTAGE_NOW: 12_000_000,
    POWER_NOW: 9_600_000,
    ENERGY_FULL: 45_600_000,
    ENERGY_NOW: 22_800_000,
  }
  t.match(readingOf(battery, { ONLINE: 0 }), {
    millivolts: 12_000,
    milliamps: -800,
    percent: 50,
    remainingMilliampHours: 2_000,
    fullMilliampHours: 4_000,
    isExternal: false,
  })
})

t.test(
  'whether there is power is told by the mains, and by the status where there is none',
  async t => {
    const full = { STATUS: 'Full', CAPACITY: 100 }
    t.match(readingOf(full, { ONLINE: 1 }), { isExternal: true, isCharging: false })
    t.match(readingOf(full, { ONLINE: 2 }), { isExternal: true })
    t.match(readingOf(full, { ONLINE: 0 }), { isExternal: false })
    t.match(readingOf(full, {}), { isExternal: null })
    t.match(readingOf(full), { isExternal: true, isCharging: false })
    t.match(readingOf({ STATUS: 'Charging' }), { isExternal: true, isCharging: true })
    t.match(readingOf({ STATUS: 'Discharging' }), { isExternal: false, isCharging: false })
    t.match(readingOf({ STATUS: 'Unknown' }), { isExternal: null, isCharging: null })
  },
)

t.test('what is not told, and what cannot be, is unknown and never zero', async t => {
  t.match(readingOf({ STATUS: 'Discharging' }), {
    millivolts: null,
    milliamps: null,
    percent: null,
    celsius: null,
    secondsToEmpty: null,
    troubles: [],
  })
  t.match(
    readingOf({
      STATUS: 'Discharging',
      VOLTAGE_NOW: 0,
      CURRENT_NOW: 'n/a',
      CAPACITY: 255,
      TEMP: -2_731,
      CHARGE_NOW: -1,
      TIME_TO_EMPTY_NOW: 0,
    }),
    {
      millivolts: null,
      milliamps: null,
      percent: null,
      celsius: null,
      remainingMilliampHours: null,
      secondsToEmpty: null,
      troubles: ['implausible'],
    },
  )
})

t.test('zeros of a driver that cannot reach its chip are no empty battery', async t => {
  const zeros = { STATUS: 'Unknown', CAPACITY: 0, VOLTAGE_NOW: 0 }
  t.match(readingOf(zeros), { percent: null, millivolts: null, troubles: ['implausible'] })
  t.equal(readingOf({ STATUS: 'Discharging', CAPACITY: 0, VOLTAGE_NOW: 3_010_000 }).percent, 0)
  t.equal(readingOf({ STATUS: 'Discharging', CAPACITY: 0 }).percent, 0)
})

t.test('a battery that is taken out tells no leftovers', async t => {
  t.match(
    readingOf({ PRESENT: 0, STATUS: 'Unknown', CAPACITY: 0, VOLTAGE_NOW: 0 }, { ONLINE: 1 }),
    {
      percent: null,
      millivolts: null,
      isExternal: true,
      isCharging: false,
      troubles: ['no-pack'],
    },
  )
})

t.test('the time to empty is one only while it empties', async t => {
  t.equal(readingOf({ STATUS: 'Charging', TIME_TO_EMPTY_NOW: 5_000 }).secondsToEmpty, null)
  t.equal(readingOf({ STATUS: 'Discharging', TIME_TO_EMPTY_AVG: 5_000 }).secondsToEmpty, 5_000)
})

function bench() {
  const { clock, host } = makeBench()
  const gauge = powerSupplyGauge(host.powerSupply('BAT0'), host.powerSupply('AC'), clock, {
    name: 'pack',
  })
  host.plugged.setPowerSupply('BAT0', uevent({ TYPE: 'Battery', STATUS: 'Full', CAPACITY: 100 }))
  host.plugged.setPowerSupply('AC', uevent({ TYPE: 'Mains', ONLINE: 1 }))
  return { host, gauge }
}

t.test('what the kernel has is read, each time anew', async t => {
  const { host, gauge } = bench()
  await gauge.start()
  t.match(await readOne(gauge), { percent: 100, isExternal: true })
  host.plugged.setPowerSupply('AC', uevent({ ONLINE: 0 }))
  t.match(await readOne(gauge), { isExternal: false })
  t.equal(await gauge.cutPower(), false)
})

t.test('a supply that is no battery, or is not there, is not started', async t => {
  const { host, gauge } = bench()
  host.plugged.setPowerSupply('BAT0', uevent({ TYPE: 'Mains', ONLINE: 1 }))
  await t.rejects(gauge.start(), { code: 'device.absent', message: /no battery, but Mains/ })
  host.plugged.setPowerSupply('BAT0', null)
  await t.rejects(gauge.start(), { code: 'device.absent' })
  await gauge.stop()
  await gauge.stop()
})

t.test('a supply that goes away is a fault', async t => {
  const { host, gauge } = bench()
  const faults = faultsOf(gauge)
  await gauge.start()
  host.plugged.setPowerSupply('BAT0', null)
  await t.rejects(gauge.read(), { code: 'device.absent' })
  t.equal(faults.length, 1)
})
