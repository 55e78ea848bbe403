import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { Bus } from '../../../runtime/core/bus.js'
import { Mirror } from '../../../runtime/gateways/page/mirror.js'
import type { Messages, Payload } from '../../../runtime/topics.js'

async function world(): Promise<{ bus: Bus<Messages>; mirror: Mirror }> {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const bus = new Bus<Messages>()
  const mirror = new Mirror({ clock, bus })
  await mirror.start()
  return { bus, mirror }
}

const lamp = (device: string, state: 'ready' | 'faulty'): Payload<'device/state'> => ({
  device,
  driver: 'pca9685-light',
  kind: 'light',
  state,
  code: state === 'ready' ? null : 'device.absent',
  message: null,
})

t.test('the latest of every state is known, and nothing before its first word', async t => {
  const { bus, mirror } = await world()
  t.equal(mirror.state('box/availability'), null)
  bus.publish('box/availability', { state: 'init', boot: 3 })
  bus.publish('box/availability', { state: 'ready', boot: 3 })
  t.same(mirror.state('box/availability'), { state: 'ready', boot: 3 })
})

t.test('a device that says the same again is no news, a device that fails is', async t => {
  const { bus, mirror } = await world()
  bus.publish('device/state', lamp('wash', 'ready'))
  bus.publish('device/state', lamp('wash', 'ready'))
  bus.publish('device/state', lamp('wash', 'faulty'))
  t.equal(mirror.devices().length, 1)
  t.equal(mirror.recent().length, 2)
})

t.test('no more than 256 devices and 50 events are remembered', async t => {
  const { bus, mirror } = await world()
  for (let number = 0; number < 300; number++)
    bus.publish('device/state', lamp(`d${number}`, 'ready'))
  t.equal(mirror.devices().length, 256)
  t.equal(mirror.recent().length, 50)
  t.match(mirror.recent().at(-1), { payload: { device: 'd255' } })
})

t.test('of the answers to commands only refusals are remembered', async t => {
  const { bus, mirror } = await world()
  const answer = { origin: 'page/127.0.0.1', code: null, message: null }
  bus.publish('command/answered', { ...answer, id: 'a', isAccepted: true })
  bus.publish('command/answered', { ...answer, id: 'b', isAccepted: false })
  t.equal(mirror.recent().length, 1)
  t.match(mirror.recent()[0], { payload: { id: 'b' } })
})

t.test('a mirror that is stopped hears nothing more', async t => {
  const { bus, mirror } = await world()
  await mirror.stop()
  await mirror.stop()
  bus.publish('box/availability', { state: 'ready', boot: 1 })
  t.equal(mirror.state('box/availability'), null)
})
