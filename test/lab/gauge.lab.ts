/**
 * Gauges on a real kernel's I2C bus. Its chips are made of memory (i2c-stub) and hold what `guest/hardware` put there
 * with i2c-tools, as words. The stub knows a transfer of two bytes as a word only by the SMBus call of that name, where
 * the box sends a block, which is the same on a wire; so the first tests speak through i2c-tools. The
 * others have the box's own bus, with the same registers as bytes.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { ina219 } from '../../drivers/ina219.js'
import type { LinuxI2cBuses } from '../../drivers/linux/i2c.js'
import { MAX1704X_ADDRESS, max1704x } from '../../drivers/max1704x.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import type { I2cDevice } from '../../runtime/ports/host.js'
import { readOne } from '../drivers/gauge-bench.js'
import { clock, patientBuses } from './far-side.js'

const BUS = 1
const INA219_ADDRESS = 0x40
const run = promisify(execFile)
const planWrites = () => Promise.reject(new Error('a gauge plans nothing'))
const hex = (value: number): string => `0x${value.toString(16)}`

/**
 * A chip as i2c-tools speak to it; a word of SMBus has its low byte first. Not through the box's queue: starting a program
 * takes as long as it takes, and a bus has its limit.
 */
const byWords = (address: number): I2cDevice => ({
  address,
  readRegister: async register => {
    const { stdout } = await run('i2cget', ['-y', `${BUS}`, hex(address), hex(register), 'w'])
    const word = Number(stdout)
    return Uint8Array.of(word & 0xff, word >> 8)
  },
  writeRegister: async (register, [low = 0, high = 0]) => {
    const word = hex((high << 8) | low)
    await run('i2cset', ['-y', `${BUS}`, hex(address), hex(register), word, 'w'])
  },
  setLastWords: async () => {},
  reserve: () => ({ from: clock.monotonicMs(), release: () => {} }),
  planWrites,
})

function deviceOn(buses: LinuxI2cBuses, address: number): I2cDevice {
  return { ...buses.device(BUS, address), setLastWords: async () => {}, planWrites }
}

t.test('an INA219 tells what is in its registers', async t => {
  const stub = byWords(INA219_ADDRESS)
  const options = { name: 'pack', shuntMilliohms: 100, isReversed: false }
  const gauge = ina219(stub, clock, options)
  await gauge.start()
  t.match(await readOne(gauge), {
    millivolts: 12_300,
    milliamps: 200,
    isCharging: true,
    wasReset: false,
    troubles: [],
  })
  t.same([...(await stub.readRegister(0x00, 2))], [0x3f, 0xff], 'set to average')
  await stub.writeRegister(0x05, Uint8Array.of(0, 0))
  t.match(await readOne(gauge), { millivolts: 12_300, milliamps: null, wasReset: true })
  t.same([...(await stub.readRegister(0x05, 2))], [0x10, 0x00], 'calibrated again')
  t.match(await readOne(gauge), { milliamps: 200, wasReset: false })
})

t.test('a MAX17048 tells what is in its registers', async t => {
  const options = { name: 'pack', cells: 1, family: 'max17048' } as const
  const gauge = max1704x(byWords(MAX1704X_ADDRESS), clock, options)
  await gauge.start()
  t.match(await readOne(gauge), { millivolts: 4100, percent: 87, wasReset: false, troubles: [] })
})

t.test("a gauge on the box's own bus: bytes in order, resets acknowledged", async t => {
  const buses = patientBuses(clock, new SimulatedLog())
  t.teardown(() => buses.close())
  const device = deviceOn(buses, MAX1704X_ADDRESS)
  for (const [register, bytes] of [
    [0x02, [0xc0, 0x80]],
    [0x04, [0x42, 0x80]],
    [0x08, [0x00, 0x12]],
    [0x0c, [0x97, 0x9c]],
    [0x16, [0xff, 0x88]],
    [0x1a, [0x01, 0x00]],
  ] as const)
    await device.writeRegister(register, Uint8Array.from(bytes))
  const gauge = max1704x(device, clock, { name: 'pack', cells: 1, family: null })
  await gauge.start()
  t.same([...(await device.readRegister(0x0c, 2))], [0x97, 0x1c], 'woken')
  t.match(await readOne(gauge), { millivolts: 3850, percent: null, wasReset: true })
  t.same([...(await device.readRegister(0x1a, 2))], [0, 0], 'acknowledged')
  t.match(await readOne(gauge), { percent: 66.5, isCharging: false, wasReset: false })
})

t.test('a gauge that is not there is absent, and a dimmer is no gauge', async t => {
  const buses = patientBuses(clock, new SimulatedLog())
  t.teardown(() => buses.close())
  const options = { name: 'pack', shuntMilliohms: 100, isReversed: false }
  const nobody = ina219(deviceOn(buses, 0x4f), clock, options)
  await t.rejects(nobody.start(), { code: 'device.absent' })
  const dimmer = ina219(deviceOn(buses, 0x41), clock, options)
  await t.rejects(dimmer.start(), { code: 'device.absent', message: /is no INA219/ })
})
