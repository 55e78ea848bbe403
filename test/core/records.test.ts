import t from 'tap'
import { SimulatedStore } from '../../drivers/simulated/store.js'
import { BoxError } from '../../runtime/core/errors.js'
import { Records } from '../../runtime/core/records.js'
import { integer, object, string } from '../../runtime/core/schema.js'

const printed = object({ job: string({ max: 20 }), copies: integer({ min: 1, max: 9 }) })

function bench(): { store: SimulatedStore; records: Records<{ job: string; copies: number }> } {
  const store = new SimulatedStore()
  return { store, records: new Records(store, 'printed', printed) }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'ok',
    (error: unknown) => (error instanceof BoxError ? error.code : String(error)),
  )
}

t.test('a record is read back as it was put', async t => {
  const { store, records } = bench()
  await store.commit([records.put('a', { job: 'Beleg – 12 €', copies: 2 })])
  t.same(await records.read('a'), { job: 'Beleg – 12 €', copies: 2 })
  t.equal(await records.read('b'), null)
})

t.test('an insert of a record that is there is a conflict', async t => {
  const { store, records } = bench()
  await store.commit([records.insert('a', { job: 'x', copies: 1 })])
  t.equal(
    await codeOf(store.commit([records.insert('a', { job: 'y', copies: 1 })])),
    'storage.conflict',
  )
  t.same(await records.read('a'), { job: 'x', copies: 1 })
})

t.test('records are scanned in order, removed and cleared', async t => {
  const { store, records } = bench()
  await store.commit(['c', 'a', 'b', 'd'].map(key => records.put(key, { job: key, copies: 1 })))
  const keys = async (): Promise<readonly string[]> =>
    (await records.scan('a', 'd', 10)).map(({ key, record }) => `${key}${record.job}`)
  t.same(await keys(), ['aa', 'bb', 'cc'])
  await store.commit([records.remove('b')])
  t.same(await keys(), ['aa', 'cc'])
  await store.commit([records.clear('b', null)])
  t.same(await keys(), ['aa'])
  t.equal(await records.read('d'), null)
})

t.test('two tables of one store do not meet', async t => {
  const { store, records } = bench()
  const others = new Records(store, 'refused', printed)
  await store.commit([
    records.put('a', { job: 'x', copies: 1 }),
    others.put('a', { job: 'y', copies: 1 }),
  ])
  t.same(await records.read('a'), { job: 'x', copies: 1 })
  t.same(await others.read('a'), { job: 'y', copies: 1 })
})

for (const [what, bytes] of [
  ['no JSON', Buffer.from('{"job":')],
  ['no UTF-8', Uint8Array.of(0xff, 0xfe)],
  ['of another shape', Buffer.from('{"job":"x","copies":0}')],
  ['with a key too many', Buffer.from('{"job":"x","copies":1,"more":1}')],
  ['empty', new Uint8Array()],
] as const)
  t.test(`a record that is ${what} is rotten, and says where it stands`, async t => {
    const { store, records } = bench()
    await store.commit([{ kind: 'put', table: 'printed', key: 'a', value: bytes }])
    t.equal(await codeOf(records.read('a')), 'storage.rotten')
    t.equal(await codeOf(records.scan('', null, 10)), 'storage.rotten')
    t.match(
      await records.read('a').catch((error: unknown) => String(error)),
      'printed/a cannot be read',
    )
  })
