import t from 'tap'
import { RegisterChip } from '../../drivers/simulated/chips.js'
import { cellMillivolts, waveshareBattery, waveshareUpsE } from '../../drivers/waveshare-ups-e.js'
import { makeBench } from './bench.js'
import { faultsOf, readOne } from './gauge-bench.js'

const littleEndian = (...words: readonly number[]): number[] =>
  words.flatMap(word => [word & 0xff, (word >> 8) & 0xff])

/** 15.6 V, 1.25 A out of the pack, 62 %, 3100 mAh, 148 minutes. */
const BATTERY = littleEndian(15_600, -1250, 62, 3100, 148, 0xffff)
const CELLS = littleEndian(3_901, 3_897, 3_905, 3_899)

function bench() {
  const { clock, host } = makeBench()
  const chip = new RegisterChip()
  chip.registers.set([0x0a, 0x0b, 0b0000_0000, 0b11])
  chip.registers.set(BATTERY, 0x20)
  chip.registers.set(CELLS, 0x30)
  host.bus('header').plug(0x2d, chip)
  const gauge = waveshareUpsE(host.i2cDevice('header', 0x2d), clock, { name: 'pack' })
  return { clock, host, chip, gauge }
}

t.test('words come low byte first, and the current has a sign', async t => {
  const read = (battery: readonly number[]) =>
    waveshareBattery(Uint8Array.from(battery), Uint8Array.from(CELLS))
  t.match(read(BATTERY), {
    millivolts: { value: 15_600 },
    milliamps: { value: -1250 },
    percent: { value: 62 },
    remainingMilliampHours: { value: 3100 },
    secondsToEmpty: 148 * 60,
  })
  t.match(read(littleEndian(15_600, 900, 62, 3100, 148, 40)), {
    milliamps: { value: 900 },
    secondsToEmpty: null,
  })
  t.same(cellMillivolts(Uint8Array.from(CELLS)), [3_901, 3_897, 3_905, 3_899])
})

t.test('a block of ones is unknown, and never 0 %', async t => {
  const ones = new Uint8Array(12).fill(0xff)
  t.match(waveshareBattery(ones, ones.subarray(0, 8)), {
    millivolts: { value: null, trouble: 'implausible' },
    milliamps: { value: null, trouble: 'implausible' },
    percent: { value: null, trouble: 'implausible' },
    remainingMilliampHours: { value: null, trouble: 'implausible' },
    secondsToEmpty: null,
  })
})

t.test("0 % is told beside the voltage of empty cells alone, and a blank block isn't", async t => {
  const read = (pack: number) =>
    waveshareBattery(
      Uint8Array.from(littleEndian(pack, -900, 0, 0, 0, 0)),
      Uint8Array.from(littleEndian(pack / 4, pack / 4, pack / 4, pack / 4)),
    ).percent
  t.match(read(12_400), { value: 0 })
  t.match(read(15_600), { value: null, trouble: 'implausible' })
  t.match(read(0), { value: null, trouble: 'implausible' })
})

t.test('a pack that is not the sum of its cells is not believed', async t => {
  const cells = Uint8Array.from(CELLS)
  const packOf = (millivolts: number, of = cells) =>
    waveshareBattery(Uint8Array.from(littleEndian(millivolts, 0, 0, 0, 0, 0)), of).millivolts.value
  t.equal(packOf(15_300), 15_300, 'measured at another moment')
  t.equal(packOf(12_000), null)
  t.equal(packOf(0), null)
  const untold = new Uint8Array(8)
  t.equal(packOf(15_300, untold), 15_300, 'cells that were not told')
  t.equal(packOf(7_900, untold), null)
  t.equal(packOf(17_700, untold), null)
  t.equal(packOf(0, untold), null)
  t.equal(packOf(11_700, Uint8Array.from(littleEndian(3_900, 3_900, 3_900, 0))), null)
})

t.test('all that the board tells is in the reading', async t => {
  const { gauge } = bench()
  await gauge.start()
  t.same(await readOne(gauge), {
    at: 0,
    millivolts: 15_600,
    milliamps: -1250,
    percent: 62,
    celsius: null,
    remainingMilliampHours: 3100,
    fullMilliampHours: null,
    isExternal: false,
    isCharging: false,
    secondsToEmpty: 8_880,
    wasReset: false,
    troubles: [],
  })
})

t.test('the charger tells of power, and of charging', async t => {
  const { chip, gauge } = bench()
  await gauge.start()
  chip.registers[2] = 0b1110_0010
  t.match(await readOne(gauge), { isExternal: true, isCharging: true })
  chip.registers[2] = 0b0010_0101
  t.match(await readOne(gauge), { isExternal: true, isCharging: false })
})

t.test('a gauge or charger that the board cannot reach is not ready', async t => {
  const { chip, gauge } = bench()
  await gauge.start()
  chip.registers[3] = 0b01
  t.match(await readOne(gauge), {
    millivolts: null,
    percent: null,
    isExternal: false,
    troubles: ['not-ready'],
  })
  chip.registers[3] = 0b10
  t.match(await readOne(gauge), {
    millivolts: 15_600,
    isExternal: null,
    isCharging: null,
    troubles: ['not-ready'],
  })
  chip.registers[3] = 0xff
  t.match(await readOne(gauge), { millivolts: null, isExternal: null, troubles: ['not-ready'] })
})

t.test('values that stand still for long while much is drawn are stuck', async t => {
  const { clock, chip, gauge } = bench()
  await gauge.start()
  for (let minute = 0; minute < 9; minute++) {
    t.same((await readOne(gauge)).troubles, [], `${minute} min`)
    await clock.advance(60_000)
  }
  await clock.advance(120_000)
  t.match(await readOne(gauge), {
    millivolts: null,
    milliamps: null,
    secondsToEmpty: null,
    troubles: ['stuck'],
  })
  chip.registers.set(littleEndian(15_590), 0x20)
  t.match(await readOne(gauge), { millivolts: 15_590, troubles: [] })
})

t.test('another chip, and none, are told apart', async t => {
  const { host, chip, gauge } = bench()
  chip.registers[0] = 0x0b
  await t.rejects(gauge.start(), { code: 'device.absent', message: /is no UPS HAT \(E\)/ })
  host.bus('header').plug(0x2d, { isPlugged: false, read: () => new Uint8Array(1), write() {} })
  await t.rejects(gauge.start(), { code: 'device.absent', message: /nothing answers/ })
  await gauge.stop()
  await gauge.stop()
})

t.test('a board that is pulled out is a fault', async t => {
  const { chip, gauge } = bench()
  const faults = faultsOf(gauge)
  await gauge.start()
  chip.isPlugged = false
  await t.rejects(gauge.read(), { code: 'device.absent' })
  t.equal(faults.length, 1)
})

t.test('the power is cut by 0x55, and only when the board has taken it', async t => {
  const { chip, gauge } = bench()
  await gauge.start()
  t.equal(chip.registers[1], 0x0b, 'nothing before')
  t.equal(await gauge.cutPower(), true)
  t.equal(chip.registers[1], 0x55)
  chip.write = () => {}
  chip.registers[1] = 0x0b
  t.equal(await gauge.cutPower(), false)
})
