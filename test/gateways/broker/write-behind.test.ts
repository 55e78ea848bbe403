import t from 'tap'
import { SimulatedClock, settle } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import { WriteBehind } from '../../../runtime/gateways/broker/write-behind.js'
import type { Change, Store } from '../../../runtime/ports/store.js'

const put = (key: string, value = 'x') =>
  ({ kind: 'put', table: 'x', key, value: Buffer.from(value) }) as const
const remove = (key: string) => ({ kind: 'remove', table: 'x', key }) as const

/** Commits wait until they are let go, and what they held is noted. */
function setUp() {
  const inner = new SimulatedStore()
  const commits: string[] = []
  const gates: (() => void)[] = []
  const store: Store = {
    commit: async (changes: readonly Change[]) => {
      commits.push(changes.map(c => `${c.kind} ${'key' in c ? c.key : ''}`).join(', '))
      await new Promise<void>(resolve => gates.push(resolve))
      await inner.commit(changes)
    },
    read: inner.read.bind(inner),
    scan: inner.scan.bind(inner),
  }
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const log = new SimulatedLog()
  const writes = new WriteBehind(store, clock, log, () => {})
  const letGo = async (): Promise<void> => {
    gates.shift()?.()
    await settle()
  }
  return { inner, clock, log, writes, commits, letGo }
}

t.test('what comes while a commit is under way shares the next one, in order', async t => {
  const { writes, commits, letGo } = setUp()
  writes.append(put('a'))
  writes.append(put('b'))
  writes.append(remove('a'))
  writes.append(put('a', 'again'))
  t.same(commits, ['put a'])
  await letGo()
  t.same(commits, ['put a', 'put b, remove a, put a'])
  await letGo()
})

t.test('synced waits for all that was asked before, and for nothing that came later', async t => {
  const { writes, letGo } = setUp()
  await writes.synced()
  writes.append(put('a'))
  let isSynced = false
  void writes.synced().then(() => {
    isSynced = true
  })
  writes.append(put('b'))
  await settle()
  t.equal(isSynced, false)
  await letGo()
  t.equal(isSynced, true)
  await letGo()
})

t.test('what is appended during a hold is one commit', async t => {
  const { writes, commits, letGo } = setUp()
  writes.hold()
  writes.append(put('message'))
  await settle()
  writes.append(put('queue'))
  t.same(commits, [])
  t.equal(writes.release(), true)
  t.same(commits, ['put message, put queue'])
  writes.hold()
  t.equal(writes.release(), false, 'nothing was appended')
  await letGo()
})

t.test('a lazy change waits for company, and gives way to a later one of the same key', async t => {
  const { writes, commits, clock, letGo } = setUp()
  writes.appendLazily(put('a', 'sent'))
  writes.appendLazily(remove('a'))
  writes.appendLazily(remove('b'))
  writes.append(put('b', 'new'))
  t.same(commits, ['put b'])
  await letGo()
  await clock.advance(1_000)
  t.same(commits, ['put b', 'remove a'])
  await letGo()
})

t.test('a commit that fails is told to who waits, and its removals are tried again', async t => {
  const { writes, commits, inner, log, clock, letGo } = setUp()
  inner.fault = 'storage.full'
  writes.append(put('a'))
  writes.append(remove('b'))
  const told = t.rejects(writes.synced(), { code: 'storage.full' })
  await letGo()
  await letGo()
  await told
  t.match(log.events('error'), ['broker.store-failed', 'broker.store-failed'])
  inner.fault = null
  await clock.advance(1_000)
  t.equal(commits.at(-1), 'remove b')
  await letGo()
  writes.append(put('c'))
  const synced = writes.synced()
  await letGo()
  await synced
  t.same(await inner.read('x', 'c'), Buffer.from('x'))
})

t.test('synced during a hold waits for what is held', async t => {
  const { writes, letGo } = setUp()
  writes.hold()
  writes.append(put('message'))
  let isSynced = false
  void writes.synced().then(() => {
    isSynced = true
  })
  await settle()
  t.equal(isSynced, false)
  writes.release()
  await settle()
  t.equal(isSynced, false)
  await letGo()
  t.equal(isSynced, true)
})

