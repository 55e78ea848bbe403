/** What the persistence finds when it starts: whole, torn and forgotten. */
import t from 'tap'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import type { Drop, StorePersistence } from '../../../runtime/gateways/broker/persistence.js'
import { persistenceOn } from './shelf.js'

const subscription = { topic: 'a/#', qos: 1 } as const

const packet = (n: number, brokerId = 'box.0000000001') => ({
  cmd: 'publish',
  topic: 'a/b',
  payload: Buffer.from(`${n}`),
  qos: 1,
  retain: false,
  brokerId,
  brokerCounter: n,
})

async function filled(store: SimulatedStore, count: number): Promise<void> {
  const first = persistenceOn(store)
  await first.setup({ id: 'box.0000000001', counter: 0 })
  await first.addSubscriptions({ id: 'hub' }, [subscription])
  for (let n = 1; n <= count; n++)
    await first.outgoingEnqueueCombi([{ clientId: 'hub' }], packet(n))
  await first.storeRetained({ ...packet(99), topic: 'kept', retain: true })
  await first.putWill({ id: 'hub' }, { topic: 'gone', payload: 'x', qos: 1, retain: false })
  await first.destroy()
}

t.test('everything is read back, in order, by the next boot', async t => {
  const store = new SimulatedStore()
  await filled(store, 30)
  const next = persistenceOn(store)
  await next.setup({ id: 'box.0000000002', counter: 0 })
  t.same(
    (await next.outgoingStream({ id: 'hub' }).toArray()).map(({ payload }) => String(payload)),
    Array.from({ length: 30 }, (_, n) => `${n + 1}`),
  )
  t.match(await next.subscriptionsByTopic('a/b'), [{ clientId: 'hub', topic: 'a/#' }])
  t.equal(next.retained.count, 1)
  t.match(next.willsOfOtherBoots(), [{ topic: 'gone', clientId: 'hub' }])
})

t.test('the same boot number twice does not give one key to two messages', async t => {
  const store = new SimulatedStore()
  await filled(store, 7)
  const again = persistenceOn(store)
  const broker = { id: 'box.0000000001', counter: 0 }
  await again.setup(broker)
  t.equal(broker.counter, 7)
})

t.test(
  'rows that cannot be read are given up one by one, told, and gone at the next start',
  async t => {
    const store = new SimulatedStore()
    await filled(store, 3)
    for (const table of [
      'mqtt-message',
      'mqtt-queue',
      'mqtt-session',
      'mqtt-retained',
      'mqtt-will',
    ]) {
      const [row] = await store.scan(table, { from: '', before: null, limit: 1 })
      await store.commit([
        { kind: 'put', table, key: row?.key ?? '', value: Buffer.from('rotten') },
        { kind: 'put', table, key: '!', value: Buffer.from([0xff]) },
      ])
    }
    const drops: Drop[] = []
    const next = persistenceOn(store, drops)
    await next.setup({ id: 'box.0000000002', counter: 0 })
    t.ok(drops.filter(({ reason }) => reason === 'storage.rotten').length >= 9)
    await next.destroy()
    const later: Drop[] = []
    await persistenceOn(store, later).setup({ id: 'box.0000000003', counter: 0 })
    t.same(later, [])
  },
)

t.test('a message that waits for nobody any more leaves the disk', async t => {
  const store = new SimulatedStore()
  await filled(store, 5)
  const next = persistenceOn(store)
  await next.setup({ id: 'box.0000000002', counter: 0 })
  await next.cleanSubscriptions({ id: 'hub' })
  await next.destroy()
  for (const table of ['mqtt-message', 'mqtt-queue', 'mqtt-session'])
    t.same(await store.scan(table, { from: '', before: null, limit: 10 }), [], table)
})

t.test('a message to two sessions is kept once, until both have it', async t => {
  const store = new SimulatedStore()
  const shelf = persistenceOn(store)
  await shelf.setup({ id: 'box.0000000001', counter: 0 })
  await shelf.outgoingEnqueueCombi(
    [{ clientId: 'a' }, { clientId: 'b' }, { clientId: 'a' }],
    packet(1),
  )
  await shelf.synced()
  const messages = () => store.scan('mqtt-message', { from: '', before: null, limit: 10 })
  t.equal((await messages()).length, 1)
  t.equal(shelf.queue.count, 2)
  for (const id of ['a', 'b']) {
    t.equal((await messages()).length, 1)
    await shelf.outgoingUpdate({ id }, { ...packet(1), messageId: 7 })
    await shelf.outgoingClearMessageId({ id }, { messageId: 7 })
    await shelf.writes.drain()
  }
  t.equal((await messages()).length, 0)
  t.equal(shelf.queue.bytes, 0)
})

const received = (store: SimulatedStore) =>
  store.scan('mqtt-incoming', { from: '', before: null, limit: 10 })

/** A message of QoS 2 that a client published, and has not released. */
async function receive(shelf: StorePersistence, client: { id: string }): Promise<void> {
  const publish = { ...packet(1), qos: 2, messageId: 5 }
  shelf.claimIncoming(client, 5)
  await shelf.incomingStorePacket(client, publish)
  shelf.writeIncoming(publish)
  await shelf.synced()
}

t.test('a session that expires takes the unfinished receipts of its client with it', async t => {
  const store = new SimulatedStore()
  const shelf = persistenceOn(store)
  await shelf.setup({ id: 'box.0000000001', counter: 0 })
  const first = { id: 'desk' }
  shelf.life.open('desk', 'operator', first)
  await receive(shelf, first)
  shelf.life.close('desk', first)
  t.equal((await received(store)).length, 1)
  for (let hour = 0; hour < 2; hour++) shelf.life.age()
  await shelf.writes.drain()
  t.same(await received(store), [])
  t.equal(shelf.claimIncoming({ id: 'desk' }, 5), true, 'the next of that name starts anew')
})

t.test('receipts without a session are dropped at the start', async t => {
  const store = new SimulatedStore()
  const shelf = persistenceOn(store)
  await shelf.setup({ id: 'box.0000000001', counter: 0 })
  await receive(shelf, { id: 'ghost' })
  const next = persistenceOn(store)
  await next.setup({ id: 'box.0000000002', counter: 0 })
  t.equal(next.claimIncoming({ id: 'ghost' }, 5), true)
  await next.writes.drain()
  t.same(await received(store), [])
})

t.test('a receipt that was cleared while its message was on its way is not written', async t => {
  const store = new SimulatedStore()
  const shelf = persistenceOn(store)
  await shelf.setup({ id: 'box.0000000001', counter: 0 })
  const publish = { ...packet(1), qos: 2, messageId: 5 }
  await shelf.incomingStorePacket({ id: 'desk' }, publish)
  shelf.forget('desk')
  shelf.writeIncoming(publish)
  await shelf.writes.drain()
  t.same(await received(store), [])
})
