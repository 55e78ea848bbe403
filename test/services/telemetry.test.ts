import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedVitals } from '../../drivers/simulated/vitals.js'
import { Bus } from '../../runtime/core/bus.js'
import { Telemetry } from '../../runtime/services/telemetry.js'
import type { Messages } from '../../runtime/topics.js'

function bench(maxMs: number) {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const bus = new Bus<Messages>()
  const uptimes: number[] = []
  bus.subscribe('telemetry/state', message => uptimes.push(message.uptimeMs))
  const warnings: string[] = []
  const log = { info() {}, warn: (event: string) => void warnings.push(event), error() {} }
  const vitals = new SimulatedVitals()
  let takenMs = maxMs
  vitals.takeLoopLagMs = () => {
    const max = takenMs
    takenMs = 0
    return { count: 1, p50: 0, p95: 0, p99: 0, max }
  }
  const telemetry = new Telemetry(clock, log, bus, vitals, { everyMs: 1000, lagMsMax: 50 })
  return { clock, bus, telemetry, uptimes, warnings }
}

t.test('health is published at its interval until stopped', async t => {
  const { clock, telemetry, uptimes } = bench(0)
  await telemetry.start()
  await clock.advance(2500)
  await telemetry.stop()
  await clock.advance(5000)
  t.same(uptimes, [1000, 2000])
})

t.test('a main loop held up for longer than its budget is reported', async t => {
  const { clock, telemetry, warnings } = bench(51)
  await telemetry.start()
  await clock.advance(1000)
  t.same(warnings, ['loop.held-up'])
})

t.test('a main loop within its budget is not worth a line', async t => {
  const { clock, telemetry, warnings } = bench(49)
  await telemetry.start()
  await clock.advance(1000)
  t.same(warnings, [])
})

t.test('what held the main loop up before the box was ready is not worth a line', async t => {
  const { clock, bus, telemetry, warnings } = bench(400)
  await telemetry.start()
  bus.publish('box/availability', { state: 'ready', boot: 1 })
  await clock.advance(1000)
  t.same(warnings, [])
})
