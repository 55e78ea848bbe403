import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { DeviceError } from '../../../runtime/core/errors.js'
import { GaugeReader } from '../../../runtime/services/power/gauge-reader.js'
import { reading, ScriptedGauge } from './scripted-gauge.js'

t.test('a gauge is read once a second, and no more once it is stopped', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const gauge = new ScriptedGauge('ups', async () => [reading(clock.monotonicMs())])
  const heard: number[] = []
  const reader = new GaugeReader(clock, new SimulatedLog(), gauge, readings => {
    heard.push(...readings.map(({ at }) => at))
  })
  reader.start()
  await clock.advance(3_500)
  reader.stop()
  await clock.advance(5_000)
  t.same(heard, [1_000, 2_000, 3_000])
})

t.test('an answer that comes after the stop is heard by nobody', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  let answer = (): void => {}
  const gauge = new ScriptedGauge(
    'ups',
    () =>
      new Promise(resolve => {
        answer = () => resolve([reading(0)])
      }),
  )
  let heard = 0
  const reader = new GaugeReader(clock, new SimulatedLog(), gauge, () => {
    heard++
  })
  reader.start()
  await clock.advance(1_500)
  reader.stop()
  answer()
  await clock.advance(1_000)
  t.equal(heard, 0)
})

t.test('silence is logged once, and its end once', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const log = new SimulatedLog()
  const gauge = new ScriptedGauge('ups', async () => {
    throw new DeviceError('device.io', 'nobody answers')
  })
  new GaugeReader(clock, log, gauge, () => {}).start()
  await clock.advance(10_000)
  gauge.answer = async () => []
  await clock.advance(10_000)
  t.same(log.events(), ['power.gauge-silent', 'power.gauge-heard'])
})

t.test('a bug in a driver is not taken for silence', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const log = new SimulatedLog()
  const bug = new TypeError('a bug')
  const gauge = new ScriptedGauge('ups', async () => {
    throw bug
  })
  const reader = new GaugeReader(clock, log, gauge, () => {})
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  const seen = new Promise(resolve => process.once('unhandledRejection', resolve))
  reader.start()
  await clock.advance(1_500)
  t.equal(await seen, bug)
  reader.stop()
  for (const listener of others) process.on('unhandledRejection', listener)
  t.same(log.events(), [])
})
