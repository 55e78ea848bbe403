/** What a client may not do to the others. */
import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import {
  base,
  client,
  connectPacket,
  RawClient,
  startBroker,
  tour,
  until,
  users,
} from './harness.js'

const tree = `vb/${tour}/stage-right`

t.test('the first packet that leaves makes no table of all the numbers there are', async t => {
  mqttPacket.writeToStream.cacheNumbers = true
  const { broker } = await startBroker()
  t.equal(mqttPacket.writeToStream.cacheNumbers, false)
  await broker.stop()
})

t.test('a packet that is too large is refused at its fixed header', async t => {
  const { broker, port, refusals } = await startBroker({ limits: { packetBytesMax: 1024 } })
  const raw = new RawClient(port)
  raw.connect('big')
  await raw.packet('connack')
  // PUBLISH with 200 MiB to come, of which five bytes are sent.
  raw.socket.write(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x64]))
  await raw.closed()
  t.match(refusals, [{ code: 'packet.large', client: 'big' }])
  await broker.stop()
})

t.test('a connection that says nothing is closed', async t => {
  const { broker, port } = await startBroker({ limits: { connectMs: 100 } })
  const raw = new RawClient(port)
  await raw.closed()
  t.equal(broker.read()?.connected, 0)
  await broker.stop()
})

t.test(
  'more connections than allowed are closed at once, in total and from one address',
  async t => {
    for (const limits of [{ connectionsMax: 2 }, { connectionsPerAddressMax: 2 }]) {
      const { broker, port, refusals } = await startBroker({ limits })
      const first = await client(port, users.view)
      const second = await client(port, users.view)
      const third = new RawClient(port)
      await third.closed()
      t.match(refusals, [{ code: 'client.limit', client: '127.0.0.1' }])
      await first.end()
      await until(() => broker.read()?.connected === 1, 'the first to be gone')
      const fourth = await client(port, users.view)
      await Promise.all([second.end(), fourth.end()])
      await broker.stop()
    }
  },
)

t.test('a keepalive of nothing, or of hours, is refused', async t => {
  const { broker, port } = await startBroker()
  for (const keepalive of [0, 121, 65_535])
    await t.rejects(client(port, users.view, { keepalive, reschedulePings: false }), { code: 3 })
  await broker.stop()
})

t.test('a client that publishes too fast is slowed down, and loses nothing', async t => {
  const { broker, port, refusals } = await startBroker({ limits: { publishesPerSecond: 50 } })
  const viewer = await client(port, users.view)
  await viewer.subscribe(`${tree}/#`, 0)
  const sender = new RawClient(port)
  sender.connect('fast', { username: users.box })
  await sender.packet('connack')
  for (let n = 0; n < 250; n++)
    sender.send({
      cmd: 'publish',
      topic: `${tree}/n`,
      payload: `${n}`,
      qos: 0,
      retain: false,
      dup: false,
    })
  await viewer.received(1)
  t.ok(viewer.messages.length < 250, 'not all at once')
  const messages = await viewer.received(250)
  t.same(
    messages.map(({ payload }) => payload),
    Array.from({ length: 250 }, (_, n) => `${n}`),
  )
  t.match(refusals[0], { code: 'publish.throttled', client: 'fast' })
  await viewer.end()
  sender.socket.destroy()
  await broker.stop()
})

t.test(
  'more subscriptions than allowed are answered with a failure, and the rest still stand',
  async t => {
    const { broker, port, refusals } = await startBroker({
      limits: { subscriptionsPerClientMax: 3 },
    })
    const viewer = await client(port, users.view)
    const filters = Array.from({ length: 5 }, (_, n) => `${tree}/${n}`)
    t.same(await viewer.subscribe(filters), [1, 1, 1, 128, 128])
    t.same(await viewer.subscribe(`${tree}/0`), [1], 'one it has is not one more')
    await viewer.mqtt.unsubscribeAsync(`${tree}/0`)
    t.same(await viewer.subscribe(`${tree}/9`), [1], 'there is room again')
    t.match(refusals, [{ code: 'subscribe.limit' }, { code: 'subscribe.limit' }])
    await viewer.end()
    await broker.stop()
  },
)

t.test('a topic with more levels than anybody needs closes the connection', async t => {
  const { broker, port } = await startBroker()
  const raw = new RawClient(port)
  raw.connect('deep', { username: users.box })
  await raw.packet('connack')
  const topic = `${tree}/${'a/'.repeat(200)}b`
  raw.send({ cmd: 'publish', topic, payload: '', qos: 0, retain: false, dup: false })
  await raw.closed()
  const next = await client(port, users.view)
  t.equal(broker.read()?.connected, 1)
  await next.end()
  await broker.stop()
})

