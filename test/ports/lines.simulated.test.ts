import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedHost, wellBehaved } from '../../drivers/simulated/host.js'
import { contractBoard, linesContract } from './lines.contract.js'

linesContract(t, async () => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const host = new SimulatedHost(contractBoard, clock, wellBehaved)
  return {
    host,
    clock,
    physical: line => host.physical(line),
    drive: (line, isHigh) => host.drive(line, isHigh),
    pass: durationMs => clock.advance(durationMs),
    fallSilent: () => host.carryOutLastWords(),
    close: async () => {},
  }
})
