import t from 'tap'
import { GpioLight } from '../../drivers/gpio-light.js'
import type { Fired } from '../../runtime/ports/host.js'
import { at, type Bench, changesOf, makeBench } from './bench.js'

const lamp = ({ host, clock }: Bench, options: { leadMs: number; threshold?: number }): GpioLight =>
  new GpioLight(host.outputLine('light-1'), clock, { name: 'lamp', threshold: 0.5, ...options })

t.test('changes the line at the moment, less the lead time of the lamp', async t => {
  const bench = makeBench()
  const light = lamp(bench, { leadMs: 8 })
  await light.start()
  light.apply([1], at(100))
  light.apply([0], at(200))
  await bench.clock.advance(1000)
  t.same(changesOf(bench.host, 'light-1'), ['92 high', '192 low'])
})

t.test('reports the moment of the light, not of the line', async t => {
  const bench = makeBench()
  const light = lamp(bench, { leadMs: 8 })
  const fired: Fired[] = []
  light.onApplied(report => void fired.push(report))
  await light.start()
  light.apply([1], at(100))
  await bench.clock.advance(1000)
  t.same(fired, [{ plannedMs: 100, firedMs: 100, source: 'firing' }])
})

t.test('is on from the threshold up', async t => {
  for (const [level, isOn] of [
    [0, false],
    [0.29, false],
    [0.3, true],
    [1, true],
  ] as const) {
    const bench = makeBench()
    const light = lamp(bench, { leadMs: 0, threshold: 0.3 })
    await light.start()
    light.apply([level], at(0))
    t.equal(bench.host.physical('light-1'), isOn, `at ${level}`)
  }
})

t.test('a fade plans one change, not one per frame', async t => {
  const bench = makeBench()
  const light = lamp(bench, { leadMs: 0 })
  let changes = 0
  light.onApplied(() => void changes++)
  await light.start()
  for (let frame = 0; frame <= 100; frame++) light.apply([frame / 100], at(100 + frame * 25))
  await bench.clock.advance(5000)
  t.same(changesOf(bench.host, 'light-1'), ['1350 high'])
  t.equal(changes, 1)
})

t.test('forgets what is planned and keeps what is shown', async t => {
  const bench = makeBench()
  const light = lamp(bench, { leadMs: 0 })
  await light.start()
  light.apply([1], at(100))
  light.apply([0], at(200))
  await bench.clock.advance(150)
  light.cancelPlanned()
  await bench.clock.advance(1000)
  t.same(changesOf(bench.host, 'light-1'), ['100 high'])
  light.apply([0], at(1500))
  await bench.clock.advance(1000)
  t.same(changesOf(bench.host, 'light-1'), ['100 high', '1500 low'])
})

t.test('a blackout is dark at once and holds against planned changes', async t => {
  const bench = makeBench()
  const light = lamp(bench, { leadMs: 0 })
  await light.start()
  light.apply([1], at(0))
  await bench.clock.advance(10)
  light.apply([0], at(50))
  light.apply([1], at(60))
  light.blackout()
  t.equal(bench.host.physical('light-1'), false)
  await bench.clock.advance(100)
  t.same(changesOf(bench.host, 'light-1'), ['0 high', '10 low'])
})

t.test('what was applied during a blackout is shown after it, past and future', async t => {
  const bench = makeBench()
  const light = lamp(bench, { leadMs: 0 })
  await light.start()
  light.blackout()
  light.apply([1], at(20))
  light.apply([0], at(300))
  await bench.clock.advance(100)
  t.equal(bench.host.physical('light-1'), false)
  light.restore()
  t.equal(bench.host.physical('light-1'), true)
  await bench.clock.advance(300)
  t.same(changesOf(bench.host, 'light-1'), ['100 high', '300 low'])
})

t.test('a lamp left on by a dead process is off after the start', async t => {
  const bench = makeBench()
  bench.host.wire('light-1').setActive(true)
  await lamp(bench, { leadMs: 0 }).start()
  t.equal(bench.host.physical('light-1'), false)
})

t.test('a stopped lamp is off, and may be stopped twice and started again', async t => {
  const bench = makeBench()
  const light = lamp(bench, { leadMs: 0 })
  await light.start()
  light.apply([1], at(0))
  light.apply([0], at(50))
  light.apply([1], at(60))
  await light.stop()
  await light.stop()
  t.equal(bench.host.physical('light-1'), false)
  await bench.clock.advance(2000)
  t.equal(bench.host.physical('light-1'), false)
  await light.start()
  light.apply([1], at(0))
  t.equal(bench.host.physical('light-1'), true)
})

t.test('a line that is not there fails the start with its code', async t => {
  const bench = makeBench()
  bench.host.wire('light-1').fault = 'device.absent'
  const light = lamp(bench, { leadMs: 0 })
  await t.rejects(light.start(), { code: 'device.absent' })
  await light.stop()
})

t.test(
  'a line that goes away is one fault, not a crash, and works again after a restart',
  async t => {
    const bench = makeBench()
    const light = lamp(bench, { leadMs: 0 })
    const faults: Error[] = []
    light.onFault(fault => void faults.push(fault))
    await light.start()
    bench.host.wire('light-1').fault = 'device.absent'
    light.apply([1], at(100))
    light.apply([0], at(200))
    await bench.clock.advance(5000)
    t.match(faults, [{ code: 'device.timeout' }])
    t.equal(faults.length, 1)
    bench.host.wire('light-1').fault = null
    await light.stop()
    await light.start()
    light.apply([1], at(6000))
    await bench.clock.advance(5000)
    t.equal(bench.host.physical('light-1'), true)
    t.equal(faults.length, 1)
  },
)

t.test('a lamp that is not running ignores what it is told', async t => {
  const bench = makeBench()
  const light = lamp(bench, { leadMs: 0 })
  light.apply([1], at(0))
  light.blackout()
  light.restore()
  light.cancelPlanned()
  await bench.clock.advance(10)
  t.equal(bench.host.physical('light-1'), false)
})

t.test('when more is planned than a line holds the oldest gives way and the end stays', async t => {
  const bench = makeBench()
  const light = lamp(bench, { leadMs: 0 })
  const faults: Error[] = []
  light.onFault(fault => void faults.push(fault))
  await light.start()
  for (let step = 1; step <= 301; step++) light.apply([step % 2], at(1000 + step))
  await bench.clock.advance(5000)
  t.same(faults, [])
  t.equal(bench.host.physical('light-1'), true)
  t.equal(changesOf(bench.host, 'light-1').at(-1), '1301 high')
})
