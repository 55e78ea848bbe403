import t from 'tap'
import {
  pijuice,
  pijuiceAnswer,
  pijuiceCelsius,
  pijuiceChecksum,
  pijuiceCurrent,
  pijuiceMilliamps,
  pijuiceMillivolts,
  pijuicePercent,
  pijuiceStatus,
} from '../../drivers/pijuice.js'
import { RegisterChip } from '../../drivers/simulated/chips.js'
import { PijuiceChip } from '../../drivers/simulated/pijuice-chip.js'
import { makeBench } from './bench.js'
import { faultsOf, readOne } from './gauge-bench.js'

function bench() {
  const { clock, host } = makeBench()
  const chip = new PijuiceChip(clock)
  host.bus('header').plug(0x14, chip)
  const device = host.i2cDevice('header', 0x14)
  return { clock, host, chip, gauge: pijuice(device, clock, { name: 'pack', cutSeconds: 20 }) }
}

t.test('the checksum is all bytes and 0xFF, exclusive-ored', async t => {
  t.equal(pijuiceChecksum(Uint8Array.of()), 0xff)
  t.equal(pijuiceChecksum(Uint8Array.of(0x39)), 0xc6)
  t.equal(pijuiceChecksum(Uint8Array.of(0xea, 0x0d)), 0xff ^ 0xea ^ 0x0d)
})

t.test(
  'an answer is taken when its checksum is right, also with its highest bit put back',
  async t => {
    t.same(pijuiceAnswer(Uint8Array.of(0x39, 0xc6)), Uint8Array.of(0x39))
    const whole = [0xea, 0x0d, 0xff ^ 0xea ^ 0x0d]
    t.same(pijuiceAnswer(Uint8Array.from(whole)), Uint8Array.of(0xea, 0x0d))
    t.same(pijuiceAnswer(Uint8Array.from([0x6a, ...whole.slice(1)])), Uint8Array.of(0xea, 0x0d))
    t.equal(pijuiceAnswer(Uint8Array.from([0x2a, ...whole.slice(1)])), null, 'another bit')
    t.equal(pijuiceAnswer(Uint8Array.of(0xff, 0xff)), null, 'a bus of ones')
    t.equal(pijuiceAnswer(Uint8Array.of(0, 0)), null, 'a bus of zeros')
  },
)

t.test('status bits are battery, own input, and the 5 V of the computer', async t => {
  for (const [byte, status] of [
    // The example of the vendor's README: charging from the 5 V pin, which is present.
    [0b1100_1000, { hasBattery: true, isExternal: true, isCharging: true }],
    [0b0000_0000, { hasBattery: true, isExternal: false, isCharging: false }],
    [0b0011_0100, { hasBattery: true, isExternal: true, isCharging: true }],
    [0b0010_0000, { hasBattery: true, isExternal: true, isCharging: false }],
    [0b0001_0000, { hasBattery: true, isExternal: false, isCharging: false }],
    [0b0101_0000, { hasBattery: true, isExternal: false, isCharging: false }],
    [0b1100_1100, { hasBattery: false, isExternal: true, isCharging: false }],
    [0b0000_0011, { hasBattery: true, isExternal: false, isCharging: false }],
  ] as const)
    t.same(pijuiceStatus(byte), status, byte.toString(2))
})

t.test('what leaves the battery is negative here, and positive on the wire', async t => {
  t.equal(pijuiceMilliamps(Uint8Array.of(0xd0, 0x08)), -2256)
  t.equal(pijuiceMilliamps(Uint8Array.of(0x0c, 0xfe)), 500)
  t.ok(Object.is(pijuiceMilliamps(Uint8Array.of(0, 0)), 0), 'not minus zero')
  // "When PiJuice is connected to a power source: BatteryCurrent: -1376. If the power supply is interrupted: 570" (#552).
  t.equal(pijuiceMilliamps(Uint8Array.of(0xa0, 0xfa)), 1_376)
  t.equal(pijuiceMilliamps(Uint8Array.of(0x3a, 0x02)), -570)
})

t.test('a current that the board cannot carry is unknown', async t => {
  t.match(pijuiceCurrent(Uint8Array.of(0x3a, 0x02)), { value: -570, trouble: null })
  for (const [low, high] of [
    // 26601 and 16044, as PiSupply/PiJuice#287 shows them.
    [0xe9, 0x67],
    [0xac, 0x3e],
    [0x00, 0x80],
  ] as const)
    t.match(pijuiceCurrent(Uint8Array.of(low, high)), { value: null, trouble: 'implausible' })
  const { chip, gauge } = bench()
  await gauge.start()
  chip.answer(0x4b, 0xe9, 0x67)
  t.match(await readOne(gauge), { millivolts: 3_562, milliamps: null, troubles: ['implausible'] })
})

