import { existsSync } from 'node:fs'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { LinuxHost } from '../../../drivers/linux/host.js'
import type { I2cTransfers } from '../../../drivers/linux/i2c-last-words.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { DeviceError } from '../../../runtime/core/errors.js'
import { contractBoard } from '../../ports/lines.contract.js'

/** No machine has a chip of that label, so these tests need none and touch none. */
const board = {
  ...contractBoard,
  gpioChip: 'no-such-chip',
  i2cBuses: [{ name: 'header', bus: 7, frequencyHz: 100_000, dataPin: null, clockPin: null }],
}

function bench(t: Test, fault: Error | null = null) {
  const log = new SimulatedLog()
  const asked: string[] = []
  const device = (bus: number, address: number): I2cTransfers => {
    asked.push(`${bus}/${address}`)
    return {
      address,
      readRegister: () => Promise.reject(new Error('not asked for')),
      writeRegister: () => Promise.reject(new Error('not asked for')),
      reserve: (_, until) => ({ from: until, release: () => {} }),
    }
  }
  const close = async (): Promise<void> => {
    asked.push('closed')
    if (fault) throw fault
  }
  const i2c = { device, close }
  const host = new LinuxHost(new LinuxClock(ownAnchor()), log, i2c, {
    board,
    gpio: 'auto',
    heartbeatMs: 3000,
  })
  t.teardown(() => host.stop().catch(() => {}))
  return { host, log, asked }
}

t.test('a machine without lines starts, says so, and refuses to open one', async t => {
  const { host, log } = bench(t)
  await host.start()
  const line = log.lines.find(({ event }) => event === 'gpio.backend')
  t.match(line, { level: 'warn', facts: { backend: 'none', label: 'no-such-chip' } })
  await t.rejects(host.outputLine('lamp').open(false), { code: 'device.absent' })
  await t.rejects(host.inputLine('button', { debounceMs: 5 }).open(), { code: 'device.absent' })
  await t.rejects(host.outputLine('lamp').open(false), { code: 'device.absent' }, 'nor is it busy')
  host.safeNow()
})

t.test('a host that never started stops', async t => {
  const { host, asked } = bench(t)
  await host.stop()
  t.same(asked, ['closed'])
})

t.test('a bus that cannot be closed keeps no guard alive', async t => {
  const { host, log, asked } = bench(t, new DeviceError('device.stuck', 'it hangs'))
  await host.start()
  const limit = Date.now() + 30_000
  while (!log.events().includes('guard.ready') && Date.now() < limit)
    await new Promise(setImmediate)
  const pid = Number(log.lines.find(({ event }) => event === 'guard.ready')?.facts?.['pid'])
  await t.rejects(host.stop(), { code: 'device.stuck' })
  t.same(asked, ['closed'])
  t.notOk(existsSync(`/proc/${pid}`), 'the guard is gone')
})

t.test('buses are found by name, and I2C by number of bus and address', async t => {
  const { host, asked } = bench(t)
  t.equal(host.i2cDevice('header', 0x40).address, 0x40)
  t.same(asked, ['7/64'])
})

t.test('a name that the board does not have is the mistake of a person', async t => {
  const { host } = bench(t)
  const expected = { code: 'config.invalid' }
  t.throws(() => host.i2cDevice('haeder', 0x40), { ...expected, message: /"header"/ })
  t.throws(() => host.pwmOutput('dimmer'), { ...expected, message: /it has none/ })
  t.throws(() => host.byteStream('printer'), expected)
  t.throws(() => host.outputLine('button'), { ...expected, message: /no output line "button"/ })
})

t.test('nothing is touched before a line is opened', async t => {
  const { host } = bench(t)
  host.outputLine('lamp')
  await t.rejects(host.outputLine('lamp').open(true), /started/)
})
