import t from 'tap'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { SpoolTables, sequenceKey } from '../../../runtime/services/printing/spool-tables.js'
import { Rig } from './rig.js'

const rotten = (sequence: number) => ({
  kind: 'put' as const,
  table: 'print-jobs',
  key: sequenceKey(sequence),
  value: Uint8Array.of(0xff),
})

t.test('a row that cannot be read keeps its number, and its place on a page', async t => {
  const store = new SimulatedStore()
  const tables = new SpoolTables(store)
  t.equal(await tables.afterLast(), 1)
  await store.commit([rotten(3), rotten(7)])
  t.equal(await tables.afterLast(), 8)
  t.same(await tables.jobPage(0, 2), { jobs: [], next: 8 }, 'there may be more behind it')
  t.same(await tables.jobPage(0, 3), { jobs: [], next: null })
  t.same(await tables.jobPage(8, 2), { jobs: [], next: null })
})

t.test('a key whose row is another ticket’s gives nobody that ticket', async t => {
  const rig = new Rig()
  await rig.start()
  for (const id of ['a', 'b']) await rig.asked({ id })
  await rig.clock.advance(5_000)
  const other = await rig.disk.read('print-jobs', sequenceKey(2))
  if (other === null) throw new Error('the second ticket is there')
  await rig.disk.commit([{ kind: 'put', table: 'print-jobs', key: sequenceKey(1), value: other }])
  t.match(await rig.asked({ id: 'a' }), { isAccepted: false, job: null, code: 'storage.rotten' })
})

t.test('rows that cannot be read do not end the looks at those behind them', async t => {
  const rig = new Rig({ options: { keptMax: 100 } })
  await rig.start()
  for (let count = 0; count < 300; count++) {
    rig.ask()
    await rig.clock.advance(100)
  }
  await rig.clock.advance(1_000)
  const before = await rig.printing.jobs({ printer: null, state: null, before: null, limit: 200 })
  const last = before.jobs.at(-1)?.sequence ?? 0
  await rig.disk.commit([rotten(last + 1)])
  await rig.clock.advance(200_000)
  const { jobs } = await rig.printing.jobs({ printer: null, state: null, before: null, limit: 200 })
  t.ok(jobs.length <= 101, `${jobs.length} are left`)
})
