import t from 'tap'
import { simulated } from '../../boards/simulated.js'
import { RegisterChip } from '../../drivers/simulated/chips.js'
import { VenueIO, venueIoDefaults } from '../../drivers/venue-io.js'
import { type Bench, changesOf, makeBench } from './bench.js'

const steady = { isSteady: true }

function makeIo(bench: Bench, options: { debounceMs?: number } = {}): VenueIO {
  const { host, clock } = bench
  return new VenueIO(steady, host, clock, { ...venueIoDefaults, board: simulated, ...options })
}

t.test('johnny-five loaded by other means is refused', async t => {
  const { host, clock } = makeBench()
  t.throws(() => new VenueIO({}, host, clock, { ...venueIoDefaults, board: simulated }), {
    code: 'config.invalid',
    message: /loadJohnnyFive/,
  })
})

t.test('every line and PWM output is a pin by its name', async t => {
  const io = makeIo(makeBench())
  t.equal(io.pins.length, simulated.lines.length + simulated.pwmOutputs.length)
  t.equal(io.pins[io.normalize('shutter')]?.name, 'shutter')
  t.equal(io.normalize(3), 3)
  t.same(io.pins[io.normalize('pwm-1')]?.supportedModes, [io.MODES.OUTPUT, io.MODES.PWM])
  t.throws(() => io.normalize('ligth-1'), { code: 'device.absent', message: /"light-1"/ })
  t.throws(() => io.normalize(99), { code: 'device.absent' })
})

t.test(
  'a level written is a meaning, whatever the wiring, also before the line is open',
  async t => {
    const bench = makeBench()
    const io = makeIo(bench)
    io.digitalWrite('light-1', 1)
    io.digitalWrite('dimmer-enable', 1)
    io.pinMode('light-2', io.MODES.OUTPUT)
    io.digitalWrite('light-2', 1)
    await bench.clock.advance(0)
    t.equal(bench.host.physical('light-1'), true)
    t.equal(bench.host.physical('dimmer-enable'), false)
    t.equal(bench.host.physical('light-2'), true)
    io.digitalWrite('light-1', 0)
    t.equal(bench.host.physical('light-1'), false)
    await io.close()
    await io.close()
    t.equal(bench.host.physical('light-2'), false)
  },
)

t.test('a read tells the level at once and each change, 1 is active', async t => {
  const bench = makeBench()
  const io = makeIo(bench, { debounceMs: 0 })
  const heard: unknown[] = []
  io.pinMode('go-button', io.MODES.INPUT)
  io.digitalRead('go-button', level => void heard.push(level))
  await bench.clock.advance(0)
  bench.host.drive('go-button', false)
  bench.host.drive('go-button', true)
  t.same(heard, [0, 1, 0])
  await io.close()
  bench.host.drive('go-button', false)
  t.same(heard, [0, 1, 0])
})

t.test('two readers of one pin hear each change once', async t => {
  const bench = makeBench()
  const io = makeIo(bench, { debounceMs: 0 })
  const heard: string[] = []
  io.digitalRead('beam', level => void heard.push(`a${level}`))
  io.digitalRead('beam', level => void heard.push(`b${level}`))
  await bench.clock.advance(0)
  heard.length = 0
  bench.host.drive('beam', false)
  t.same(heard, ['a1', 'b1'])
})

t.test('a PWM output takes 0 to 255', async t => {
  const bench = makeBench()
  const io = makeIo(bench)
  io.analogWrite('pwm-1', 51)
  await bench.clock.advance(0)
  t.equal(bench.host.pwm('pwm-1').duty, 0.2)
  io.pwmWrite('pwm-1', 300)
  t.equal(bench.host.pwm('pwm-1').duty, 1)
  await io.close()
  t.equal(bench.host.pwm('pwm-1').duty, 0)
})

t.test('what a line cannot do is refused with what can', async t => {
  const io = makeIo(makeBench())
  t.throws(() => io.pinMode('light-1', io.MODES.PWM), { message: /PCA9685/ })
  t.throws(() => io.pinMode('light-1', io.MODES.INPUT), { message: /board says/ })
  t.throws(() => io.analogRead('beam'), { message: /ADS1115/ })
  t.throws(() => io.servoWrite('light-1'), { message: /PCA9685/ })
  t.throws(() => io.servoConfig('pwm-1'), { message: /PCA9685/ })
})

