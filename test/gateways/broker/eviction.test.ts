/**
 * Somebody who was welcome, and is not any more, revoked or with a certificate that ran out: over TLS with a certificate,
 * over WebSocket with one or a password.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { connect, type IClientOptions } from 'mqtt'
import t, { type Test } from 'tap'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { after } from '../../../runtime/core/time.js'
import { makePapers, type Papers } from './certificates.js'
import {
  type BrokerSettings,
  base,
  client,
  hastened,
  password,
  startBroker,
  type TestBroker,
  TestClient,
  tour,
  until,
  users,
  within,
} from './harness.js'

const master = await makePapers(t)
await master.authority('tour', 30)
await master.certificate('box', 'tour')
await master.certificate('lamp-1', 'tour')
await master.certificate('lamp-2', 'tour')
// The role of a certificate's name is that of the user of the same name.
await master.certificate('operator', 'tour')
await writeFile(master.path('revoked'), '# nobody yet\n')

const tls = {
  port: 0,
  certificate: 'box.crt',
  key: 'box.key',
  clientAuthority: 'tour.crt',
  revoked: 'revoked',
  boxes: [],
}

type Way = 'mqtts' | 'wss'

interface Venue extends TestBroker {
  readonly papers: Papers
  /** With the certificate of that name, and no password. */
  enter(name: string, options?: IClientOptions): Promise<TestClient>
  revoke(entry: string): Promise<void>
}

async function openVenue(t: Test, way: Way, settings: BrokerSettings = {}): Promise<Venue> {
  const papers = await master.copy(t)
  const broker = await startBroker({
    files: papers.files,
    config: { tls, webSocketPort: 0 },
    // The list is looked at every tenth of a second.
    clock: hastened(20),
    ...settings,
  })
  t.teardown(() => broker.broker.stop())
  const ports = broker.broker.ports()
  const url =
    way === 'mqtts' ? `mqtts://localhost:${ports.tls}` : `wss://localhost:${ports.webSocket}/mqtt`
  return {
    ...broker,
    papers,
    revoke: entry => writeFile(papers.path('revoked'), `${entry}\n`),
    enter: async (name, options = {}) => {
      const [ca, cert, key] = await Promise.all([
        readFile(papers.path('tour.crt')),
        readFile(papers.path(`${name}.crt`)),
        readFile(papers.path(`${name}.key`)),
      ])
      return open(t, url, { clientId: name, ca, cert, key, ...options })
    },
  }
}

async function open(t: Test, url: string, options: IClientOptions): Promise<TestClient> {
  const mqtt = connect(url, { reconnectPeriod: 0, protocolVersion: 4, ...options })
  t.teardown(() => mqtt.end(true))
  const entered = new TestClient(mqtt)
  await within(
    new Promise<void>((resolve, reject) => {
      mqtt.once('connect', ({ sessionPresent }) => {
        entered.isSessionPresent = sessionPresent
        resolve()
      })
      mqtt.once('error', reject)
      mqtt.once('close', () => reject(new Error('closed before CONNACK')))
    }),
    'connect',
  )
  return entered
}

