import t from 'tap'
import type { Board } from '../../../boards/board.js'
import { simulated } from '../../../boards/simulated.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedHost, wellBehaved } from '../../../drivers/simulated/host.js'
import { plugVenueDimmer } from '../../../drivers/simulated/venue.js'

const FULL_ON = Uint8Array.of(0, 0x10, 0, 0)

function dutyWithFullOn(board: Board): { before: number; enable: () => number } {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const host = new SimulatedHost(board, clock, wellBehaved)
  const chip = plugVenueDimmer(host, board, clock)
  chip?.write(0x00, Uint8Array.of(0x20))
  chip?.write(0x06, FULL_ON)
  return {
    before: chip?.duty(0) ?? -1,
    enable: () => {
      host.wire('dimmer-enable').setActive(true)
      return chip?.duty(0) ?? -1
    },
  }
}

t.test("the dimmer's outputs follow its enable line", async t => {
  const { before, enable } = dutyWithFullOn(simulated)
  t.equal(before, 0)
  t.equal(enable(), 1)
})

t.test('on a board without the enable line the outputs are always let through', async t => {
  const lines = simulated.lines.filter(line => line.name !== 'dimmer-enable')
  t.equal(dutyWithFullOn({ ...simulated, lines }).before, 1)
})

t.test('a board without a bus has no dimmer', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const board = { ...simulated, i2cBuses: [] }
  t.equal(plugVenueDimmer(new SimulatedHost(board, clock, wellBehaved), board, clock), null)
})
