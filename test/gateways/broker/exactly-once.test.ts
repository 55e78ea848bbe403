/** QoS 2 over power cuts, full disks and broken connections, and what a session is owed after one. */
import type { Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { BoxError } from '../../../runtime/core/errors.js'
import type { Store } from '../../../runtime/ports/store.js'
import { RawClient, slow, startBroker, type TestBroker, until, users } from './harness.js'

type Of<C extends Packet['cmd']> = Extract<Packet, { cmd: C }>

const COMMIT_MS = 25
const topic = 'lamp-1/n'
const publish = (messageId: number, more: Partial<Of<'publish'>> = {}) =>
  ({
    cmd: 'publish',
    topic,
    payload: 'once',
    qos: 2,
    retain: false,
    dup: false,
    messageId,
    ...more,
  }) as const

/** A disk that may be full, or stand still. */
class Disk implements Store {
  readonly simulated = new SimulatedStore()
  isFull = false
  #gate: Promise<void> | null = null
  #open: () => void = () => {}

  hold(): void {
    this.#gate = new Promise(resolve => {
      this.#open = resolve
    })
  }

  letGo(): void {
    this.#gate = null
    this.#open()
  }

  async commit(changes: Parameters<Store['commit']>[0]): Promise<void> {
    await this.#gate
    if (this.isFull) throw new BoxError('storage.full', 'the disk is full')
    await this.simulated.commit(changes)
  }

  read(table: string, key: string): Promise<Uint8Array | null> {
    return this.simulated.read(table, key)
  }

  scan(...asked: Parameters<Store['scan']>): ReturnType<Store['scan']> {
    return this.simulated.scan(...asked)
  }
}

async function start(t: Test, store: Store, boot = 1): Promise<TestBroker> {
  const broker = await startBroker({ store, boot })
  t.teardown(() => broker.broker.stop())
  return broker
}

async function enter(
  { port }: TestBroker,
  clientId: string,
  options: Partial<Of<'connect'>> = {},
): Promise<RawClient> {
  const raw = new RawClient(port)
  raw.connect(clientId, { username: users.driver, clean: false, ...options })
  await raw.packet('connack')
  return raw
}

async function subscriber(broker: TestBroker, qos: 1 | 2, filter = topic): Promise<RawClient> {
  const raw = await enter(broker, 'reader')
  raw.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: filter, qos }] })
  await raw.packet('suback')
  return raw
}

/** Everything that was under way before is over when this is back. */
async function settled(raw: RawClient): Promise<void> {
  const count = (): number => raw.packets.filter(({ cmd }) => cmd === 'pingresp').length
  const before = count()
  raw.send({ cmd: 'pingreq' })
  await until(() => count() > before, 'a pingresp')
}

const publishesTo = (raw: RawClient): Of<'publish'>[] =>
  raw.packets.filter((packet): packet is Of<'publish'> => packet.cmd === 'publish')

const rows = (store: Store, table: string) =>
  store.scan(table, { from: '', before: null, limit: 100 })

t.test('a subscriber sees a message of QoS 2 when it is on disk, not before', async t => {
  const disk = new SimulatedStore()
  const broker = await start(t, slow(disk, COMMIT_MS))
  const reader = await subscriber(broker, 2)
  const sender = await enter(broker, 'sender')
  sender.send(publish(5))
  const { messageId = 0 } = await reader.packet('publish')
  disk.cutPower()
  const next = await start(t, disk.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY }), 2)
  const again = await enter(next, 'reader')
  t.match(await again.packet('publish'), { messageId, dup: true }, 'the same one')
  const retry = await enter(next, 'sender')
  retry.send(publish(5, { dup: true }))
  await retry.packet('pubrec')
  await settled(again)
  t.equal(publishesTo(again).length, 1, 'the second try of the publisher adds nothing')
})