for (const way of ['mqtts', 'wss'] as const) {
  t.test(`${way}: a revoked client is cut off at once, and cannot come back`, async t => {
    const { enter, revoke, broker, refusals } = await openVenue(t, way)
    const lamp = await enter('lamp-1')
    const other = await enter('lamp-2')
    await revoke('lamp-1')
    await until(() => !lamp.mqtt.connected, 'the connection to close')
    await until(() => broker.read()?.connected === 1, 'the broker to count one less')
    t.match(refusals, [{ code: 'client.revoked', client: 'lamp-1' }])
    await t.rejects(enter('lamp-1'), { code: 5 })
    t.equal(other.mqtt.connected, true, 'nobody else is')
    await revoke('# again nobody')
    await within(
      tryUntilIn(() => enter('lamp-1')),
      'the pardon',
    )
  })

  t.test(
    `${way}: one certificate of a name can be revoked, and the next one is let in`,
    async t => {
      const { enter, revoke, papers } = await openVenue(t, way)
      const stolen = await enter('lamp-1', { clean: false })
      await stolen.subscribe('lamp-1/#')
      await revoke(await papers.serialOf('lamp-1'))
      await until(() => !stolen.mqtt.connected, 'the connection to close')
      await t.rejects(enter('lamp-1', { clean: false }), { code: 5 })
      await papers.certificate('lamp-1', 'tour')
      const next = await enter('lamp-1', { clean: false })
      t.equal(next.isSessionPresent, true, 'and finds the session of its name')
    },
  )

  t.test(`${way}: the will of a revoked client is not published, or it could be a GO`, async t => {
    const { enter, revoke, port, commands, refusals } = await openVenue(t, way)
    const viewer = await client(port, users.view)
    await viewer.subscribe(`vb/${tour}/#`)
    const will = {
      topic: `${base}/cue`,
      payload: Buffer.from('GO'),
      qos: 1,
      retain: false,
    } as const
    const phone = await enter('operator', { will })
    await revoke('operator')
    await until(() => !phone.mqtt.connected, 'the connection to close')
    await until(() => refusals.length > 0, 'it to be told')
    await probe(port)
    t.same(commands, [])
    t.match(refusals, [{ code: 'client.revoked' }], 'and nothing else was refused')
  })

  t.test(`${way}: a session that is revoked is gone, and its queue with it`, async t => {
    const { enter, revoke, broker, port } = await openVenue(t, way)
    const lamp = await enter('lamp-1', { clean: false })
    await lamp.subscribe('lamp-1/#')
    await lamp.end()
    const away = await enter('lamp-2', { clean: false })
    await away.subscribe('lamp-2/#')
    await away.end()
    const sender = await client(port, users.driver)
    await sender.publish('lamp-1/secret', 'x')
    t.match(broker.read(), { sessions: 2, queued: 1 })
    await revoke('lamp-1')
    await until(() => broker.read()?.sessions === 1, 'the session to go')
    t.match(broker.read(), { queued: 0, subscriptions: 1 })
  })
}

const DAY_MS = 86_400_000

for (const way of ['mqtts', 'wss'] as const)
  t.test(`${way}: whose certificate runs out is cut off, and his will with it`, async t => {
    let aheadMs = 0
    const clock = hastened(20, () => aheadMs)
    const { enter, refusals, broker, port } = await openVenue(t, way, { clock })
    const viewer = await client(port, users.view)
    await viewer.subscribe(`${base}/gadget/#`)
    const topic = `${base}/gadget/lamp-1/gone`
    const will = { topic, payload: Buffer.from('x'), qos: 1, retain: false } as const
    const lamp = await enter('lamp-1', { clean: false, will })
    await lamp.subscribe('lamp-1/#')
    aheadMs = 4 * DAY_MS
    await until(() => !lamp.mqtt.connected, 'the connection to close')
    t.match(refusals, [
      {
        code: 'client.expired',
        client: 'lamp-1',
        message: /"lamp-1" ran out 2 days ago.*: renew it/,
      },
    ])
    // TLS goes by the clock of the machine, and lets it in, as it does with every session that is resumed.
    await t.rejects(enter('lamp-1', { clean: false }), { code: 5 }, 'and it stays out')
    t.match(broker.read(), { sessions: 1, connected: 1 }, 'its session waits')
    aheadMs = 0
    const renewed = await enter('lamp-1', { clean: false })
    t.equal(renewed.isSessionPresent, true)
    t.equal(viewer.mqtt.connected, true, 'a password does not run out')
    t.same(viewer.messages, [], 'no will')
  })

t.test('a clock that cannot be right cuts nobody off', async t => {
  let aheadMs = 0
  const clock = hastened(20, () => aheadMs)
  const { enter, log, refusals, port } = await openVenue(t, 'mqtts', { clock })
  const lamp = await enter('lamp-1')
  for (const wrongMs of [100 * 365 * DAY_MS, -100 * 365 * DAY_MS]) {
    const before = log.lines.length
    aheadMs = wrongMs
    await until(() => log.lines.length > before, 'the doubt')
    t.match(log.lines.at(-1), { event: 'broker.clock-doubted' })
    await (await enter('lamp-2')).end()
    await probe(port)
    aheadMs = 0
    await lamp.publish('lamp-1/n', 'still here')
    await new Promise(resolve =>
      clock.runAt(after(clock.monotonicMs(), 4_000), () => resolve(null)),
    )
  }
  t.same(refusals, [])
})

t.test('nothing is forwarded to a revoked client, whatever its socket does', async t => {
  const { enter, revoke, refusals, bus, broker } = await openVenue(t, 'mqtts')
  const lamp = await enter('lamp-1')
  await lamp.subscribe(`${base}/cue/fired`, 0)
  // Its socket is not read and will not be closed in an orderly way.
  lamp.mqtt.stream.pause()
  await revoke('lamp-1')
  await until(() => refusals.length > 0, 'the list to be read')
  const before = broker.read()?.publishSent
  const fired = { fire: 'f', cue: '1', epoch: 1, atShowMs: 0, origin: 'x', lateMs: 0 }
  for (let n = 0; n < 10; n++) bus.publish('cue/fired', fired)
  t.equal(broker.read()?.publishSent, before)
})

