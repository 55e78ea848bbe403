/** A real kernel's I2C bus, by i2c-bus, keeps what every machine's buses promise. */
import t from 'tap'
import { lab } from '../../boards/lab.js'
import { LinuxHost } from '../../drivers/linux/host.js'
import { LinuxI2cBuses } from '../../drivers/linux/i2c.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { i2cContract } from '../ports/i2c.contract.js'
import { block, clock, pause, until } from './far-side.js'

const HEARTBEAT_MS = 500

t.test('registers of a real bus', async t =>
  i2cContract(t, async () => {
    const log = new SimulatedLog()
    const host = new LinuxHost(clock, log, new LinuxI2cBuses(clock, log), {
      board: lab,
      gpio: 'auto',
      heartbeatMs: HEARTBEAT_MS,
    })
    await host.start()
    await until(() => log.events().includes('guard.ready'))
    return {
      device: address => host.i2cDevice('header', address),
      // The lab's chips are made of memory: each of the three keeps what is written to it.
      presentAddress: 0x40,
      absentAddress: 0x50,
      fallSilent: async () => {
        await pause(HEARTBEAT_MS)
        block(3 * HEARTBEAT_MS)
      },
      close: () => host.stop(),
    }
  }),
)