t.test(
  'PUBREL leaves when the receipt is on disk: after a power cut it comes again, alone',
  async t => {
    const disk = new SimulatedStore()
    const broker = await start(t, slow(disk, COMMIT_MS))
    const reader = await subscriber(broker, 2)
    const sender = await enter(broker, 'sender')
    sender.send(publish(5))
    const { messageId = 0 } = await reader.packet('publish')
    reader.send({ cmd: 'pubrec', messageId })
    await reader.packet('pubrel')
    disk.cutPower()
    const next = await start(t, disk.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY }), 2)
    const again = await enter(next, 'reader')
    t.match(await again.packet('pubrel'), { messageId })
    again.send({ cmd: 'pubcomp', messageId })
    await until(() => next.broker.read()?.queued === 0, 'the end of it')
    await settled(again)
    t.same(publishesTo(again), [])
  },
)

t.test('PUBCOMP ends it on disk without waiting for company', async t => {
  const disk = new SimulatedStore()
  const broker = await start(t, disk)
  const reader = await subscriber(broker, 2)
  const sender = await enter(broker, 'sender')
  sender.send(publish(5))
  const { messageId = 0 } = await reader.packet('publish')
  reader.send({ cmd: 'pubrec', messageId })
  await reader.packet('pubrel')
  reader.send({ cmd: 'pubcomp', messageId })
  await settled(reader)
  t.same(await rows(disk, 'mqtt-queue'), [])
})

/** Sends what the disk has no room for, and tells what came until the broker closed the connection. */
async function refused(
  client: RawClient,
  packet: Packet,
): Promise<readonly (string | undefined)[]> {
  client.send(packet)
  await client.closed()
  return client.packets.map(({ cmd }) => cmd)
}

t.test('a message of QoS 2 that could not be stored is not acknowledged until it is', async t => {
  const disk = new Disk()
  const broker = await start(t, disk)
  const away = await subscriber(broker, 2)
  away.socket.destroy()
  await away.closed()
  const here = await enter(broker, 'here', { clean: true })
  here.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 2 }] })
  await here.packet('suback')
  const sender = await enter(broker, 'sender')
  disk.isFull = true
  t.notOk((await refused(sender, publish(5))).includes('pubrec'))
  const second = await enter(broker, 'sender')
  const answers = await refused(second, publish(5, { dup: true }))
  t.notOk(answers.includes('pubrec'), 'nor is the second try, while the disk is full')
  disk.isFull = false
  const third = await enter(broker, 'sender')
  third.send(publish(5, { dup: true }))
  await third.packet('pubrec')
  const next = await start(t, disk, 2)
  const back = await enter(next, 'reader')
  t.match(await back.packet('publish'), { payload: Buffer.from('once') })
  await settled(back)
  t.equal(publishesTo(back).length, 1, 'who was away gets it after a restart, once')
  await settled(here)
  t.equal(publishesTo(here).length, 1, 'who was there got it once, whatever the disk did')
})

t.test('a message that waited for a full disk reaches who is there when it is stored', async t => {
  const disk = new Disk()
  const broker = await start(t, disk)
  const reader = await subscriber(broker, 2)
  const sender = await enter(broker, 'sender')
  disk.isFull = true
  sender.send(publish(5))
  await sender.closed()
  await settled(reader)
  t.same(publishesTo(reader), [], 'not before')
  disk.isFull = false
  const second = await enter(broker, 'sender')
  second.send(publish(5, { dup: true }))
  await second.packet('pubrec')
  await reader.packet('publish')
  await settled(reader)
  t.equal(publishesTo(reader).length, 1)
})

t.test('doubled while the first is being stored, both are acknowledged when it is', async t => {
  const disk = new Disk()
  const broker = await start(t, disk)
  const sender = await enter(broker, 'sender')
  await settled(sender)
  disk.hold()
  const ids = [1, 2, 3, 4, 5]
  sender.send(...ids.flatMap(id => [publish(id), publish(id, { dup: true })]))
  await until(() => broker.broker.read()?.publishReceived === ids.length, 'all to be taken')
  const other = await enter(broker, 'other')
  await settled(other)
  const receipts = (): Packet[] => sender.packets.filter(({ cmd }) => cmd === 'pubrec')
  t.same(receipts(), [], 'nothing is on disk')
  disk.letGo()
  await until(() => receipts().length === 2 * ids.length, 'both of each')
  t.equal((await rows(disk, 'mqtt-incoming')).length, ids.length)
})

