import type { Packet } from 'mqtt-packet'
import t from 'tap'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import {
  base,
  client,
  RawClient,
  slow,
  startBroker,
  type TestClient,
  tour,
  until,
  users,
} from './harness.js'

const gadget = `vb/${tour}/stage-right`
const COUNT = 200

const publish = (
  topic: string,
  n: number,
  qos: 0 | 1 | 2,
  retain: boolean,
): Extract<Packet, { cmd: 'publish' }> => ({
  cmd: 'publish',
  topic: `${gadget}/${topic}`,
  payload: `${n}`,
  qos,
  retain,
  dup: false,
  messageId: n + 1,
})

const payloadsOf = (subscriber: TestClient, end: string): string[] =>
  subscriber.messages.filter(({ topic }) => topic.endsWith(end)).map(({ payload }) => payload)

const numbers = Array.from({ length: COUNT }, (_, n) => `${n}`)

for (const clean of [true, false])
  for (const [first, second] of [
    [
      { qos: 0, retain: true },
      { qos: 0, retain: false },
    ],
    [
      { qos: 1, retain: true },
      { qos: 1, retain: false },
    ],
    [
      { qos: 1, retain: true },
      { qos: 0, retain: false },
    ],
    [
      { qos: 2, retain: true },
      { qos: 1, retain: false },
    ],
  ] as const)
    t.test(
      `nothing is overtaken and dropped: QoS ${first.qos} retained, then QoS ${second.qos}, clean=${clean}`,
      async t => {
        const store = slow(new SimulatedStore(), 5)
        const { broker, port } = await startBroker({
          store,
          limits: { publishesPerSecond: 100_000 },
        })
        const hub = await client(port, users.hub, { clientId: 'hub', clean })
        await hub.subscribe(`${gadget}/#`)
        const sender = new RawClient(port)
        sender.connect('sender', { username: users.box })
        await sender.packet('connack')
        // All in one write, so that they reach the broker in one turn.
        sender.send(
          ...numbers.flatMap((_, n) => [
            publish('status', n * 2, first.qos, first.retain),
            publish('cue', n * 2 + 1, second.qos, second.retain),
          ]),
        )
        await until(
          () => payloadsOf(hub, 'cue').length >= COUNT && payloadsOf(hub, 'status').length >= COUNT,
          () => `400 messages, got ${hub.messages.length}`,
        )
        t.same(
          payloadsOf(hub, 'cue'),
          numbers.map(n => `${Number(n) * 2 + 1}`),
        )
        t.same(
          payloadsOf(hub, 'status'),
          numbers.map(n => `${Number(n) * 2}`),
        )
        await hub.end()
        sender.socket.destroy()
        await broker.stop()
      },
    )

t.test('what the box itself says is not overtaken either', async t => {
  const { broker, port, bus } = await startBroker({ store: slow(new SimulatedStore(), 5) })
  const hub = await client(port, users.hub, { clientId: 'hub', clean: false })
  await hub.subscribe(`${base}/#`)
  for (let n = 0; n < COUNT; n++) {
    bus.publish('command/answered', {
      id: `${n}`,
      origin: 'test',
      isAccepted: true,
      code: null,
      message: null,
    })
    bus.publish('cue/late', { count: n, p50: 0, p95: 0, p99: 0, max: 0 })
  }
  await until(
    () => hub.messages.filter(({ topic }) => /response|late/.test(topic)).length >= 2 * COUNT,
    () => `${2 * COUNT} messages, got ${hub.messages.length}`,
  )
  t.same(
    hub.messages.filter(({ topic }) => topic.includes('response')).map(({ topic }) => topic),
    numbers.map(n => `${base}/response/${n}`),
  )
  await hub.end()
  await broker.stop()
})

t.test(
  'a message does not wait for the disk on its way to a subscriber, only its PUBACK does',
  async t => {
    let release = (): void => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    const inner = new SimulatedStore()
    let isHeld = false
    const store = {
      commit: async (changes: Parameters<typeof inner.commit>[0]) => {
        if (isHeld) await gate
        await inner.commit(changes)
      },
      read: inner.read.bind(inner),
      scan: inner.scan.bind(inner),
    }
    const { broker, port } = await startBroker({ store })
    const away = await client(port, users.hub, { clientId: 'hub', clean: false })
    await away.subscribe(`${gadget}/cue`)
    await away.end()
    const lamp = await client(port, users.hub, { clientId: 'lamp' })
    await lamp.subscribe(`${gadget}/cue`)
    const sender = new RawClient(port)
    sender.connect('sender', { username: users.box })
    await sender.packet('connack')
    isHeld = true
    sender.send(publish('cue', 0, 1, false))
    await lamp.received(1)
    t.notOk(
      sender.packets.some(({ cmd }) => cmd === 'puback'),
      'not acknowledged yet',
    )
    release()
    t.match(await sender.packet('puback'), { messageId: 1 })
    await lamp.end()
    sender.socket.destroy()
    await broker.stop()
  },
)

t.test('a message that could not be stored is not acknowledged, and the loss is told', async t => {
  const store = new SimulatedStore()
  const { broker, port, refusals } = await startBroker({ store })
  const sender = new RawClient(port)
  sender.connect('sender', { username: users.box })
  await sender.packet('connack')
  store.fault = 'storage.full'
  sender.send(publish('status', 0, 1, true))
  await sender.closed()
  t.notOk(sender.packets.some(({ cmd }) => cmd === 'puback'))
  t.match(refusals.at(-1), { code: 'storage.failed', topic: `${gadget}/status` })
  store.fault = null
  await broker.stop()
})
