import t, { type Test } from 'tap'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { client, hastened, startBroker, type TestBroker, until, users } from './harness.js'
import { persistenceOn } from './shelf.js'

const will = { topic: 'lamp-1/gone', payload: Buffer.from('x'), qos: 1, retain: true } as const

const rows = (store: SimulatedStore) =>
  store.scan('mqtt-will', { from: '', before: null, limit: 10 })

async function untilNone(store: SimulatedStore): Promise<void> {
  let isNone = false
  const look = async (): Promise<void> => {
    isNone = (await rows(store)).length === 0
  }
  await until(() => {
    void look()
    return isNone
  }, 'the wills to be gone')
}

async function start(t: Test, store: SimulatedStore): Promise<TestBroker> {
  const broker = await startBroker({ store })
  t.teardown(() => broker.broker.stop())
  return broker
}

t.test('who takes over from a connection that is dead has a will on disk of its own', async t => {
  const store = new SimulatedStore()
  const { port, broker } = await start(t, store)
  await client(port, users.driver, { clientId: 'lamp', will })
  const second = await client(port, users.driver, { clientId: 'lamp', will })
  await until(() => broker.read()?.connected === 1, 'the first to be gone')
  // A later will shares the lazy round in which the first one's would leave.
  await new Promise(resolve => setTimeout(resolve, 400))
  t.equal((await rows(store)).length, 1)
  await second.end()
  await untilNone(store)
  t.same(await rows(store), [], 'and it goes with its own connection')
})

t.test('who takes over without a will leaves none behind', async t => {
  const store = new SimulatedStore()
  const { port, broker } = await start(t, store)
  await client(port, users.driver, { clientId: 'lamp', will })
  await client(port, users.driver, { clientId: 'lamp' })
  await until(() => broker.read()?.connected === 1, 'the first to be gone')
  await untilNone(store)
  t.same(await rows(store), [])
})

t.test('a will of a former life is published, and does not take a new one with it', async t => {
  const store = new SimulatedStore()
  const former = persistenceOn(store)
  await former.setup({ id: 'box.0000000000', counter: 0 })
  await former.putWill({ id: 'lamp' }, { ...will })
  await former.destroy()
  const { port } = await startBroker({ store, clock: hastened(100) })
  const viewer = await client(port, users.driver)
  await viewer.subscribe('lamp-1/#')
  await viewer.received(1)
  await client(port, users.driver, { clientId: 'lamp', will })
  await new Promise(resolve => setTimeout(resolve, 400))
  t.equal((await rows(store)).length, 1)
})

t.test(
  'who has a will is let in by a box whose card takes nothing, which keeps it later',
  async t => {
    const store = new SimulatedStore()
    const { port } = await startBroker({ store, clock: hastened(100) })
    const viewer = await client(port, users.driver)
    await viewer.subscribe('lamp-1/#')
    store.fault = 'storage.io'
    const lamp = await client(port, users.driver, { clientId: 'lamp', will })
    t.same(await rows(store), [])
    await client(port, users.driver, { clientId: 'lamp-2', will })
    await lamp.drop()
    await viewer.received(1)
    store.fault = null
    let kept = 0
    const look = async (): Promise<void> => {
      kept = (await rows(store)).length
    }
    await until(() => {
      void look()
      return kept === 1
    }, 'the will that stands to be kept')
  },
)

t.test(
  'a will is removed by the connection that asked for it, or when that has closed',
  async t => {
    const store = new SimulatedStore()
    const shelf = persistenceOn(store)
    await shelf.setup({ id: 'box.0000000001', counter: 0 })
    const first = { id: 'lamp', closed: false }
    const second = { id: 'lamp', closed: false }
    await shelf.putWill(first, { ...will })
    await shelf.delWill(second)
    t.ok(await shelf.getWill(first), 'the first is still there: it is told when it closes')
    await shelf.putWill(second, { ...will })
    first.closed = true
    // What aedes says of a connection that has closed: its name and no more.
    await shelf.delWill({ id: 'lamp' })
    t.ok(await shelf.getWill(second))
    second.closed = true
    await shelf.delWill({ id: 'lamp' })
    t.notOk(await shelf.getWill(second))
  },
)

t.test('a will knows whose it is after a restart', async t => {
  const store = new SimulatedStore()
  const shelf = persistenceOn(store, [], 10, () => 'operator')
  await shelf.setup({ id: 'box.0000000001', counter: 0 })
  await shelf.putWill({ id: 'phone-7' }, { ...will })
  await shelf.destroy()
  const next = persistenceOn(store)
  await next.setup({ id: 'box.0000000002', counter: 0 })
  t.match(next.willsOfOtherBoots(), [{ clientId: 'phone-7', owner: 'operator' }])
})
