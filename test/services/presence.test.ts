import t from 'tap'
import { Bus } from '../../runtime/core/bus.js'
import { Presence } from '../../runtime/services/presence.js'
import type { Messages } from '../../runtime/topics.js'

t.test('a box says that it is ready, and once that it goes to sleep', async t => {
  const bus = new Bus<Messages>()
  const said: string[] = []
  bus.subscribe('box/info', ({ box }) => said.push(`info of ${box}`))
  bus.subscribe('box/availability', ({ state, boot }) => said.push(`${state} in boot ${boot}`))
  const presence = new Presence(bus, {
    tour: 'a-tour',
    box: 'box-1',
    board: 'simulated',
    version: '1.0.0',
    boot: 7,
    show: null,
    devices: [],
    outputs: [],
  })
  await presence.stop()
  await presence.start()
  await presence.stop()
  await presence.stop()
  t.same(said, ['info of box-1', 'ready in boot 7', 'sleeping in boot 7'])
})