t.test('numbers are cut down to bytes on their way to a chip', async t => {
  const bench = makeBench()
  const chip = new RegisterChip()
  bench.host.bus('header').plug(0x48, chip)
  const io = makeIo(bench)
  io.i2cConfig({ address: 0x48, bus: 'header' })
  io.i2cConfig(10)
  io.i2cWrite(0x48, [0x10, 4096, 2047.5, 300])
  io.i2cWrite(0x48, 0x20, [7, 8])
  io.i2cWriteReg(0x48, 0x30, 9)
  await bench.clock.advance(0)
  t.same([...chip.registers.subarray(0x10, 0x13)], [0, 0xff, 44])
  t.same([...chip.registers.subarray(0x20, 0x22)], [7, 8])
  t.equal(chip.registers[0x30], 9)
  t.throws(() => io.i2cWrite(0x48, [1]), { message: /registers/ })
})

t.test('a continuous read goes on until the plugin is closed', async t => {
  const bench = makeBench()
  const chip = new RegisterChip()
  bench.host.bus('header').plug(0x48, chip)
  const io = makeIo(bench)
  io.setSamplingInterval(100)
  const heard: number[][] = []
  io.i2cRead(0x48, 0, 2, bytes => void heard.push(bytes))
  io.i2cReadOnce(0x48, 1, 1, bytes => void heard.push(bytes))
  await bench.clock.advance(150)
  chip.registers.set([1, 2])
  await bench.clock.advance(100)
  t.same(heard, [[0], [0, 0], [1, 2]])
  await io.close()
  await bench.clock.advance(1000)
  t.equal(heard.length, 3)
})

t.test('a chip that does not answer is one error event, and reading goes on', async t => {
  const bench = makeBench()
  const chip = new RegisterChip()
  bench.host.bus('header').plug(0x48, chip)
  const io = makeIo(bench)
  const faults: unknown[] = []
  io.on('error', fault => void faults.push(fault))
  let reads = 0
  io.i2cRead(0x48, 0, 1, () => void reads++)
  chip.isPlugged = false
  await bench.clock.advance(1000)
  t.match(faults, [{ code: 'device.absent' }])
  t.equal(faults.length, 1)
  t.equal(reads, 0)
  chip.isPlugged = true
  await bench.clock.advance(1000)
  t.ok(reads > 0)
})

t.test('a line in use by the box is an error event', async t => {
  const bench = makeBench()
  await bench.host.outputLine('light-1').open(true)
  const io = makeIo(bench)
  const faults: unknown[] = []
  io.on('error', fault => void faults.push(fault))
  io.digitalWrite('light-1', 1)
  await bench.clock.advance(0)
  t.match(faults, [{ code: 'device.busy' }])
  await io.close()
  t.same(changesOf(bench.host, 'light-1'), ['0 high'], 'and stays as it is')
})

t.test('reads are bounded, and a component without registers is refused', async t => {
  const io = makeIo(makeBench())
  for (let read = 0; read < 64; read++) io.i2cRead(0x48, 0, 1, () => {})
  t.throws(() => io.i2cRead(0x48, 0, 1, () => {}), { code: 'device.limit' })
  // As johnny-five calls it for a PCF8574, which no type can hold back.
  t.throws(() => Reflect.apply(io.i2cReadOnce, io, [0x20, 1, () => {}]), { message: /without one/ })
  await io.close()
})

t.test('listeners can be removed, and once is once', async t => {
  const io = makeIo(makeBench())
  const heard: unknown[] = []
  const listener = (value: unknown): void => void heard.push(value)
  io.once('ready', listener)
  io.on('string', listener)
  t.equal(io.emit('ready', 1), true)
  t.equal(io.emit('ready', 2), false)
  io.removeListener('string', listener)
  t.equal(io.emit('string', 3), false)
  t.same(heard, [1])
})

t.test('after the end nothing is opened again, and a fade under way writes nothing', async t => {
  const bench = makeBench()
  const io = makeIo(bench)
  io.digitalWrite('light-1', 1)
  await bench.clock.advance(0)
  await io.close()
  io.digitalWrite('light-1', 1)
  io.digitalWrite('light-2', 1)
  await bench.clock.advance(0)
  t.notOk(bench.host.physical('light-1') || bench.host.physical('light-2'))
  t.throws(() => io.pinMode('light-2', io.MODES.OUTPUT), { message: /closed its lines/ })
})
