import t from 'tap'
import {
  piSugar3,
  pisugarCelsius,
  pisugarFirmware,
  pisugarMillivolts,
  pisugarPercent,
} from '../../drivers/pisugar3.js'
import { RegisterChip } from '../../drivers/simulated/chips.js'
import { PiSugar3Chip } from '../../drivers/simulated/pisugar3-chip.js'
import { makeBench } from './bench.js'
import { faultsOf, readOne } from './gauge-bench.js'

function bench() {
  const { clock, host } = makeBench()
  const chip = new PiSugar3Chip(clock)
  host.bus('header').plug(0x57, chip)
  const device = host.i2cDevice('header', 0x57)
  return { clock, host, chip, gauge: piSugar3(device, clock, { name: 'pack', cutSeconds: 20 }) }
}

t.test('the voltage is the one of the data sheet', async t => {
  // "if the data read are 0x10 and 0x1F, the combined result will be 0x101F=4127mV"
  t.same(pisugarMillivolts(0x10, 0x1f), { value: 4127, trouble: null })
  for (const [high, low] of [
    [0xff, 0xff],
    [0, 0],
    [0x1f, 0x10],
  ] as const)
    t.same(pisugarMillivolts(high, low), { value: null, trouble: 'implausible' })
})

t.test('the temperature begins at 40 below zero, and ends at 85', async t => {
  t.same(pisugarCelsius(0), { value: -40, trouble: null })
  t.same(pisugarCelsius(65), { value: 25, trouble: null })
  t.same(pisugarCelsius(125), { value: 85, trouble: null })
  t.equal(pisugarCelsius(0xff).trouble, 'implausible')
})

t.test('a percent that cannot be is unknown', async t => {
  t.same(pisugarPercent(0), { value: 0, trouble: null })
  t.same(pisugarPercent(100), { value: 100, trouble: null })
  t.same(pisugarPercent(0xff), { value: null, trouble: 'implausible' })
})

t.test('firmware versions are compared as numbers', async t => {
  t.equal(pisugarFirmware('1.2.4'), 10_204)
  t.equal(pisugarFirmware('1.0.6'), 10_006)
  t.equal(pisugarFirmware('v1.10.0-beta'), 11_000)
  t.equal(pisugarFirmware(''), null)
  t.equal(pisugarFirmware('\u00ff\u00ff'), null)
})

t.test('all that the board tells is in the reading, and nothing else', async t => {
  const { gauge } = bench()
  await gauge.start()
  t.same(await readOne(gauge), {
    at: 0,
    millivolts: 4127,
    milliamps: null,
    percent: 87,
    celsius: 31,
    remainingMilliampHours: null,
    fullMilliampHours: null,
    isExternal: true,
    isCharging: true,
    secondsToEmpty: null,
    wasReset: false,
    troubles: [],
  })
})

t.test('a plug that is pulled is seen in the next reading', async t => {
  const { chip, gauge } = bench()
  await gauge.start()
  chip.setExternal(false)
  t.match(await readOne(gauge), { isExternal: false, isCharging: false })
})

t.test('a voltage that changes its upper byte while it is read is not torn', async t => {
  const { chip, gauge } = bench()
  chip.setMillivolts(0x1000)
  await gauge.start()
  let isStep = true
  chip.beforeRead = register => {
    if (register === 0x23 && isStep) {
      isStep = false
      chip.setMillivolts(0x0fff)
    }
  }
  t.equal((await readOne(gauge)).millivolts, 0x0fff, 'not 0x10ff')
  t.equal(isStep, false)
})

t.test('what does not come to rest is unknown', async t => {
  const { chip, gauge } = bench()
  await gauge.start()
  let value = 0
  chip.beforeRead = register => {
    if (register === 0x02) chip.registers[0x02] = value++ & 0x7f
    if (register === 0x22) chip.registers[0x22] = value++ & 0x7f
  }
  t.match(await readOne(gauge), {
    millivolts: null,
    isExternal: null,
    isCharging: null,
    percent: 87,
    troubles: ['implausible'],
  })
})

t.test('a bus of zeros is no empty cell', async t => {
  const { chip, gauge } = bench()
  await gauge.start()
  chip.registers.fill(0)
  t.match(await readOne(gauge), { millivolts: null, percent: null, troubles: ['implausible'] })
  chip.setMillivolts(4_012)
  t.match(await readOne(gauge), { millivolts: 4_012, percent: null }, 'nor is a full one')
  chip.setMillivolts(3_050)
  t.match(await readOne(gauge), { millivolts: 3_050, percent: 0, isExternal: false })
})

t.test('plug and charging switch are bits 7 and 6 of 0x02', async t => {
  for (const [control1, isExternal, isCharging] of [
    [0xe0, true, true],
    [0xa0, true, false],
    [0x60, false, false],
    [0x20, false, false],
  ] as const) {
    const { chip, gauge } = bench()
    await gauge.start()
    chip.registers[0x02] = control1
    t.match(await readOne(gauge), { isExternal, isCharging }, control1.toString(16))
  }
})

t.test('a bus of ones tells nothing, and never 0 %', async t => {
  const { chip, gauge } = bench()
  await gauge.start()
  chip.registers.fill(0xff)
  t.match(await readOne(gauge), {
    millivolts: null,
    percent: null,
    celsius: null,
    isExternal: null,
    isCharging: null,
    troubles: ['implausible'],
  })
})

t.test('what is no PiSugar 3, or one in its boot loader, is not started', async t => {
  const { host, chip, gauge } = bench()
  chip.registers[1] = 0xf0
  await t.rejects(gauge.start(), { code: 'device.io', message: /boot loader/ })
  host.bus('header').plug(0x57, new RegisterChip())
  await t.rejects(gauge.start(), { code: 'device.absent', message: /is no PiSugar 3/ })
  await gauge.stop()
  await gauge.stop()
})

t.test('a board that is pulled out is a fault, and is read again after a start', async t => {
  const { chip, gauge } = bench()
  const faults = faultsOf(gauge)
  await gauge.start()
  chip.isPlugged = false
  await t.rejects(gauge.read(), { code: 'device.absent' })
  t.equal(faults.length, 1)
  await gauge.stop()
  await t.rejects(gauge.start(), { code: 'device.absent' })
  chip.isPlugged = true
  await gauge.start()
  t.equal((await readOne(gauge)).percent, 87)
})

t.test('the power is cut after its delay, and the registers are protected again', async t => {
  const { clock, chip, gauge } = bench()
  await gauge.start()
  t.equal(await gauge.cutPower(), true)
  t.equal(chip.registers[0x02], 0xc0, 'no other bit was changed')
  await clock.advance(19_000)
  t.equal(chip.isCut, false)
  await clock.advance(2_000)
  t.equal(chip.isCut, true)
  t.equal(chip.violations, 0)
  chip.write(0x02, Uint8Array.of(0))
  t.equal(chip.violations, 1, 'the registers cannot be written any more')
})

t.test('firmware that cannot wait, or that is not known, is left alone', async t => {
  for (const version of ['1.0.5', 'unknown', '']) {
    const { clock, chip, gauge } = bench()
    chip.setFirmware(version)
    await gauge.start()
    t.equal(await gauge.cutPower(), false, version)
    await clock.advance(60_000)
    t.equal(chip.isCut, false)
    t.equal(chip.violations, 0)
  }
})
