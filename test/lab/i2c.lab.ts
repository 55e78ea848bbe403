/** A real kernel's I2C bus, by i2c-bus, keeps what every machine's buses promise. */
import t from 'tap'
import { LinuxI2cBuses } from '../../drivers/linux/i2c.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { i2cContract } from '../ports/i2c.contract.js'
import { clock } from './far-side.js'

const HEADER_BUS = 1

t.test('registers of a real bus', async t =>
  i2cContract(t, async () => {
    const buses = new LinuxI2cBuses(clock, new SimulatedLog())
    return {
      device: address => buses.device(HEADER_BUS, address),
      // The lab's chips are made of memory: each of the three keeps what is written to it.
      presentAddress: 0x40,
      absentAddress: 0x50,
      close: () => buses.close(),
    }
  }),
)
