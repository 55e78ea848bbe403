/** The store with its thread, as the box uses it. What the database does is proven in sqlite-engine.test.ts. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { SqliteStore } from '../../../drivers/linux/sqlite.js'
import { SqliteEngine } from '../../../drivers/linux/sqlite-engine.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { ConfigError } from '../../../runtime/core/errors.js'
import { insert, keys, put, rejectsWith } from '../../ports/store.contract.js'

t.test('what was asked before close is done; later is refused; and it closes twice', async t => {
  const folder = t.testdir()
  const path = join(folder, 'box.db')
  const store = new SqliteStore(path, new SimulatedLog())
  await rejectsWith(t, store.commit([put('early', 1)]), 'storage.io')
  t.same(await store.open(), { rottenPath: null, trouble: null })
  const commits = Array.from({ length: 300 }, (_, at) => store.commit([insert(`k${at}`, at)]))
  const closed = Promise.all([store.close(), store.close()])
  await rejectsWith(t, store.read('t', 'k0'), 'storage.io')
  await Promise.all(commits)
  await closed
  t.same(readdirSync(folder), ['box.db'], 'no log is left beside it')
  const engine = new SqliteEngine(path, { fileBytesMax: 2 ** 30 })
  engine.open()
  t.equal(countOf(engine), 300)
  engine.close()
})

t.test('at most 1024 commits and 64 MiB wait; more is refused, and none is lost', async t => {
  const store = new SqliteStore(join(t.testdir(), 'box.db'), new SimulatedLog())
  await store.open()
  t.teardown(() => store.close())
  const many = Array.from({ length: 1100 }, (_, at) => store.commit([put(`k${at}`, 1)]))
  const results = await Promise.allSettled(many)
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1024)
  t.equal((await keys(store)).length, 1024)
  const large = new Uint8Array(13 * 1024 * 1024)
  const heavy = Array.from({ length: 5 }, (_, at) => store.commit([put(`l${at}`, large)]))
  await rejectsWith(t, heavy[4] ?? Promise.resolve(), 'storage.limit')
  await Promise.all(heavy.slice(0, 4))
  await store.commit([put('l5', large)])
})

t.test('a rotten database is told to the caller and to the log', async t => {
  const path = join(t.testdir({ 'box.db': 'rotten '.repeat(1000) }), 'box.db')
  const log = new SimulatedLog()
  const store = new SqliteStore(path, log)
  t.same(await store.open(), { rottenPath: `${path}.rotten-1`, trouble: null })
  t.same(log.lines, [
    { level: 'error', event: 'store.rotten', facts: { path, rottenPath: `${path}.rotten-1` } },
  ])
  await store.commit([put('a', 1)])
  await store.close()
})

t.test('a store that cannot be opened says why, and refuses from then on', async t => {
  const folder = t.testdir({ file: '' })
  const store = new SqliteStore(join(folder, 'file', 'box.db'), new SimulatedLog())
  await rejectsWith(t, store.open(), 'storage.io')
  await rejectsWith(t, store.commit([put('a', 1)]), 'storage.io')
  await store.close()
})

/** A thread that opens a store and then only waits. */
const IDLE = `
  const { parentPort } = require('node:worker_threads')
  parentPort.on('message', () => process.exit(7))
  parentPort.postMessage({ kind: 'opened', rottenPath: null, trouble: null })
`

t.test('a thread that dies under way is a bug, and no reason to go on without a store', async t => {
  const workers: Worker[] = []
  const start = (): Worker => {
    const worker = new Worker(IDLE, { eval: true })
    workers.push(worker)
    return worker
  }
  const store = new SqliteStore('unused', new SimulatedLog(), undefined, start)
  await store.open()
  const [worker] = workers
  if (!worker) throw new Error('it was started')
  // As Node tells of it: nobody catches what a listener throws, so the process stops.
  t.throws(() => worker.emit('error', new Error('out of memory')), /out of memory/)
  t.throws(() => worker.emit('exit', 1), /ended with 1/)
  worker.removeAllListeners('exit')
  await worker.terminate()
})

t.test('a store that a newer runtime wrote is a ConfigError', async t => {
  const path = join(t.testdir(), 'box.db')
  const engine = new SqliteEngine(path, { fileBytesMax: 2 ** 30 })
  engine.open()
  engine.close()
  const bytes = readFileSync(path)
  // The file format's "user version": 4 bytes, big end first, at offset 60.
  bytes.writeUInt32BE(2, 60)
  writeFileSync(path, bytes)
  const store = new SqliteStore(path, new SimulatedLog())
  const thrown = await store.open().catch((error: unknown) => error)
  t.ok(thrown instanceof ConfigError, String(thrown))
  await store.close()
})

const countOf = (engine: SqliteEngine): number => scanned(engine).length

function scanned(engine: SqliteEngine): readonly string[] {
  const [answer] = engine.run([
    { kind: 'scan', table: 't', from: new Uint8Array(), before: null, limit: 10_000 },
  ])
  return answer?.kind === 'rows' ? answer.rows.map(({ key }) => key) : []
}
