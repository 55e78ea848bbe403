import t from 'tap'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import type { Change, Store } from '../../../runtime/ports/store.js'
import { RecordsWriter } from '../../../runtime/services/power/records-writer.js'

const put = (key: string, value = 1): Change => ({
  kind: 'put',
  table: 'test',
  key,
  value: Uint8Array.of(value),
})

t.test('what is written is on the disk, also after nothing was written', async t => {
  const store = new SimulatedStore()
  const writer = new RecordsWriter(store, new SimulatedLog())
  await writer.write([])
  await writer.write([put('a')])
  await Promise.all([writer.write([put('b')]), writer.write([put('c')])])
  for (const key of ['a', 'b', 'c']) t.ok(await store.read('test', key), key)
})

t.test(
  'a newer record takes the place of one that still waits, and one commit is under way',
  async t => {
    const store = new SimulatedStore()
    let now = 0
    let most = 0
    const watched: Store = {
      commit: async changes => {
        most = Math.max(most, ++now)
        await store.commit(changes)
        now--
      },
      read: (table, key) => store.read(table, key),
      scan: (table, range) => store.scan(table, range),
    }
    const writer = new RecordsWriter(watched, new SimulatedLog())
    await Promise.all([1, 2, 3, 4].map(value => writer.write([put('a', value)])))
    t.same(await store.read('test', 'a'), Uint8Array.of(4))
    t.equal(most, 1)
  },
)

t.test(
  'a disk that fails is logged once; what waits is bounded, and written when it is well',
  async t => {
    const store = new SimulatedStore()
    const log = new SimulatedLog()
    const writer = new RecordsWriter(store, log)
    store.fault = 'storage.full'
    for (let key = 0; key < 200; key++) await writer.write([put(`k${key}`)])
    t.same(log.events(), ['power.not-kept'])
    store.fault = null
    await writer.write([put('last')])
    t.equal(await store.read('test', 'k0'), null, 'the oldest were dropped')
    t.ok(await store.read('test', 'k199'))
    const rows = await store.scan('test', { from: '', before: null, limit: 1_000 })
    t.equal(rows.length, 64)
  },
)
