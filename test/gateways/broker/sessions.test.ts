/** What MQTT 3.1.1 promises to a client that comes back, and to one that reads with several filters. */
import t from 'tap'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import {
  base,
  client,
  patient,
  RawClient,
  slow,
  startBroker,
  tour,
  until,
  users,
} from './harness.js'

const tree = `vb/${tour}/stage-right`

t.test('Session Present is told for a session without subscriptions too', async t => {
  const store = new SimulatedStore()
  const { broker, port } = await startBroker({ store })
  const first = await client(port, users.hub, { clientId: 'hub', clean: false })
  t.equal(first.isSessionPresent, false, 'a new one is not present')
  await first.end()
  const second = await client(port, users.hub, { clientId: 'hub', clean: false })
  t.equal(second.isSessionPresent, true)
  await second.end()
  await broker.stop()
  const later = await startBroker({ store, boot: 2 })
  const third = await client(later.port, users.hub, { clientId: 'hub', clean: false })
  t.equal(third.isSessionPresent, true, 'after a restart as well')
  await third.end()
  const clean = await client(later.port, users.hub, { clientId: 'hub', clean: true })
  t.equal(clean.isSessionPresent, false)
  await clean.end()
  const fourth = await client(later.port, users.hub, { clientId: 'hub', clean: false })
  t.equal(fourth.isSessionPresent, false, 'clean=true ends it')
  await fourth.end()
  await later.broker.stop()
})

t.test('a message that was not acknowledged comes again with DUP and its identifier', async t => {
  const { broker, port } = await startBroker()
  const first = new RawClient(port)
  first.connect('hub', { username: users.hub, clean: false })
  await first.packet('connack')
  first.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `${tree}/#`, qos: 1 }] })
  await first.packet('suback')
  const sender = await client(port, users.box)
  await sender.publish(`${tree}/n`, '1')
  const once = await first.packet('publish')
  t.equal(once.dup, false)
  first.socket.destroy()
  const second = new RawClient(port)
  second.connect('hub', { username: users.hub, clean: false })
  const again = await second.packet('publish')
  t.match(again, { dup: true, messageId: once.messageId, payload: Buffer.from('1') })
  second.send({ cmd: 'puback', messageId: again.messageId ?? 0 })
  await until(() => broker.read()?.queued === 0, 'the acknowledgement')
  second.socket.destroy()
  await sender.end()
  await broker.stop()
})

t.test('the DUP of a publisher is not handed on', async t => {
  const { broker, port } = await startBroker()
  const hub = await client(port, users.hub)
  await hub.subscribe(`${tree}/#`)
  const sender = new RawClient(port)
  sender.connect('sender', { username: users.box })
  await sender.packet('connack')
  sender.send({
    cmd: 'publish',
    topic: `${tree}/n`,
    payload: '1',
    qos: 1,
    dup: true,
    retain: false,
    messageId: 9,
  })
  t.match(await hub.received(1), [{ dup: false }])
  sender.socket.destroy()
  await hub.end()
  await broker.stop()
})

t.test(
  'a filter with a wildcard gets no more QoS than it was granted, live, retained or queued',
  async t => {
    const { broker, port } = await startBroker()
    const sender = await client(port, users.box)
    await sender.publish(`${tree}/retained`, 'x', 2, true)
    const hub = await client(port, users.hub, { clientId: 'hub', clean: false })
    await hub.subscribe(`${tree}/+`, 1)
    await hub.received(1)
    await sender.publish(`${tree}/live`, 'x', 2)
    await hub.received(2)
    await hub.end()
    await sender.publish(`${tree}/queued`, 'x', 2)
    const again = await client(port, users.hub, { clientId: 'hub', clean: false })
    await again.received(1)
    t.same(
      [...hub.messages, ...again.messages].map(({ qos }) => qos),
      [1, 1, 1],
    )
    await Promise.all([again.end(), sender.end()])
    await broker.stop()
  },
)

