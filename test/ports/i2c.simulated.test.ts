import t from 'tap'
import { RegisterChip } from '../../drivers/simulated/chips.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedI2cBus } from '../../drivers/simulated/i2c-bus.js'
import { i2cContract } from './i2c.contract.js'

const PRESENT = 0x40

i2cContract(t, () => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const bus = new SimulatedI2cBus(clock, {
    name: 'header',
    frequencyHz: 100_000,
    isTimed: false,
    failureShare: 0,
    random: () => 0,
  })
  bus.plug(PRESENT, new RegisterChip())
  return {
    device: address => bus.device(address),
    presentAddress: PRESENT,
    absentAddress: 0x41,
    nowMs: () => clock.monotonicMs(),
    pass: durationMs => clock.advance(durationMs),
    fallSilent: async () => bus.carryOutLastWords(),
    close: async () => {},
  }
})
