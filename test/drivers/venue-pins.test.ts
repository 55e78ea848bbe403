import t from 'tap'
import { simulated } from '../../boards/simulated.js'
import { MODES, VenuePins } from '../../drivers/venue-pins.js'
import { type Bench, changesOf, makeBench } from './bench.js'

function makePins({ host }: Bench): { pins: VenuePins; faults: unknown[] } {
  const faults: unknown[] = []
  const options = { debounceMs: 0, pwmFrequencyHz: 1000 }
  const pins = new VenuePins(host, simulated, options, fault => void faults.push(fault))
  return { pins, faults }
}

t.test('nothing is opened before it is used', async t => {
  const bench = makeBench()
  makePins(bench)
  for (const { name, direction } of simulated.lines)
    if (direction === 'out') await t.resolves(bench.host.outputLine(name).open(false), name)
})

t.test('of what is written while a line opens, the last counts', async t => {
  const bench = makeBench()
  const { pins } = makePins(bench)
  pins.setMode('light-1', MODES.OUTPUT)
  pins.write('light-1', 1)
  pins.write('light-1', 0)
  pins.write('light-1', 1)
  await bench.clock.advance(0)
  t.equal(bench.host.physical('light-1'), true)
  t.same(pins.records[pins.indexOf('light-1')], {
    name: 'light-1',
    supportedModes: [MODES.OUTPUT],
    mode: MODES.OUTPUT,
    value: 1,
    report: 1,
    analogChannel: 127,
  })
})

t.test('an output reads as it was written', async t => {
  const { pins } = makePins(makeBench())
  const heard: number[] = []
  pins.write('light-1', 1)
  pins.read('light-1', level => void heard.push(level))
  t.same(heard, [1])
})

t.test('a line that cannot be opened is reported, and closing it harms nobody', async t => {
  const bench = makeBench()
  await bench.host.outputLine('light-1').open(true)
  await bench.host.inputLine('beam', { debounceMs: 0 }).open()
  const { pins, faults } = makePins(bench)
  pins.write('light-1', 0)
  pins.read('beam', () => t.fail('nothing is heard'))
  await bench.clock.advance(0)
  t.match(faults, [{ code: 'device.busy' }, { code: 'device.busy' }])
  t.equal(faults.length, 2)
  await pins.closeAll()
  t.same(changesOf(bench.host, 'light-1'), ['0 high'])
})

t.test('a sketch that asks for the pull-up is told volts', async t => {
  const bench = makeBench()
  const { pins } = makePins(bench)
  const heard: unknown[] = []
  pins.setMode('go-button', MODES.INPUT)
  pins.write('go-button', 1)
  pins.read('go-button', level => void heard.push(level))
  await bench.clock.advance(0)
  bench.host.drive('go-button', false)
  t.same(heard, [1, 0])
  t.throws(() => pins.write('go-button', 0), { message: /no pull-down/ })
})
