import t from 'tap'
import {
  descriptions,
  type NutFacts,
  nutStatus,
  nutVariables,
} from '../../../runtime/gateways/nut/nut-variables.js'
import { aPack, onBattery, onMains } from './nut-world.js'

const facts: NutFacts = {
  model: 'Raspberry Pi 4 Model B',
  serial: 'lobby',
  version: '1.2.3',
  batteryType: 'Li-ion',
  chargeLowPercent: 10,
  chargeWarningPercent: 30,
  runtimeLowSeconds: 480,
}

t.test('the status says what the box stands on, and how it is with it', async t => {
  const mains = { stage: 'mains', isExternal: true, isCharging: false } as const
  const battery = { stage: 'battery', isExternal: false, isCharging: false } as const
  for (const [power, status] of [
    [mains, 'OL'],
    [{ ...mains, isCharging: true }, 'OL CHRG'],
    [{ ...mains, isCharging: null }, 'OL'],
    [battery, 'OB DISCHRG'],
    [{ ...battery, stage: 'warn' }, 'OB DISCHRG'],
    [{ ...battery, stage: 'shed' }, 'OB DISCHRG'],
    [{ ...battery, stage: 'protect' }, 'OB LB DISCHRG'],
    [{ ...battery, stage: 'shutdown' }, 'FSD OB LB DISCHRG'],
    // Power is back, and the stage not yet: nobody must go down for it.
    [{ ...mains, stage: 'protect' }, 'OL'],
    [{ ...mains, stage: 'shutdown' }, 'OL'],
    // Nobody knows: neither on line nor on battery.
    [{ ...mains, isExternal: null }, 'WAIT'],
    [{ stage: 'mains', isExternal: null, isCharging: null }, 'WAIT'],
    [{ stage: 'mains', isExternal: null, isCharging: true }, 'OL CHRG'],
    [{ stage: 'protect', isExternal: null, isCharging: null }, 'OB LB DISCHRG'],
  ] as const)
    t.equal(nutStatus(power), status, JSON.stringify(power))
})

t.test('a box on battery tells all that is known of it', async t => {
  t.same(
    nutVariables(facts, onBattery, [aPack]),
    new Map<string, string | number>([
      ['battery.capacity', 2.65],
      ['battery.charge', 87.3],
      ['battery.charge.low', 10],
      ['battery.charge.warning', 30],
      ['battery.current', -0.8],
      ['battery.packs', 1],
      ['battery.runtime', 4321],
      ['battery.runtime.low', 480],
      ['battery.temperature', 31.3],
      ['battery.type', 'Li-ion'],
      ['battery.voltage', 12.345],
      ['device.mfr', 'Roadcase'],
      ['device.model', 'Raspberry Pi 4 Model B'],
      ['device.serial', 'lobby'],
      ['device.type', 'ups'],
      ['driver.name', 'roadcase'],
      ['driver.version', '1.2.3'],
      ['ups.mfr', 'Roadcase'],
      ['ups.model', 'Raspberry Pi 4 Model B'],
      ['ups.realpower', 9.9],
      ['ups.serial', 'lobby'],
      ['ups.status', 'OB DISCHRG'],
    ]),
  )
})

t.test('what is unknown is not there, rather than zero', async t => {
  const blank = {
    ...onMains,
    isExternal: null,
    isCharging: null,
    percent: null,
    millivolts: null,
    milliwatts: null,
  }
  const pack = { ...aPack, milliamps: null, celsius: null, fullMilliampHours: null }
  const variables = nutVariables({ ...facts, batteryType: null }, blank, [pack])
  for (const name of [
    'battery.capacity',
    'battery.charge',
    'battery.current',
    'battery.runtime',
    'battery.temperature',
    'battery.type',
    'battery.voltage',
    'ups.realpower',
  ])
    t.notOk(variables.has(name), name)
  t.equal(variables.get('ups.status'), 'WAIT')
  t.equal(variables.get('battery.charge.low'), 10, 'what was configured is known')
})

t.test('several packs are one battery, and the warmest is its temperature', async t => {
  const other = {
    ...aPack,
    pack: 'spare',
    milliamps: -200.4,
    celsius: 40,
    fullMilliampHours: 1_000,
  }
  const variables = nutVariables(facts, { ...onBattery, packs: 2 }, [aPack, other])
  t.equal(variables.get('battery.packs'), 2)
  t.equal(variables.get('battery.current'), -1)
  t.equal(variables.get('battery.temperature'), 40)
  t.equal(variables.get('battery.capacity'), 3.65)
})

t.test('a current that is not told of every pack follows from the power', async t => {
  const silent = { ...aPack, pack: 'spare', milliamps: null }
  t.equal(nutVariables(facts, onBattery, [aPack, silent]).get('battery.current'), -0.8)
  const unpowered = { ...onBattery, millivolts: 0 }
  t.notOk(nutVariables(facts, unpowered, [silent]).has('battery.current'))
})

t.test('what the box draws is known only while the battery gives it', async t => {
  t.notOk(nutVariables(facts, onMains, [aPack]).has('ups.realpower'))
  t.notOk(nutVariables(facts, { ...onBattery, milliwatts: 20 }, []).has('ups.realpower'))
  const idle = nutVariables(facts, { ...onBattery, milliwatts: 0 }, []).get('ups.realpower')
  t.ok(Object.is(idle, 0), 'and never minus zero')
})

t.test('every variable is described, in the order of the names', async t => {
  const names = [...nutVariables(facts, onBattery, [aPack]).keys()]
  t.same(names, [...names].sort())
  t.same(
    names.filter(name => !descriptions.has(name)),
    [],
  )
})