t.test('a full queue refuses the newest for that session only, and says so each time', async t => {
  const { broker, port, refusals } = await startBroker({ limits: { queuedPerSessionMax: 5 } })
  const hub = await client(port, users.hub, { clientId: 'hub', clean: false })
  await hub.subscribe(`${tree}/#`)
  await hub.end()
  const online = await client(port, users.hub, { clientId: 'online' })
  await online.subscribe(`${tree}/#`)
  const sender = await client(port, users.box)
  for (let n = 0; n < 8; n++) await sender.publish(`${tree}/n`, `${n}`)
  await online.received(8)
  t.equal(
    refusals.filter(({ code, client }) => code === 'limit.queue' && client === 'hub').length,
    3,
  )
  t.equal(broker.read()?.queued, 5)
  const again = await client(port, users.hub, { clientId: 'hub', clean: false })
  t.same(
    (await again.received(5)).map(({ payload }) => payload),
    ['0', '1', '2', '3', '4'],
  )
  await Promise.all([again.end(), online.end(), sender.end()])
  await broker.stop()
})

t.test('a small queue does not keep an online session from being sent many at once', async t => {
  const { broker, port, refusals } = await startBroker({ limits: { queuedPerSessionMax: 0 } })
  const hub = await client(port, users.hub, { clientId: 'hub', clean: false })
  await hub.subscribe(`${tree}/#`)
  const sender = await client(port, users.box)
  await Promise.all(Array.from({ length: 50 }, (_, n) => sender.publish(`${tree}/n`, `${n}`)))
  await hub.received(50)
  t.same(refusals, [])
  await hub.end()
  await sender.publish(`${tree}/n`, 'away')
  t.match(refusals, [{ code: 'limit.queue', client: 'hub' }])
  await sender.end()
  await broker.stop()
})

t.test('one session too many is refused; a client without a session is not', async t => {
  const { broker, port } = await startBroker({ limits: { sessionsMax: 1 } })
  const first = await client(port, users.hub, { clientId: 'a', clean: false })
  await t.rejects(client(port, users.hub, { clientId: 'b', clean: false }), { code: 3 })
  const other = await client(port, users.hub, { clientId: 'b' })
  await Promise.all([first.end(), other.end()])
  await broker.stop()
})

t.test('what others retain has a bound; what is beyond it is delivered and told', async t => {
  const { broker, port, refusals, bus } = await startBroker({ limits: { retainedMax: 3 } })
  const ours = broker.read()?.retained ?? 0
  const sender = await client(port, users.box)
  const viewer = await client(port, users.view)
  await viewer.subscribe(`${tree}/#`)
  for (let n = 0; n < 5; n++) await sender.publish(`${tree}/${n}`, 'x', 1, true)
  await viewer.received(5)
  t.equal(broker.read()?.retained, ours + 3)
  t.equal(refusals.filter(({ code }) => code === 'limit.retained').length, 2)
  bus.publish('cue/late', { count: 1, p50: 1, p95: 1, p99: 1, max: 1 })
  t.equal(broker.read()?.retained, ours + 4, 'the box itself has room')
  await sender.publish(`${tree}/0`, '', 1, true)
  await sender.publish(`${tree}/4`, 'x', 1, true)
  t.equal(broker.read()?.retained, ours + 4, 'there is room again')
  await Promise.all([sender.end(), viewer.end()])
  await broker.stop()
})

t.test(
  'a subscriber that reads nothing does not stop the others, and is closed in the end',
  async t => {
    const { broker, port, refusals } = await startBroker({
      limits: { publishesPerSecond: 100_000 },
    })
    const frozen = new RawClient(port)
    frozen.connect('frozen', { username: users.hub })
    await frozen.packet('connack')
    frozen.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `${tree}/#`, qos: 1 }] })
    await frozen.packet('suback')
    frozen.socket.pause()
    const online = await client(port, users.hub)
    await online.subscribe(`${tree}/small`)
    const sender = await client(port, users.box)
    const large = 'x'.repeat(200_000)
    for (let n = 0; n < 60; n++) {
      await sender.publish(`${tree}/large`, large, 0)
      await sender.publish(`${tree}/large`, large, 1)
      await sender.publish(`${tree}/small`, `${n}`, 1)
    }
    await online.received(60)
    await until(() => broker.read()?.connected === 2, 'the frozen one to be closed')
    t.ok(refusals.some(({ code, client }) => code === 'slow.qos0' && client === 'frozen'))
    t.ok(refusals.some(({ code, client }) => code === 'slow.closed' && client === 'frozen'))
    frozen.socket.destroy()
    await Promise.all([online.end(), sender.end()])
    await broker.stop()
  },
)

