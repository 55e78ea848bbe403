/** A real kernel's I2C bus, by i2c-bus, keeps what every machine's buses promise. */
import t from 'tap'
import { lab } from '../../boards/lab.js'
import { LinuxHost } from '../../drivers/linux/host.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { i2cContract } from '../ports/i2c.contract.js'
import { clock, hang, patientBuses, pause, until } from './far-side.js'

/** Longer than a loaded host stands still, so that nobody speaks for a process that is well. */
const HEARTBEAT_MS = 1_500

t.test('registers of a real bus', async t => {
  const log = new SimulatedLog()
  const host = new LinuxHost(clock, log, patientBuses(clock, log), {
    board: lab,
    gpio: 'auto',
    heartbeatMs: HEARTBEAT_MS,
  })
  t.teardown(() => host.stop())
  await host.start()
  await until(() => log.events().includes('guard.ready'))
  // One host for all tests: it is whole again once it is no longer silent.
  i2cContract(t, () => ({
    device: address => host.i2cDevice('header', address),
    // The lab's chips are made of memory: each of the three keeps what is written to it.
    presentAddress: 0x40,
    absentAddress: 0x50,
    nowMs: () => clock.monotonicMs(),
    pass: pause,
    fallSilent: async () => {
      // So that the guard has heard of what was asked last, and of this silence as a new one.
      await pause(HEARTBEAT_MS / 4)
      hang(1.5 * HEARTBEAT_MS)
    },
    close: async () => {},
  }))
})