t.test('overlapping filters bring a message once, with the highest QoS of them', async t => {
  const { broker, port } = await startBroker()
  for (const clean of [true, false]) {
    const hub = await client(port, users.hub, { clientId: `hub-${clean}`, clean })
    await hub.subscribe(`${tree}/n`, 0)
    await hub.subscribe(`${tree}/#`, 1)
    await hub.subscribe(`${tree}/+`, 0)
    const sender = await client(port, users.box)
    await sender.publish(`${tree}/n`, '1')
    await sender.publish(`${tree}/n`, '2')
    const messages = await hub.received(2)
    t.match(messages, [
      { payload: '1', qos: 1 },
      { payload: '2', qos: 1 },
    ])
    t.equal(messages.length, 2)
    await until(() => broker.read()?.queued === 0, 'nothing to be left in the queue')
    await Promise.all([hub.end(), sender.end()])
  }
  await broker.stop()
})

t.test('a session belongs to the user who opened it', async t => {
  const { broker, port } = await startBroker()
  const first = await client(port, users.operate, { clientId: 'desk', clean: false })
  await t.rejects(
    client(port, 'second', { clientId: 'desk', clean: true }),
    { code: 2 },
    'while on',
  )
  t.equal(first.mqtt.connected, true, 'and the owner is not thrown out')
  await first.end()
  await t.rejects(
    client(port, 'second', { clientId: 'desk', clean: false }),
    { code: 2 },
    'while away',
  )
  await t.rejects(
    client(port, 'second', { clientId: 'desk', clean: true }),
    { code: 2 },
    'to end it',
  )
  const again = await client(port, users.operate, { clientId: 'desk', clean: false })
  t.equal(again.isSessionPresent, true)
  await again.end()
  await broker.stop()
})

t.test('what comes while a queue is sent again joins its end', async t => {
  const { broker, port } = await startBroker({ limits: { publishesPerSecond: 10_000 } })
  const hub = await client(port, users.hub, { clientId: 'hub', clean: false })
  await hub.subscribe(`${tree}/n`)
  await hub.end()
  const sender = await client(port, users.box)
  for (let n = 0; n < 300; n++) await sender.publish(`${tree}/n`, `${n}`)
  const more = (async () => {
    for (let n = 300; n < 600; n++) await sender.publish(`${tree}/n`, `${n}`)
  })()
  const again = await client(port, users.hub, { clientId: 'hub', clean: false })
  await more
  await until(
    () => new Set(again.messages.map(({ payload }) => payload)).size === 600,
    '600 messages',
  )
  t.same(
    again.messages.map(({ payload }) => Number(payload)),
    Array.from({ length: 600 }, (_, n) => n),
  )
  await until(() => broker.read()?.queued === 0, 'all to be acknowledged')
  await Promise.all([again.end(), sender.end()])
  await broker.stop()
})

t.test('CONNACK comes first, also when messages wait', async t => {
  const { broker, port } = await startBroker({ store: slow(new SimulatedStore(), 10) })
  const first = await client(port, users.hub, { clientId: 'hub', clean: false })
  await first.subscribe(`${tree}/#`)
  await first.end()
  const sender = await client(port, users.box)
  const busy = setInterval(() => void sender.mqtt.publish(`${tree}/n`, 'x', { qos: 0 }), 1)
  t.teardown(() => clearInterval(busy))
  for (let n = 0; n < 5; n++) {
    const raw = new RawClient(port)
    // A will makes CONNECT wait for the disk, and messages come meanwhile.
    raw.connect('hub', {
      username: users.hub,
      clean: false,
      will: { topic: `vb/${tour}/all/gone`, payload: Buffer.from('x'), qos: 1, retain: false },
    })
    await raw.packet('publish')
    t.equal(raw.packets[0]?.cmd, 'connack')
    raw.send({ cmd: 'disconnect' })
    await raw.closed()
  }
  clearInterval(busy)
  await sender.end()
  await broker.stop()
})

