import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { Bus } from '../../runtime/core/bus.js'
import { DeviceError } from '../../runtime/core/errors.js'
import { startAll } from '../../runtime/core/lifecycle.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Device } from '../../runtime/ports/devices.js'
import { Devices } from '../../runtime/services/devices.js'
import type { Messages } from '../../runtime/topics.js'

class Plug implements Device {
  readonly name: string
  isPlugged = true
  /** Its line is gone: not even letting go of it works. */
  isStuck = false
  readonly calls: string[] = []
  /** What a start waits for: a printer that is off is given up after seconds. */
  until: Promise<void> = Promise.resolve()
  readonly #faults = new Signal<Error>()

  constructor(name: string) {
    this.name = name
  }
  async start(): Promise<void> {
    this.calls.push('start')
    await this.until
    if (!this.isPlugged) throw new DeviceError('device.absent', `${this.name}: nobody answers`)
  }
  async stop(): Promise<void> {
    this.calls.push('stop')
    if (this.isStuck) throw new DeviceError('device.io', 'cannot be closed')
  }
  onFault(listener: (fault: Error) => void): () => void {
    return this.#faults.listen(listener)
  }
  pull(): void {
    this.isPlugged = false
    this.#faults.emit(new DeviceError('device.io', 'no acknowledge'))
  }
}

type Kind = Messages['device/state']['kind']

function bench(names: readonly string[], kindOf: (name: string) => Kind = () => 'light') {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const bus = new Bus<Messages>()
  const log = { info() {}, warn() {}, error() {} }
  const states: string[] = []
  bus.subscribe('device/state', m =>
    states.push(`${m.device} ${m.state}${m.code ? ` ${m.code}` : ''}`),
  )
  const plugs = names.map(name => new Plug(name))
  const devices = new Devices(
    clock,
    log,
    bus,
    plugs.map(device => ({ device, driver: 'plug', kind: kindOf(device.name) })),
    { retryMsMin: 1000, retryMsMax: 8000, random: () => 0.5 },
  )
  return { clock, log, plugs, devices, states }
}

t.test('nobody waits for a printer or a gauge, which start all the same', async t => {
  for (const kind of ['printer', 'gauge'] as const) {
    const { devices, plugs, states } = bench(['lamp', 'slow'], name =>
      name === 'slow' ? kind : 'light',
    )
    let release = (): void => {}
    const [, slow] = plugs
    if (slow)
      slow.until = new Promise(resolve => {
        release = resolve
      })
    await devices.start()
    t.same(states.slice().sort(), ['lamp ready', 'lamp starting', 'slow starting'], kind)
    release()
    await devices.stop()
    t.ok(states.includes('slow ready'), kind)
  }
})

t.test('outputs are started anew, and printers left alone', async t => {
  const { devices, plugs } = bench(['lamp', 'desk'], name =>
    name === 'desk' ? 'printer' : 'light',
  )
  await devices.start()
  await devices.restartOutputs()
  t.same(
    plugs.map(({ calls }) => calls),
    [['start', 'stop', 'start'], ['start']],
  )
  await devices.stop()
})

t.test('a device that is absent does not keep the others from starting', async t => {
  const { devices, plugs, states } = bench(['left', 'right'])
  const [left] = plugs
  if (left) left.isPlugged = false
  await devices.start()
  t.same(states.slice().sort(), [
    'left faulty device.absent',
    'left starting',
    'right ready',
    'right starting',
  ])
})

t.test('a faulty device is stopped, and tried again after pauses that grow to a limit', async t => {
  const { clock, devices, plugs, states } = bench(['left'])
  const [left] = plugs
  await devices.start()
  left?.pull()
  await clock.advance(0)
  t.same(left?.calls, ['start', 'stop'])
  await clock.advance(1000)
  t.equal(left?.calls.filter(call => call === 'start').length, 2)
  await clock.advance(2000 + 4000 + 8000 + 8000)
  t.equal(left?.calls.filter(call => call === 'start').length, 6)
  if (left) left.isPlugged = true
  await clock.advance(8000)
  t.equal(states.at(-1), 'left ready')
})

t.test('a stopped device is never started again', async t => {
  const { clock, devices, plugs, states } = bench(['left'])
  const [left] = plugs
  await devices.start()
  left?.pull()
  await devices.stop()
  await devices.stop()
  await clock.advance(60_000)
  t.equal(left?.calls.filter(call => call === 'start').length, 1)
  t.equal(states.at(-1), 'left stopped')
})

t.test('a bug in a driver is not mistaken for a fault of the world', async t => {
  const { clock, log, devices, plugs } = bench(['left'])
  const [left] = plugs
  if (left) left.start = () => Promise.reject(new TypeError('undefined is not a function'))
  await t.rejects(startAll(clock, log, [devices]), { message: 'devices did not start' })
})

t.test('outputs changed behind their backs are started anew, faulty or not', async t => {
  const { clock, devices, plugs, states } = bench(['left', 'right'])
  const [left, right] = plugs
  await devices.start()
  left?.pull()
  await clock.advance(0)
  if (left) left.isPlugged = true
  await devices.restartOutputs()
  t.same(right?.calls, ['start', 'stop', 'start'])
  t.same(states.slice(-2).sort(), ['left ready', 'right ready'])
  await clock.advance(60_000)
  t.equal(left?.calls.filter(call => call === 'start').length, 2, 'the retry was called off')
})

t.test('a device that cannot be let go of is started anew all the same', async t => {
  const { clock, devices, plugs, states } = bench(['left', 'right'])
  const [left] = plugs
  await devices.start()
  if (left) left.isStuck = true
  await devices.restartOutputs()
  t.same(left?.calls, ['start', 'stop', 'start'])
  left?.pull()
  if (left) left.isPlugged = true
  await clock.advance(1000)
  t.same(left?.calls, ['start', 'stop', 'start', 'stop', 'start'], 'and its next fault is heard')
  await devices.stop()
  t.same(states.slice(-2).sort(), ['left stopped', 'right stopped'])
})
