/**
 * What MQTT 3.1.1 asks of a server, by the numbers of its normative statements, spoken byte by byte. Sessions, wills over
 * a restart and limits have files of their own.
 */
import mqttPacket, { type Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { connectPacket, RawClient, startBroker, type TestBroker, until, users } from './harness.js'

type Cmd = Packet['cmd']
type Of<C extends Cmd> = Extract<Packet, { cmd: C }>

/** Packets are taken in the order in which they come. */
class Talk {
  readonly raw: RawClient

  constructor(port: number) {
    this.raw = new RawClient(port)
  }

  send(...packets: Packet[]): void {
    this.raw.send(...packets)
  }

  bytes(...bytes: number[]): void {
    this.raw.socket.write(Buffer.from(bytes))
  }

  async take<C extends Cmd>(cmd: C): Promise<Of<C>> {
    const { raw } = this
    await until(
      () => raw.packets.length > 0 || raw.isClosed,
      () => `a ${cmd}`,
    )
    const packet = raw.packets.shift()
    if (packet && isOf(packet, cmd)) return packet
    throw new Error(`expected a ${cmd}, got ${packet?.cmd ?? 'the end'}`)
  }

  subscribe(topic: string, qos: 0 | 1 | 2, messageId = 1): Promise<Of<'suback'>> {
    this.send({ cmd: 'subscribe', messageId, subscriptions: [{ topic, qos }] })
    return this.take('suback')
  }

  /** Everything that was under way before has arrived when this is back. */
  async settled(): Promise<void> {
    this.send({ cmd: 'pingreq' })
    await this.take('pingresp')
  }
}

const isOf = <C extends Cmd>(packet: Packet, cmd: C): packet is Of<C> => packet.cmd === cmd

const publish = (topic: string, payload: string, more: Partial<Of<'publish'>> = {}) =>
  ({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false, ...more }) as const

async function start(t: Test): Promise<TestBroker> {
  const broker = await startBroker()
  t.teardown(() => broker.broker.stop())
  return broker
}

/** A gadget, at home in `lamp-1/#`. */
async function enter(
  port: number,
  clientId: string,
  options: Partial<Of<'connect'>> = {},
): Promise<Talk> {
  const talk = new Talk(port)
  talk.raw.connect(clientId, { username: users.driver, ...options })
  const { returnCode } = await talk.take('connack')
  if (returnCode !== 0) throw new Error(`refused: ${returnCode}`)
  return talk
}

t.test(
  'what breaks the protocol closes the connection, and nothing else (MQTT-4.8.0-1)',
  async t => {
    const { port, broker } = await start(t)
    const bystander = await enter(port, 'bystander')
    const topic = [0x00, 0x08, ...Buffer.from('lamp-1/n')]
    for (const [what, ...bytes] of [
      ['a second CONNECT (3.1.0-2)', ...mqttPacket.generate(connectPacket('again'))],
      ['a PUBLISH of QoS 3 (3.3.1-4)', 0x36, 0x0c, ...topic, 0x00, 0x01],
      ['a PUBLISH with a wildcard (3.3.2-2)', 0x30, 0x0a, 0x00, 0x08, ...Buffer.from('lamp-1/#')],
      ['a topic that is not UTF-8 (1.5.3-1)', 0x30, 0x04, 0x00, 0x02, 0xc3, 0x28],
      ['a topic with U+0000 (1.5.3-2)', 0x30, 0x05, 0x00, 0x03, 0x61, 0x00, 0x62],
      ['a topic of no characters (4.7.3-1)', 0x30, 0x02, 0x00, 0x00],
      ['a PUBLISH with identifier 0 (2.3.1-1)', 0x32, 0x0c, ...topic, 0x00, 0x00],
      ['a SUBSCRIBE with identifier 0 (2.3.1-1)', 0x82, 0x0d, 0x00, 0x00, ...topic, 0x00],
      ['a SUBSCRIBE with flags 0 (3.8.1-1)', 0x80, 0x0d, 0x00, 0x01, ...topic, 0x00],
      ['a SUBSCRIBE to nothing (3.8.3-3)', 0x82, 0x02, 0x00, 0x01],
      ['a SUBSCRIBE with QoS 3 (3.8.3-4)', 0x82, 0x0d, 0x00, 0x01, ...topic, 0x03],
      ['a SUBSCRIBE with reserved bits (3.8.3-4)', 0x82, 0x0d, 0x00, 0x01, ...topic, 0x80],
      ['a filter with # inside (4.7.1-2)', 0x82, 0x08, 0, 1, 0, 3, ...Buffer.from('#/a'), 0],
      [
        'a filter with + beside a letter (4.7.1-3)',
        0x82,
        0x07,
        0,
        1,
        0,
        2,
        ...Buffer.from('a+'),
        0,
      ],
      ['an UNSUBSCRIBE with flags 0 (3.10.1-1)', 0xa0, 0x0c, 0x00, 0x01, ...topic],
      ['an UNSUBSCRIBE from nothing (3.10.3-2)', 0xa2, 0x02, 0x00, 0x01],
      ['a PUBREL with flags 0 (3.6.1-1)', 0x60, 0x02, 0x00, 0x01],
      ['a PINGREQ with flags (2.2.2-2)', 0xc1, 0x00],
      ['a packet of type 0 (2.2.1)', 0x00, 0x00],
      ['a packet of type 15 (2.2.1)', 0xf0, 0x00],
      ['a length of five bytes (2.2.3)', 0x30, 0xff, 0xff, 0xff, 0xff, 0x01],
    ] as const) {
      const talk = await enter(port, 'talk')
      talk.bytes(...bytes)
      await t.resolves(talk.raw.closed(), what)
      t.same(talk.raw.packets, [], 'without an answer')
    }
    await bystander.settled()
    await until(() => broker.read()?.connected === 1, 'the others to be gone')
  },
)

t.test('what is not a CONNECT of MQTT 3.1.1 is not let in', async t => {
  const { port } = await start(t)
  const connect = (...bytes: number[]): number[] => [0x10, bytes.length, ...bytes]
  const name = [0x00, 0x04, ...Buffer.from('MQTT')]
  const rest = [0x00, 0x3c, 0x00, 0x01, 0x61]
  for (const [what, ...bytes] of [
    ['another packet comes first (3.1.0-1)', 0xc0, 0x00],
    ['another name (3.1.2-1)', ...connect(0x00, 0x02, 0x68, 0x6a, 4, 0x02, ...rest)],
    ['the reserved flag (3.1.2-3)', ...connect(...name, 4, 0x03, ...rest)],
    ['the QoS of a will that is not there (3.1.2-13)', ...connect(...name, 4, 0x0a, ...rest)],
    ['the retain flag of no will (3.1.2-15)', ...connect(...name, 4, 0x22, ...rest)],
    ['a will of QoS 3 (3.1.2-14)', ...connect(...name, 4, 0x1e, ...rest, 0, 1, 0x61, 0, 1, 0x61)],
    ['a password without a user (3.1.2-22)', ...connect(...name, 4, 0x42, ...rest, 0, 1, 0x61)],
  ] as const) {
    const talk = new Talk(port)
    talk.bytes(...bytes)
    await t.resolves(talk.raw.closed(), what)
    t.notOk(
      talk.raw.packets.some(packet => packet.cmd === 'connack' && packet.returnCode === 0),
      `${what}: no welcome`,
    )
  }
})

t.test(
  'another version is told so before it is turned away (3.1.2-2, 3.2.2-4, 3.2.2-5)',
  async t => {
    const { port } = await start(t)
    const later = new Talk(port)
    later.send({ ...connectPacket('later'), protocolVersion: 5 })
    t.match(await later.take('connack'), { sessionPresent: false })
    await later.raw.closed()
  },
)

t.test('a client of the same name takes the place of the first (3.1.4-2)', async t => {
  const { port, broker } = await start(t)
  const watcher = await enter(port, 'watcher')
  await watcher.subscribe('lamp-1/gone', 1)
  const will = { topic: 'lamp-1/gone', payload: Buffer.from('x'), qos: 0, retain: false } as const
  const first = await enter(port, 'one', { will })
  const second = await enter(port, 'one')
  await first.raw.closed()
  t.match(await watcher.take('publish'), { topic: 'lamp-1/gone' }, 'it did not say goodbye')
  await second.settled()
  t.equal(broker.read()?.connected, 2)
})

t.test(
  'silence for one and a half times the keepalive ends it, with its will (3.1.2-24)',
  async t => {
    const { port } = await start(t)
    const watcher = await enter(port, 'watcher')
    await watcher.subscribe('lamp-1/gone', 1)
    const will = { topic: 'lamp-1/gone', payload: Buffer.from('x'), qos: 1, retain: false } as const
    const silent = await enter(port, 'silent', { keepalive: 1, will })
    const alive = await enter(port, 'alive', { keepalive: 1 })
    const pings = setInterval(() => alive.send({ cmd: 'pingreq' }), 300)
    t.teardown(() => clearInterval(pings))
    await silent.raw.closed()
    t.match(await watcher.take('publish'), { topic: 'lamp-1/gone', qos: 1 })
    t.equal(alive.raw.isClosed, false, 'a ping is enough (3.12.4-1)')
  },
)

t.test('a will is published as it was asked for: its QoS, and retained (3.1.2-17)', async t => {
  const { port } = await start(t)
  const watcher = await enter(port, 'watcher')
  await watcher.subscribe('lamp-1/#', 2)
  const will = { topic: 'lamp-1/gone', payload: Buffer.from('x'), qos: 2, retain: true } as const
  const lamp = await enter(port, 'lamp', { will })
  lamp.raw.socket.destroy()
  t.match(await watcher.take('publish'), { qos: 2, retain: false })
  const late = await enter(port, 'late')
  await late.subscribe('lamp-1/gone', 1)
  t.match(await late.take('publish'), { qos: 1, retain: true })
})

t.test('a DISCONNECT keeps the will back (3.14.4-3)', async t => {
  const { port } = await start(t)
  const watcher = await enter(port, 'watcher')
  await watcher.subscribe('lamp-1/#', 1)
  const will = { topic: 'lamp-1/gone', payload: Buffer.from('x'), qos: 1, retain: false } as const
  const lamp = await enter(port, 'lamp', { will })
  lamp.send({ cmd: 'disconnect' })
  await lamp.raw.closed()
  await watcher.settled()
})

t.test('retained: the last one, marked for the newcomer only, gone with an empty one', async t => {
  const { port } = await start(t)
  const watcher = await enter(port, 'watcher')
  await watcher.subscribe('lamp-1/n', 1)
  const lamp = await enter(port, 'lamp')
  for (const payload of ['1', '2']) lamp.send(publish('lamp-1/n', payload, { retain: true }))
  for (const payload of ['1', '2'])
    t.match(
      await watcher.take('publish'),
      { payload: Buffer.from(payload), retain: false },
      'who was there before sees no mark (3.3.1-9)',
    )
  const late = await enter(port, 'late')
  await late.subscribe('lamp-1/n', 1)
  t.match(
    await late.take('publish'),
    { payload: Buffer.from('2'), retain: true },
    '3.3.1-6, 3.3.1-8',
  )
  await late.subscribe('lamp-1/n', 1, 2)
  t.match(
    await late.take('publish'),
    { payload: Buffer.from('2'), retain: true },
    'and once more when it subscribes once more (3.8.4-3)',
  )
  lamp.send(publish('lamp-1/n', '', { retain: true }))
  t.match(await watcher.take('publish'), { payload: Buffer.alloc(0) }, 'told like any (3.3.1-10)')
  const last = await enter(port, 'last')
  await last.subscribe('lamp-1/n', 1)
  await last.settled()
})

t.test(
  'one SUBSCRIBE with many filters is answered filter by filter, in order (3.8.4-5)',
  async t => {
    const { port } = await start(t)
    const talk = await enter(port, 'talk')
    talk.send({
      cmd: 'subscribe',
      messageId: 4_711,
      subscriptions: [
        { topic: 'lamp-1/a', qos: 2 },
        { topic: '#', qos: 1 },
        { topic: 'lamp-1/b', qos: 0 },
        { topic: 'lamp-1/c', qos: 1 },
      ],
    })
    t.match(await talk.take('suback'), { messageId: 4_711, granted: [2, 128, 0, 1] })
  },
)

t.test('a filter that is subscribed to again is replaced, not doubled (3.8.4-3)', async t => {
  const { port } = await start(t)
  const talk = await enter(port, 'talk')
  await talk.subscribe('lamp-1/n', 0)
  await talk.subscribe('lamp-1/n', 1, 2)
  talk.send(publish('lamp-1/n', 'x', { qos: 1, messageId: 9 }))
  const [one, other] = [await next(talk), await next(talk)]
  const come = [one, other].find(({ cmd }) => cmd === 'publish')
  t.match(come, { qos: 1 })
  await talk.settled()
})

t.test('UNSUBSCRIBE is answered, known or not, and ends that filter alone', async t => {
  const { port } = await start(t)
  const talk = await enter(port, 'talk')
  await talk.subscribe('lamp-1/+', 0)
  await talk.subscribe('lamp-1/n', 0, 2)
  talk.send({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['lamp-1/n', 'lamp-1/never'] })
  t.match(await talk.take('unsuback'), { messageId: 3 }, '3.10.4-4, 3.10.4-5')
  talk.send(publish('lamp-1/n', '1'))
  t.match(await talk.take('publish'), { topic: 'lamp-1/n' }, 'another filter reaches it still')
  talk.send({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['lamp-1/+'] })
  await talk.take('unsuback')
  talk.send(publish('lamp-1/n', '2'))
  await talk.settled()
})

t.test('filters reach the topics of the examples in section 4.7, and no others', async t => {
  const { port } = await start(t)
  const topics = ['sport', 'sport/', 'sport/tennis', 'Sport/tennis', 'sport/tennis/x', '/finance']
  for (const [filter, ...reached] of [
    ['sport/#', 'sport', 'sport/', 'sport/tennis', 'sport/tennis/x'],
    ['sport/+', 'sport/', 'sport/tennis'],
    ['sport', 'sport'],
    ['+', 'sport'],
    ['+/+', 'sport/', 'sport/tennis', 'Sport/tennis', '/finance'],
    ['/+', '/finance'],
    ['+/tennis/#', 'sport/tennis', 'Sport/tennis', 'sport/tennis/x'],
  ]) {
    const talk = await enter(port, 'talk')
    await talk.subscribe(`lamp-1/${filter}`, 0)
    talk.send(...topics.map(topic => publish(`lamp-1/${topic}`, 'live')))
    for (const topic of reached) t.match(await talk.take('publish'), { topic: `lamp-1/${topic}` })
    await talk.settled()
    talk.send({ cmd: 'disconnect' })
  }
})

t.test(
  'a wildcard at the beginning does not reach $SYS, and nobody writes there (4.7.2-1)',
  async t => {
    const { port, refusals } = await start(t)
    const viewer = await enter(port, 'viewer', { username: users.view })
    t.match(await viewer.subscribe('+/broker/uptime', 0), { granted: [128] })
    t.match(await viewer.subscribe('$SYS/broker/uptime', 0, 2), { granted: [0] })
    t.match(await viewer.take('publish'), { topic: '$SYS/broker/uptime' })
    const lamp = await enter(port, 'lamp')
    lamp.send(publish('$SYS/broker/uptime', 'for ever', { qos: 1, messageId: 1 }))
    await lamp.take('puback')
    t.match(refusals.at(-1), { code: 'publish.denied' })
    await viewer.settled()
  },
)

t.test('a byte order mark in a topic is part of it (1.5.3-3)', async t => {
  const { port } = await start(t)
  const talk = await enter(port, 'talk')
  await talk.subscribe('lamp-1/\ufeffn', 0)
  talk.send(publish('lamp-1/n', 'without'), publish('lamp-1/\ufeffn', 'with'))
  t.match(await talk.take('publish'), { topic: 'lamp-1/\ufeffn' })
})

t.test(
  'exactly once, from the publisher: doubled until PUBREL, published once (4.3.3)',
  async t => {
    const { port } = await start(t)
    const watcher = await enter(port, 'watcher')
    await watcher.subscribe('lamp-1/n', 0)
    const lamp = await enter(port, 'lamp')
    const once = publish('lamp-1/n', 'once', { qos: 2, messageId: 7 })
    lamp.send(once, { ...once, dup: true })
    for (const _ of [1, 2]) t.match(await lamp.take('pubrec'), { messageId: 7 })
    for (const _ of [1, 2]) {
      lamp.send({ cmd: 'pubrel', messageId: 7 })
      t.match(
        await lamp.take('pubcomp'),
        { messageId: 7 },
        'also for one that is not known (any more)',
      )
    }
    lamp.send(publish('lamp-1/n', 'next', { qos: 2, messageId: 7 }))
    await lamp.take('pubrec')
    lamp.send({ cmd: 'pubrel', messageId: 7 })
    await lamp.take('pubcomp')
    for (const payload of ['once', 'next'])
      t.match(await watcher.take('publish'), { payload: Buffer.from(payload) })
    await watcher.settled()
  },
)

t.test('exactly once, to the subscriber: what is released is not sent again (4.4.0-1)', async t => {
  const { port, broker } = await start(t)
  const first = await enter(port, 'hub', { clean: false })
  await first.subscribe('lamp-1/#', 2)
  const lamp = await enter(port, 'lamp')
  for (const messageId of [1, 2, 3]) {
    lamp.send(publish(`lamp-1/${messageId}`, 'x', { qos: 2, messageId }))
    await lamp.take('pubrec')
    lamp.send({ cmd: 'pubrel', messageId })
    await lamp.take('pubcomp')
  }
  const sent = [
    await first.take('publish'),
    await first.take('publish'),
    await first.take('publish'),
  ]
  const ids = sent.map(({ messageId = 0 }) => messageId)
  t.equal(new Set(ids).size, 3, 'each has its own identifier (2.3.1-4)')
  // The first goes all the way, the second is received, the third is on its way when the cable is pulled.
  first.send({ cmd: 'pubrec', messageId: ids[0] ?? 0 })
  t.match(await first.take('pubrel'), { messageId: ids[0] })
  first.send({ cmd: 'pubcomp', messageId: ids[0] ?? 0 })
  first.send({ cmd: 'pubrec', messageId: ids[1] ?? 0 })
  t.match(await first.take('pubrel'), { messageId: ids[1] })
  first.raw.socket.destroy()
  await first.raw.closed()
  const second = new Talk(port)
  second.raw.connect('hub', { username: users.driver, clean: false })
  t.match(await second.take('connack'), { sessionPresent: true })
  t.match(await second.take('pubrel'), { messageId: ids[1] }, 'in the order of before (4.6.0-6)')
  t.match(await second.take('publish'), { messageId: ids[2], dup: true, topic: 'lamp-1/3' })
  second.send({ cmd: 'pubcomp', messageId: ids[1] ?? 0 })
  second.send({ cmd: 'pubrec', messageId: ids[2] ?? 0 })
  await second.take('pubrel')
  second.send({ cmd: 'pubcomp', messageId: ids[2] ?? 0 })
  await until(() => broker.read()?.queued === 0, 'the end of it')
})

t.test(
  'what was not acknowledged comes again in its order, before what is new (4.6.0-1)',
  async t => {
    const { port, broker } = await start(t)
    const first = await enter(port, 'hub', { clean: false })
    await first.subscribe('lamp-1/#', 1)
    const lamp = await enter(port, 'lamp')
    const send = async (messageId: number): Promise<void> => {
      lamp.send(publish('lamp-1/n', `${messageId}`, { qos: 1, messageId }))
      await lamp.take('puback')
    }
    for (const n of [1, 2, 3, 4]) await send(n)
    const taken = [await first.take('publish'), await first.take('publish')]
    // Acknowledged out of order: the second only.
    first.send({ cmd: 'puback', messageId: taken[1]?.messageId ?? 0 })
    await until(() => broker.read()?.queued === 3, 'the acknowledgement')
    first.raw.socket.destroy()
    await first.raw.closed()
    await send(5)
    const second = new Talk(port)
    second.raw.connect('hub', { username: users.driver, clean: false })
    await second.take('connack')
    const again = []
    for (let n = 0; n < 4; n++) {
      const { payload, dup, messageId = 0 } = await second.take('publish')
      second.send({ cmd: 'puback', messageId })
      again.push(`${payload} ${dup}`)
    }
    t.same(again, ['1 true', '3 true', '4 true', '5 false'])
  },
)

t.test('a clean session leaves nothing: no filters, no queue (3.1.2-6)', async t => {
  const { port, broker } = await start(t)
  const kept = await enter(port, 'hub', { clean: false })
  await kept.subscribe('lamp-1/#', 1)
  kept.send({ cmd: 'disconnect' })
  await kept.raw.closed()
  const lamp = await enter(port, 'lamp')
  lamp.send(publish('lamp-1/n', 'x', { qos: 1, messageId: 1 }))
  await lamp.take('puback')
  const clean = await enter(port, 'hub', { clean: true })
  await clean.settled()
  clean.send({ cmd: 'disconnect' })
  await clean.raw.closed()
  t.match(broker.read(), { sessions: 0, queued: 0, subscriptions: 0 })
})

t.test('QoS 0 is not kept for who is away, and is delivered at most once (4.3.1)', async t => {
  const { port } = await start(t)
  const kept = await enter(port, 'hub', { clean: false })
  await kept.subscribe('lamp-1/#', 1)
  kept.send({ cmd: 'disconnect' })
  await kept.raw.closed()
  const lamp = await enter(port, 'lamp')
  lamp.send(publish('lamp-1/n', 'x'))
  await lamp.settled()
  const again = await enter(port, 'hub', { clean: false })
  await again.settled()
})

async function next(talk: Talk): Promise<Packet> {
  await until(() => talk.raw.packets.length > 0, 'a packet')
  const packet = talk.raw.packets.shift()
  if (!packet) throw new Error('no packet')
  return packet
}