t.test('what nobody sends again is tried again, in its order, behind what is newer', async t => {
  const { writes, commits, inner, clock, letGo } = setUp()
  inner.fault = 'storage.full'
  writes.hold()
  writes.append(put('message'))
  writes.append(put('retained', 'old'))
  writes.append(put('record'))
  writes.release()
  const told = t.rejects(writes.synced(), { code: 'storage.full' })
  await letGo()
  await told
  writes.hold()
  writes.append(put('resent'))
  writes.release(true)
  await letGo()
  await clock.advance(2_000)
  t.equal(commits.at(-1), 'put message, put retained, put record')
  await letGo()
  inner.fault = null
  const caughtUp = writes.caughtUp()
  t.equal(commits.at(-1), 'put message, put retained, put record', 'at once when it matters')
  await letGo()
  await caughtUp
  t.equal(writes.owedBytes, 0)
  const count = commits.length
  await clock.advance(60_000)
  t.equal(commits.length, count, 'and that is all')
  t.equal(await inner.read('x', 'resent'), null)
})

t.test('a little is tried again at a time, and a record never before its message', async t => {
  const { writes, commits, inner, clock, letGo } = setUp()
  const large = 'x'.repeat(400 * 1024)
  inner.fault = 'storage.full'
  writes.hold()
  writes.append(put('message', large), put('retained', large), put('record'))
  writes.release()
  await letGo()
  for (let tries = 0; tries < 3; tries++) {
    await clock.advance(2_000)
    t.equal(commits.at(-1), 'put message')
    await letGo()
  }
  inner.fault = null
  await clock.advance(2_000)
  await letGo()
  t.equal(commits.at(-1), 'put retained, put record', 'at once when the disk is well')
  await letGo()
  t.equal(writes.owedBytes, 0)
})

t.test('a newer change of a key takes the place of one that failed', async t => {
  const { writes, commits, inner, letGo } = setUp()
  inner.fault = 'storage.full'
  writes.append(put('a', 'old'))
  await letGo()
  inner.fault = null
  writes.append(put('a', 'new'))
  await letGo()
  await writes.caughtUp()
  t.same(commits, ['put a', 'put a'])
  t.same(await inner.read('x', 'a'), Buffer.from('new'))
})

t.test('whoever waits for all of it is told of a failure, or waits it out', async t => {
  const { writes, inner, letGo } = setUp()
  inner.fault = 'storage.io'
  writes.append(put('a'))
  await letGo()
  let isRecovered = false
  void writes.recovered().then(() => {
    isRecovered = true
  })
  const told = t.rejects(writes.caughtUp(), { code: 'storage.io' })
  await letGo()
  await told
  t.equal(isRecovered, false)
  inner.fault = null
  writes.append(put('b'))
  await letGo()
  t.equal(isRecovered, false, 'b is there, a is not')
  await letGo()
  t.equal(isRecovered, true)
  t.same(await inner.read('x', 'a'), Buffer.from('x'))
})

t.test(
  'a message of many megabytes that is retained as well is not too large to be kept',
  async t => {
    const { writes, inner, letGo } = setUp()
    const value = 'x'.repeat(10 * 1024 * 1024)
    writes.hold()
    writes.append(put('message', value), put('retained', value))
    writes.release()
    const synced = writes.synced()
    await letGo()
    await letGo()
    await synced
    t.equal((await inner.read('x', 'retained'))?.length, value.length)
  },
)

t.test('a drain writes the lazy changes too', async t => {
  const { writes, commits, letGo } = setUp()
  writes.appendLazily(remove('a'))
  const drained = writes.drain()
  await letGo()
  await drained
  t.same(commits, ['remove a'])
})

t.test('five thousand changes are several commits, and still in order', async t => {
  const { writes, commits, letGo } = setUp()
  writes.hold()
  for (let n = 0; n < 5_000; n++) writes.append(put(`${n}`))
  writes.release()
  await letGo()
  await letGo()
  t.same(
    commits.map(commit => commit.split(', ').length),
    [4_000, 1_000],
  )
})