t.test('PUBCOMP promises that the identifier is free, on disk too', async t => {
  const disk = new Disk()
  const broker = await start(t, disk)
  const sender = await enter(broker, 'sender')
  sender.send(publish(5))
  await sender.packet('pubrec')
  disk.isFull = true
  const release: Packet = { cmd: 'pubrel', messageId: 5 }
  t.notOk((await refused(sender, release)).includes('pubcomp'))
  const second = await enter(broker, 'sender')
  t.notOk((await refused(second, release)).includes('pubcomp'), 'nor when it asks again')
  disk.isFull = false
  const third = await enter(broker, 'sender')
  third.send({ cmd: 'pubrel', messageId: 5 })
  await third.packet('pubcomp')
  t.same(await rows(disk, 'mqtt-incoming'), [])
})

for (const qos of [1, 2] as const)
  t.test(
    `a retained message of QoS ${qos} that a session was sent comes again after a break`,
    async t => {
      const broker = await start(t, new SimulatedStore())
      const sender = await enter(broker, 'sender')
      sender.send(publish(5, { qos, retain: true }))
      await sender.packet(qos === 1 ? 'puback' : 'pubrec')
      const first = await subscriber(broker, qos)
      const { messageId = 0 } = await first.packet('publish')
      t.match(first.packets.at(-1), { retain: true, dup: false, qos })
      first.socket.destroy()
      await first.closed()
      const second = await enter(broker, 'reader')
      t.match(await second.packet('publish'), { messageId, retain: true, dup: true, qos })
      if (qos === 1) second.send({ cmd: 'puback', messageId })
      else {
        second.send({ cmd: 'pubrec', messageId })
        await second.packet('pubrel')
        second.send({ cmd: 'pubcomp', messageId })
      }
      await until(() => broker.broker.read()?.queued === 0, 'the end of it')
      second.socket.destroy()
      await second.closed()
      const third = await enter(broker, 'reader')
      await settled(third)
      t.same(publishesTo(third), [], 'and not again once it was acknowledged')
    },
  )

t.test('a retained message of QoS 2 is known after a power cut, by its identifier', async t => {
  const disk = new SimulatedStore()
  const broker = await start(t, slow(disk, COMMIT_MS))
  const sender = await enter(broker, 'sender')
  sender.send(publish(5, { retain: true }))
  await sender.packet('pubrec')
  const reader = await subscriber(broker, 2)
  const { messageId = 0 } = await reader.packet('publish')
  disk.cutPower()
  const next = await start(t, disk.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY }), 2)
  const again = await enter(next, 'reader')
  t.match(await again.packet('publish'), { messageId, retain: true, dup: true })
})

t.test('more retained messages than a session may be owed are sent all the same', async t => {
  const broker = await startBroker({
    store: new SimulatedStore(),
    limits: { queuedPerSessionMax: 10, publishesPerSecond: 100_000, retainedMax: 5_000 },
  })
  t.teardown(() => broker.broker.stop())
  const sender = await enter(broker, 'sender')
  const count = 1_200
  for (let n = 1; n <= count; n++)
    sender.send(publish(n, { topic: `lamp-1/${n}`, qos: 1, retain: true }))
  await until(() => sender.packets.filter(({ cmd }) => cmd === 'puback').length === count, 'all')
  const reader = await subscriber(broker, 1, 'lamp-1/#')
  await until(() => publishesTo(reader).length === count, 'all of them')
  t.equal(broker.broker.read()?.queued, 1_000, 'so many of them would come again')
})

t.test('RETAIN is for who subscribes, not for who was subscribed and away (3.3.1-9)', async t => {
  const broker = await start(t, new SimulatedStore())
  const first = await subscriber(broker, 1)
  first.socket.destroy()
  await first.closed()
  const sender = await enter(broker, 'sender')
  sender.send(publish(5, { qos: 1, retain: true }))
  await sender.packet('puback')
  const second = await enter(broker, 'reader')
  t.match(await second.packet('publish'), { retain: false })
})
