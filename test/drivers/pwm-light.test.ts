import t from 'tap'
import { PwmLight } from '../../drivers/pwm-light.js'
import type { Fired } from '../../runtime/ports/host.js'
import { at, type Bench, makeBench } from './bench.js'

const lamp = ({ host, clock }: Bench, gamma = 1): PwmLight =>
  new PwmLight(host.pwmOutput('pwm-1'), clock, { name: 'lamp', frequencyHz: 1000, gamma })

t.test('opens its output dark and at its frequency', async t => {
  const bench = makeBench()
  await lamp(bench).start()
  t.equal(bench.host.pwm('pwm-1').frequencyHz, 1000)
  t.equal(bench.host.pwm('pwm-1').duty, 0)
})

t.test('shows each level at its moment and says so', async t => {
  const bench = makeBench()
  const light = lamp(bench)
  const fired: Fired[] = []
  light.onApplied(report => void fired.push(report))
  await light.start()
  light.apply([0.25], at(100))
  light.apply([0.75], at(200))
  await bench.clock.advance(1000)
  t.same(bench.host.pwm('pwm-1').history.slice(1), [
    { duty: 0.25, at: 100 },
    { duty: 0.75, at: 200 },
  ])
  t.same(fired, [
    { plannedMs: 100, firedMs: 100, source: 'program' },
    { plannedMs: 200, firedMs: 200, source: 'program' },
  ])
})

t.test('a blackout is dark until it is taken back, then shows what was applied last', async t => {
  const bench = makeBench()
  const light = lamp(bench)
  await light.start()
  light.apply([0.5], at(0))
  light.blackout()
  t.equal(bench.host.pwm('pwm-1').duty, 0)
  light.apply([0.75], at(50))
  await bench.clock.advance(100)
  t.equal(bench.host.pwm('pwm-1').duty, 0)
  light.restore()
  t.equal(bench.host.pwm('pwm-1').duty, 0.75)
})

t.test('forgets what is planned', async t => {
  const bench = makeBench()
  const light = lamp(bench)
  await light.start()
  light.apply([0.5], at(100))
  light.cancelPlanned()
  await bench.clock.advance(1000)
  t.equal(bench.host.pwm('pwm-1').duty, 0)
})

t.test('a stopped lamp is dark, and may be stopped twice', async t => {
  const bench = makeBench()
  const light = lamp(bench)
  await light.start()
  light.apply([1], at(0))
  light.apply([0.5], at(100))
  await light.stop()
  await light.stop()
  await bench.clock.advance(1000)
  t.equal(bench.host.pwm('pwm-1').duty, 0)
})

t.test('an output that goes away is one fault, not a crash', async t => {
  const bench = makeBench()
  const light = lamp(bench)
  const faults: Error[] = []
  light.onFault(fault => void faults.push(fault))
  await light.start()
  bench.host.pwm('pwm-1').fault = 'device.io'
  light.apply([0.5], at(10))
  light.apply([0.6], at(20))
  await bench.clock.advance(100)
  t.match(faults, [{ code: 'device.io' }])
  t.equal(faults.length, 1)
})

t.test('an output that is not there fails the start', async t => {
  const bench = makeBench()
  bench.host.pwm('pwm-1').fault = 'device.absent'
  await t.rejects(lamp(bench).start(), { code: 'device.absent' })
})

t.test('a lamp whose process was killed is dark, and free for the next one', async t => {
  const bench = makeBench()
  const light = lamp(bench)
  await light.start()
  light.apply([1], at(0))
  await bench.clock.advance(0)
  t.equal(bench.host.pwm('pwm-1').duty, 1)
  bench.host.die()
  t.equal(bench.host.pwm('pwm-1').duty, 0)
  await lamp(bench).start()
})
