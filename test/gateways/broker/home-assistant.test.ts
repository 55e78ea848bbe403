import t from 'tap'
import { readCommand } from '../../../runtime/gateways/broker/commands.js'
import { discoveryOf } from '../../../runtime/gateways/broker/home-assistant.js'
import { addressOf } from '../../../runtime/gateways/broker/tree.js'
import { base, box, client, startBroker, tour, users } from './harness.js'

const info = {
  tour,
  box,
  board: 'pi-4b',
  version: '1.2.3',
  boot: 1,
  show: null,
  devices: [
    { device: 'front', driver: 'gpio-light', kind: 'light' },
    { device: 'go-button', driver: 'push-button', kind: 'input' },
    { device: 'shutter', driver: 'capture-trigger', kind: 'capture' },
  ],
  outputs: [
    { output: 'sign', kind: 'switch' },
    { output: 'wash', kind: 'rgbw' },
  ],
} as const

const mutable = { ...info, devices: [...info.devices], outputs: [...info.outputs] }

t.test(
  'a box is one device with lights, inputs, buttons and sensors, each with its own id',
  async t => {
    const { topic, payload } = discoveryOf(mutable, 'homeassistant')
    const { components, ...device } = JSON.parse(payload)
    t.equal(topic, `homeassistant/device/vb-${tour}-${box}/config`)
    t.match(device, {
      device: { identifiers: [`vb-${tour}-${box}`], sw_version: '1.2.3' },
      origin: { name: 'roadcase' },
      availability: [{ topic: `${base}/availability` }],
    })
    t.same(Object.keys(components).sort(), [
      'back',
      'cue',
      'go',
      'input-go-button',
      'lateness',
      'light-sign',
      'light-wash',
      'panic',
      'release',
    ])
    const ids = Object.values(components).map(
      component => JSON.stringify(component).match(/"unique_id":"([^"]+)"/)?.[1],
    )
    t.equal(new Set(ids).size, 9)
    t.notOk('brightness_scale' in components['light-sign'], 'a switch cannot be dimmed')
    t.equal(components['light-wash'].state_topic, `${base}/wash/state`)
  },
)

t.test('every command that Home Assistant would send is one that the box takes', async t => {
  const { components } = JSON.parse(discoveryOf(mutable, 'homeassistant').payload)
  const sent = Object.values<Record<string, string>>(components).flatMap(component => [
    ...['payload_press', 'payload_on', 'payload_off'].map(field => [
      component['command_topic'],
      component[field],
    ]),
    [
      component['brightness_command_topic'],
      component['brightness_command_template']?.replace('{{ value / 100 }}', '0.37'),
    ],
  ])
  const commands = sent.filter(([topic, text]) => topic !== undefined && text !== undefined)
  t.equal(commands.length, 9)
  for (const [topic = '', text = ''] of commands) {
    const address = addressOf({ tour, box }, topic)
    t.match(
      address && readCommand(address, Buffer.from(text)),
      { kind: 'command' },
      `${topic} ${text}`,
    )
  }
})

t.test(
  'discovery is retained when it is wanted, told again when Home Assistant starts, and emptied when not',
  async t => {
    for (const homeAssistant of [true, false]) {
      const { broker, port, bus } = await startBroker({ homeAssistant })
      bus.publish('box/info', mutable)
      const assistant = await client(port, users.operate)
      await assistant.subscribe('homeassistant/device/#')
      if (homeAssistant) {
        t.match(await assistant.received(1), [{ retain: true, payload: /"components"/ }])
        await assistant.publish('homeassistant/status', 'online')
        await assistant.received(2)
      } else {
        bus.publish('box/info', mutable)
        t.match(await assistant.received(1), [{ payload: '' }])
      }
      await assistant.end()
      await broker.stop()
    }
  },
)