t.test('bytes that are no MQTT close their connection and nothing else', async t => {
  const { broker, port, commands } = await startBroker()
  for (const bytes of [
    'GET / HTTP/1.1\r\n\r\n',
    '\u0000\u0000\u0000\u0000',
    '\u0010\u00ff\u00ff\u00ff\u00ff\u0001',
  ]) {
    const raw = new RawClient(port)
    raw.socket.write(Buffer.from(bytes, 'latin1'))
    await raw.closed()
  }
  const next = await client(port, users.operate)
  await next.publish(`${base}/cue`, 'GO')
  t.equal(commands.length, 1)
  await next.end()
  await broker.stop()
})

t.test('a topic of a will that is empty, has a wildcard or is not UTF-8 is refused', async t => {
  const { broker, port } = await startBroker()
  const connect = (will: Buffer): Buffer => {
    const text = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, bytes.length]), bytes])
    const body = Buffer.concat([
      text(Buffer.from('MQTT')),
      Buffer.from([4, 0xc6, 0, 60]),
      text(Buffer.from('w')),
      text(will),
      text(Buffer.from('gone')),
      text(Buffer.from(users.box)),
      text(Buffer.from('correct horse')),
    ])
    return Buffer.concat([Buffer.from([0x10, body.length]), body])
  }
  for (const will of [Buffer.alloc(0), Buffer.from(`${tree}/#`), Buffer.from([0xc3, 0x28])]) {
    const raw = new RawClient(port)
    raw.socket.write(connect(will))
    await raw.closed()
    t.same(raw.packets, [], 'no CONNACK')
  }
  const sound = new RawClient(port)
  sound.socket.write(connect(Buffer.from(`${tree}/gone`)))
  t.equal((await sound.packet('connack')).returnCode, 0)
  const strange = new RawClient(port)
  strange.socket.write(connect(Buffer.from(`${tree}/\ufffd`)))
  t.equal(
    (await strange.packet('connack')).returnCode,
    0,
    'the replacement character itself is fine',
  )
  sound.socket.destroy()
  strange.socket.destroy()
  await broker.stop()
})

t.test('a session without a client identifier is refused as MQTT-3.1.3-8 asks', async t => {
  const { broker, port } = await startBroker()
  const raw = new RawClient(port)
  const bytes = Buffer.from(mqttPacket.generate(connectPacket('')))
  // The connect flags stand behind the fixed header, the name and the level of the protocol; bit 1 is Clean Session.
  bytes[9] = (bytes[9] ?? 0) & ~2
  raw.socket.write(bytes)
  t.equal((await raw.packet('connack')).returnCode, 2)
  const clean = new RawClient(port)
  clean.connect('', { clean: true })
  t.equal((await clean.packet('connack')).returnCode, 0)
  clean.socket.destroy()
  await broker.stop()
})

t.test('a session that stays away is forgotten after the hours the box was on', async t => {
  const store = new SimulatedStore()
  const { LinuxClock, ownAnchor } = await import('../../../drivers/linux/clock.js')
  const { after } = await import('../../../runtime/core/time.js')
  const real = new LinuxClock(ownAnchor())
  const hourly: (() => void)[] = []
  const clock = {
    monotonicMs: () => real.monotonicMs(),
    showTimeMs: () => real.showTimeMs(),
    wallTimeMs: () => real.wallTimeMs(),
    monotonicToShow: real.monotonicToShow.bind(real),
    showToMonotonic: real.showToMonotonic.bind(real),
    showErrorMs: () => 0,
    runAt: (at: Parameters<typeof real.runAt>[0], task: () => void) => {
      if (at < after(real.monotonicMs(), 3_000_000)) return real.runAt(at, task)
      hourly.push(task)
      return () => {}
    },
  }
  const { broker, port, refusals } = await startBroker({
    store,
    clock,
    limits: { sessionExpiryHours: 2 },
  })
  const stays = await client(port, users.hub, { clientId: 'stays', clean: false })
  const leaves = await client(port, users.hub, { clientId: 'leaves', clean: false })
  await leaves.subscribe(`${tree}/#`)
  await leaves.end()
  const sender = await client(port, users.box)
  await sender.publish(`${tree}/n`, '1')
  for (const hour of [1, 2]) {
    t.equal(broker.read()?.sessions, 2, `before hour ${hour} it is there`)
    hourly.shift()?.()
    await until(() => hourly.length === 1, 'the next hour to be planned')
  }
  t.match(broker.read(), { sessions: 1, queued: 0 })
  t.match(refusals.at(-1), { code: 'session.expired', client: 'leaves' })
  await Promise.all([stays.end(), sender.end()])
  await broker.stop()
})