t.test('what a revoked client had sent too fast does not have its turn any more', async t => {
  const limits = { publishesPerSecond: 1 }
  const { enter, revoke, refusals, commands, port } = await openVenue(t, 'mqtts', { limits })
  const viewer = await client(port, users.view)
  await viewer.subscribe(`${base}/gadget/#`)
  const [phone, lamp] = [await enter('operator'), await enter('lamp-2')]
  const send = (sender: TestClient, topic: string): void => {
    // Three go at once, the others after longer and longer.
    for (let n = 0; n < 9; n++) sender.mqtt.publish(topic, `0.${n}`, { qos: 0 })
  }
  send(phone, `${base}/front/set`)
  await until(() => refusals.some(({ code }) => code === 'publish.throttled'), 'the brake')
  await revoke('operator')
  await until(() => refusals.some(({ code }) => code === 'client.revoked'), 'the revocation')
  const before = commands.length
  t.ok(before < 9, 'some still had to wait')
  send(lamp, `${base}/gadget/lamp-2/n`)
  await until(() => viewer.messages.some(({ payload }) => payload === '0.8'), 'the last turn')
  t.equal(commands.length, before)
})

t.test('a name in the list is unwelcome with a password too', async t => {
  const { revoke, papers, broker } = await openVenue(t, 'wss')
  const url = `wss://localhost:${broker.ports().webSocket}/mqtt`
  const ca = await readFile(papers.path('tour.crt'))
  const login = { ca, username: users.operate, password, clientId: 'page' }
  const page = await open(t, url, login)
  await revoke(users.operate)
  await until(() => !page.mqtt.connected, 'the connection to close')
  await t.rejects(open(t, url, login), { code: 5 })
  const viewer = await open(t, url, { ...login, username: users.view, clientId: 'viewer' })
  t.equal(viewer.mqtt.connected, true)
})

t.test('a list that was changed while the box was off holds from the start', async t => {
  const store = new SimulatedStore()
  const first = await openVenue(t, 'mqtts', { store })
  const will = { topic: 'lamp-1/gone', payload: Buffer.from('x'), qos: 1, retain: false } as const
  const lamp = await first.enter('lamp-1', { clean: false, will })
  await lamp.subscribe('lamp-1/#')
  await first.broker.stop()
  await writeFile(master.path('revoked'), 'lamp-1\n')
  t.teardown(() => writeFile(master.path('revoked'), '# nobody\n'))
  const second = await openVenue(t, 'mqtts', { store, boot: 2 })
  t.match(second.broker.read(), { sessions: 0 })
  await second.broker.stop()
  for (const table of ['mqtt-session', 'mqtt-will'])
    t.same(await store.scan(table, { from: '', before: null, limit: 10 }), [], table)
})

t.test(
  'a will from before the restart goes with its user, whatever the client is called',
  async t => {
    const store = new SimulatedStore()
    const first = await openVenue(t, 'mqtts', { store })
    const will = {
      topic: `${base}/cue`,
      payload: Buffer.from('GO'),
      qos: 1,
      retain: false,
    } as const
    await client(first.port, users.operate, { clientId: 'phone-7', will })
    await client(first.port, users.driver, {
      clientId: 'phone-8',
      will: { ...will, topic: 'lamp-1/n' },
    })
    await first.broker.stop()
    await writeFile(master.path('revoked'), `${users.operate}\n`)
    t.teardown(() => writeFile(master.path('revoked'), '# nobody\n'))
    const second = await openVenue(t, 'mqtts', { store, boot: 2 })
    await second.broker.stop()
    const left = await store.scan('mqtt-will', { from: '', before: null, limit: 10 })
    t.same(
      left.map(({ key }) => Buffer.from(key, 'base64url').toString()),
      ['phone-8'],
    )
  },
)

/** Whatever was under way before is over when this is. */
async function probe(port: number): Promise<void> {
  const viewer = await client(port, users.view)
  await viewer.subscribe(`${base}/availability`)
  await viewer.received(1)
  await viewer.end()
}

/** The list is read from time to time, and who failed waits a little longer each time. */
async function tryUntilIn(enter: () => Promise<TestClient>): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const isIn = await enter().then(
      () => true,
      () => false,
    )
    if (isIn) return
  }
  throw new Error('never let in')
}