t.test('QoS 2 is delivered once, although the publisher tries again after a restart', async t => {
  const store = new SimulatedStore()
  const first = await startBroker({ store })
  const hub = await client(first.port, users.hub, { clientId: 'hub', clean: false })
  await hub.subscribe(`${tree}/#`, 2)
  await hub.end()
  const publish = {
    cmd: 'publish',
    topic: `${tree}/n`,
    payload: 'once',
    qos: 2,
    retain: false,
    dup: false,
    messageId: 5,
  } as const
  const sender = new RawClient(first.port)
  sender.connect('sender', { username: users.box, clean: false })
  await sender.packet('connack')
  sender.send(publish)
  await sender.packet('pubrec')
  sender.socket.destroy()
  await first.broker.stop()
  const second = await startBroker({ store, boot: 2 })
  const retry = new RawClient(second.port)
  retry.connect('sender', { username: users.box, clean: false })
  await retry.packet('connack')
  retry.send({ ...publish, dup: true })
  await retry.packet('pubrec')
  retry.send({ cmd: 'pubrel', messageId: 5 })
  await retry.packet('pubcomp')
  retry.send({ ...publish, payload: 'twice' })
  const again = await client(second.port, users.hub, { clientId: 'hub', clean: false })
  await again.received(2)
  t.same(
    again.messages.map(({ payload }) => payload),
    ['once', 'twice'],
    'the identifier can be used again after PUBCOMP',
  )
  await until(() => second.broker.read()?.queued === 0, 'the handshakes to end')
  retry.socket.destroy()
  await again.end()
  await second.broker.stop()
})

t.test('a refused filter is not kept in the session', async t => {
  const store = new SimulatedStore()
  const { broker, port } = await startBroker({ store })
  const lamp = await client(port, users.driver, { clientId: 'lamp', clean: false })
  t.same(await lamp.subscribe(['wled/lamp-1/#', `vb/${tour}/#`]), [1, 128])
  await lamp.end()
  t.equal(broker.read()?.subscriptions, 1)
  await broker.stop()
})

t.test('a will is published when a client breaks off, and not when it says goodbye', async t => {
  const { broker, port } = await startBroker()
  const viewer = await client(port, users.view)
  await viewer.subscribe(`${tree}/#`)
  const will = {
    topic: `${tree}/gone`,
    payload: Buffer.from('gone'),
    qos: 1 as const,
    retain: false,
  }
  const polite = await client(port, users.box, { will })
  await polite.end()
  const rude = await client(port, users.box, { will })
  await rude.drop()
  t.match(await viewer.received(1), [{ payload: 'gone' }])
  t.equal(viewer.messages.length, 1)
  await viewer.end()
  await broker.stop()
})

t.test(
  'wills of clients that were on when the broker went down are published if they do not return',
  async t => {
    const store = new SimulatedStore()
    const first = await startBroker({ store })
    const will = (name: string) => ({
      topic: `${tree}/${name}`,
      payload: Buffer.from('gone'),
      qos: 1 as const,
      retain: false,
    })
    await client(first.port, users.box, { clientId: 'returns', will: will('returns') })
    await client(first.port, users.box, { clientId: 'lost', will: will('lost') })
    const hub = await client(first.port, users.hub, { clientId: 'hub', clean: false })
    await hub.subscribe(`${tree}/#`)
    await first.broker.stop()
    t.same(hub.messages, [], 'not because the broker stops')
    const { clock, release } = patient()
    const second = await startBroker({ store, boot: 2, clock })
    const back = await client(second.port, users.box, {
      clientId: 'returns',
      will: will('returns'),
    })
    const again = await client(second.port, users.hub, { clientId: 'hub', clean: false })
    release()
    t.match(await again.received(1), [{ topic: `${tree}/lost` }])
    t.equal(again.messages.length, 1)
    await Promise.all([back.end(), again.end()])
    await second.broker.stop()
  },
)

t.test('retained messages are found below an empty level, and survive a restart', async t => {
  const store = new SimulatedStore()
  const first = await startBroker({ store })
  const sender = await client(first.port, users.box)
  await sender.publish(`${tree}/`, 'empty level', 1, true)
  await sender.publish(`${tree}/cleared`, 'x', 1, true)
  await sender.publish(`${tree}/cleared`, '', 1, true)
  await sender.publish(`${tree}/light`, 'QoS 0 is not kept on disk', 0, true)
  await sender.end()
  await first.broker.stop()
  const second = await startBroker({ store, boot: 2 })
  const viewer = await client(second.port, users.view)
  await viewer.subscribe(`${tree}/+`)
  await viewer.subscribe(`${base}/availability`)
  await viewer.received(2)
  t.match(viewer.messages, [
    { topic: `${tree}/`, payload: 'empty level', retain: true },
    { topic: `${base}/availability` },
  ])
  await viewer.end()
  await second.broker.stop()
})
