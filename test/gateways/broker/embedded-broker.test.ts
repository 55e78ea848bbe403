import t from 'tap'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { base, box, client, RawClient, startBroker, tour, until, users } from './harness.js'

t.test('a GO as bare text reaches the bus as a command of that client', async t => {
  const { broker, port, commands } = await startBroker()
  const technician = await client(port, users.operate, { clientId: 'phone' })
  await technician.publish(`${base}/cue`, 'GO')
  t.match(commands, [{ action: 'go', origin: 'mqtt:phone', id: /^mqtt-[0-9a-f]{20}$/ }])
  await technician.end()
  await broker.stop()
})

t.test('a wrong password and an unknown user are refused alike', async t => {
  const { broker, port } = await startBroker()
  for (const [username, password] of [
    [users.operate, 'wrong'],
    ['nobody', 'wrong'],
  ] as const)
    await t.rejects(client(port, username, { password }), { code: 5 }, username)
  await broker.stop()
})

t.test('nobody gets in without a name', async t => {
  const { broker, port } = await startBroker()
  const raw = new RawClient(port)
  raw.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: 'x',
    clean: true,
    keepalive: 60,
  })
  t.equal((await raw.packet('connack')).returnCode, 5)
  await raw.closed()
  await broker.stop()
})

t.test('states of the bus are retained for who comes later', async t => {
  const { broker, port, bus } = await startBroker()
  bus.publish('cue/late', { count: 1, p50: 1, p95: 1, p99: 1, max: 1 })
  const viewer = await client(port, users.view)
  await viewer.subscribe(`vb/${tour}/${box}/#`)
  await viewer.received(3)
  t.match(
    viewer.messages
      .map(({ topic, retain }) => ({ topic, retain }))
      .sort((a, b) => (a.topic < b.topic ? -1 : 1)),
    [
      { topic: `${base}/availability`, retain: true },
      { topic: `${base}/broker`, retain: true },
      { topic: `${base}/cue/late`, retain: true },
    ],
  )
  await viewer.end()
  await broker.stop()
})

t.test(
  'a stop tells the clients that the box sleeps before it closes their connections',
  async t => {
    const { broker, port } = await startBroker()
    const viewer = await client(port, users.view)
    await viewer.subscribe(`${base}/availability`)
    await viewer.received(1)
    await broker.stop()
    await until(() => !viewer.mqtt.connected, 'the connection to close')
    t.match(viewer.messages.at(-1), { payload: '{"state":"sleeping","boot":1}' })
    await broker.stop()
  },
)

t.test('a box that is not ready takes no commands, and says so', async t => {
  const { broker, port, commands, refusals } = await startBroker({ isReady: false })
  const technician = await client(port, users.operate)
  await technician.publish(`${base}/cue`, 'GO')
  t.same(commands, [])
  t.match(refusals, [{ code: 'command.refused', message: /not ready.*init/ }])
  await technician.end()
  await broker.stop()
})

t.test(
  'QoS 1 messages wait for a session that is away, and come in order after a restart',
  async t => {
    const store = new SimulatedStore()
    const first = await startBroker({ store })
    const hub = await client(first.port, users.hub, { clientId: 'hub', clean: false })
    await hub.subscribe(`vb/${tour}/#`)
    await hub.received(1)
    await hub.drop()
    const gadget = await client(first.port, users.box)
    for (let n = 0; n < 50; n++) await gadget.publish(`vb/${tour}/stage-right/n`, `${n}`)
    await gadget.end()
    await first.broker.stop()
    const second = await startBroker({ store, boot: 2 })
    const again = await client(second.port, users.hub, { clientId: 'hub', clean: false })
    t.equal(again.isSessionPresent, true)
    await until(
      () => again.messages.filter(({ topic }) => topic.endsWith('/n')).length >= 50,
      '50 messages',
    )
    t.same(
      again.messages.filter(({ topic }) => topic.endsWith('/n')).map(({ payload }) => payload),
      Array.from({ length: 50 }, (_, n) => `${n}`),
    )
    await again.end()
    await second.broker.stop()
  },
)

t.test('an output is asked for its state, and answers with it', async t => {
  const { broker, port, bus, refusals } = await startBroker()
  bus.publish('output/state', { output: 'front', kind: 'dimmer', level: 0.25, parts: [0.25] })
  const technician = await client(port, users.operate)
  await technician.subscribe(`${base}/front/state`)
  await technician.received(1)
  await technician.publish(`${base}/front/get`, '')
  await technician.received(2)
  t.same(
    technician.messages.map(({ payload }) => JSON.parse(payload).level),
    [0.25, 0.25],
  )
  await technician.publish(`${base}/frnt/get`, '')
  await until(() => refusals.length > 0, 'the refusal')
  t.match(refusals, [{ message: 'topic.output: there is no "frnt" here' }])
  await technician.end()
  await broker.stop()
})

t.test('a refusal says what would have been allowed, and who it was', async t => {
  const { broker, port, refusals } = await startBroker()
  t.teardown(() => broker.stop())
  const technician = await client(port, users.operate, { clientId: 'phone' })
  await technician.publish(`${base}/CUE`, 'GO')
  t.same(await technician.subscribe('$SYS/#'), [128])
  const viewer = await client(port, users.view)
  await viewer.publish(`${base}/cue`, 'GO')
  const nobody = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true } as const
  const stranger = new RawClient(port)
  stranger.send({ ...nobody, clientId: '', keepalive: 60 })
  t.match(await stranger.packet('connack'), { returnCode: 5 })
  t.match(refusals, [
    { code: 'publish.denied', client: 'phone', message: `, but ${base}/cue, vb/${tour}/all/cue,` },
    { code: 'subscribe.denied', message: /, but vb\/spring\/#, .*\$SYS\/broker\/#$/ },
    { code: 'publish.denied', message: /may not publish here, and nowhere else$/ },
    { code: 'client.credentials', client: '127.0.0.1', message: /a user name and a password/ },
  ])
})