t.test('voltage, temperature and percent are what they can be, or unknown', async t => {
  t.same(pijuiceMillivolts(Uint8Array.of(0xea, 0x0d)), { value: 3562, trouble: null })
  t.equal(pijuiceMillivolts(Uint8Array.of(0xff, 0xff)).trouble, 'implausible')
  t.equal(pijuiceMillivolts(Uint8Array.of(0, 0)).trouble, 'implausible')
  t.same(pijuiceCelsius(Uint8Array.of(0x2c, 0xff)), { value: 44, trouble: null })
  t.same(pijuiceCelsius(Uint8Array.of(0xf6, 0xff)), { value: -10, trouble: null })
  t.equal(pijuiceCelsius(Uint8Array.of(0x80, 0xff)).trouble, 'implausible')
  t.same(pijuicePercent(57), { value: 57, trouble: null })
  t.equal(pijuicePercent(0xff).trouble, 'implausible')
})

t.test('all that the board tells is in the reading, and nothing else', async t => {
  const { gauge } = bench()
  await gauge.start()
  t.same(await readOne(gauge), {
    at: 0,
    millivolts: 3562,
    milliamps: -2256,
    percent: 57,
    celsius: 44,
    remainingMilliampHours: null,
    fullMilliampHours: null,
    isExternal: true,
    isCharging: true,
    secondsToEmpty: null,
    wasReset: false,
    troubles: [],
  })
})

t.test('a lost highest bit is put back, and a disturbed answer asked for again', async t => {
  const { chip, gauge } = bench()
  await gauge.start()
  chip.lostBits = 100
  // Only the voltage has its highest bit set.
  t.match(await readOne(gauge), { millivolts: 3562, milliamps: -2256, percent: 57 })
  chip.lostBits = 0
  chip.disturbed = 2
  t.equal((await readOne(gauge)).percent, 57)
})

t.test('a board that only says nonsense is a fault', async t => {
  const { chip, gauge } = bench()
  const faults = faultsOf(gauge)
  await gauge.start()
  chip.disturbed = 1000
  await t.rejects(gauge.read(), { code: 'device.io', message: /0x40: wrong checksum/ })
  t.equal(faults.length, 1)
})

t.test('without a battery nothing of it is known', async t => {
  const { chip, gauge } = bench()
  await gauge.start()
  chip.answer(0x40, 0b0011_1100)
  t.match(await readOne(gauge), {
    millivolts: null,
    percent: null,
    isExternal: true,
    isCharging: false,
    troubles: ['no-pack'],
  })
})

t.test('0 % of a battery that is not empty, or not measured, is unknown', async t => {
  const { chip, gauge } = bench()
  await gauge.start()
  chip.answer(0x41, 0)
  t.match(await readOne(gauge), { millivolts: 3_562, percent: 0, troubles: [] })
  chip.answer(0x49, 0x68, 0x10)
  t.match(await readOne(gauge), { millivolts: 4_200, percent: null, troubles: ['implausible'] })
  chip.answer(0x49, 0, 0)
  t.match(await readOne(gauge), { millivolts: null, percent: null, troubles: ['implausible'] })
})

t.test('what answers without checksums is no PiJuice', async t => {
  const { host, gauge } = bench()
  host.bus('header').plug(0x14, new RegisterChip())
  await t.rejects(gauge.start(), { code: 'device.absent', message: /0x14 is no PiJuice/ })
  host.bus('header').plug(0x14, { isPlugged: false, read: () => new Uint8Array(1), write() {} })
  await t.rejects(gauge.start(), { code: 'device.absent', message: /nothing answers/ })
  await gauge.stop()
  await gauge.stop()
})

t.test('the power is cut after its delay, by a command with a checksum', async t => {
  const { clock, chip, gauge } = bench()
  await gauge.start()
  t.equal(await gauge.cutPower(), true)
  await clock.advance(19_000)
  t.equal(chip.isCut, false)
  await clock.advance(2_000)
  t.equal(chip.isCut, true)
})

t.test('a board that did not take the command does not cut', async t => {
  const { chip, gauge } = bench()
  await gauge.start()
  chip.write = () => {}
  t.equal(await gauge.cutPower(), false)
})
