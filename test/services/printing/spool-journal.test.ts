/** The spool's journal: steps share commits, and one that meets its key takes no other with it. */
import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import type { TicketDocument } from '../../../runtime/core/ticket-document.js'
import type { Change, Store } from '../../../runtime/ports/store.js'
import type { Job } from '../../../runtime/services/printing/job.js'
import { newLedger } from '../../../runtime/services/printing/ledger.js'
import { SpoolJournal } from '../../../runtime/services/printing/spool-journal.js'
import { type Entry, SpoolTables } from '../../../runtime/services/printing/spool-tables.js'

const jobOf = (changes: Partial<Job>): Job => ({
  sequence: 1,
  id: 'a',
  printer: 'counter',
  kind: 'receipt',
  serial: 'ABC-1',
  origin: 'test',
  state: 'queued',
  expiresAtWallMs: null,
  expiresAfterMs: null,
  askedWallMs: 0,
  wallMs: 0,
  reprint: 0,
  retries: 0,
  sentBytes: 0,
  totalBytes: null,
  millimetres: null,
  code: null,
  message: null,
  decisions: [],
  ...changes,
})

interface Bench {
  readonly disk: SimulatedStore
  readonly tables: SpoolTables
  readonly journal: SpoolJournal
  /** The changes of each commit. */
  readonly commits: (readonly Change[])[]
}

function bench(): Bench {
  const disk = new SimulatedStore()
  const commits: (readonly Change[])[] = []
  const store: Store = {
    commit: changes => {
      commits.push(changes)
      return disk.commit(changes)
    },
    read: (table, key) => disk.read(table, key),
    scan: (table, range) => disk.scan(table, range),
  }
  const tables = new SpoolTables(store)
  return { disk, tables, commits, journal: new SpoolJournal(store, tables, newLedger('AA', 1)) }
}

const insert = (key: string, byteCount = 1): Entry => ({
  changes: [{ kind: 'insert', table: 'print-keys', key, value: new Uint8Array(byteCount) }],
  effects: [{ kind: 'moved', printer: 'counter', from: 'sending', to: 'confirmed' }],
})

const codeOf = (end: PromiseSettledResult<void>): string =>
  end.status === 'fulfilled' ? 'kept' : end.reason.code

t.test(
  'steps that come together share a commit, and those that come meanwhile the next',
  async t => {
    const { journal, commits } = bench()
    const first = Array.from({ length: 50 }, (_, index) => journal.commit(insert(`a-${index}`)))
    await Promise.resolve()
    await Promise.resolve()
    const second = Array.from({ length: 50 }, (_, index) => journal.commit(insert(`b-${index}`)))
    await Promise.all([...first, ...second])
    t.equal(commits.length, 2)
    t.equal(journal.ledger.printers.get('counter')?.confirmed, 100)
  },
)

t.test('one that meets its key is refused alone, and counted nowhere', async t => {
  const { journal, tables } = bench()
  await journal.commit(insert('taken'))
  const ends = await Promise.allSettled(
    ['x', 'taken', 'y', 'z', 'y'].map(key => journal.commit(insert(key))),
  )
  t.same(ends.map(codeOf), ['kept', 'storage.conflict', 'kept', 'kept', 'storage.conflict'])
  t.equal(journal.ledger.printers.get('counter')?.confirmed, 4)
  t.equal(await tables.has({ table: 'print-keys', key: 'z' }), true)
})

t.test('a key, a serial and a decision are there once: the tables refuse a second one', async t => {
  const { journal, tables } = bench()
  const first = jobOf({ sequence: 1, id: 'a', serial: 'ABC-1' })
  const document: TicketDocument = { blocks: [{ kind: 'rule', line: 'single' }] }
  await journal.commit(tables.accepted(first, document, 'x'))
  for (const other of [
    { id: 'a', serial: 'ABC-2' },
    { id: 'b', serial: 'ABC-1' },
  ]) {
    const entry = tables.accepted(jobOf({ sequence: 2, ...other }), document, 'x')
    await t.rejects(journal.commit(entry), { code: 'storage.conflict' })
  }
  const made = { id: 'd', decision: 'confirm', origin: 'ada', wallMs: 0 } as const
  const confirmed: Job = { ...first, state: 'confirmed', decisions: [made] }
  await journal.commit(tables.moved(first, confirmed))
  await t.rejects(journal.commit(tables.moved(first, confirmed)), { code: 'storage.conflict' })
  t.equal(journal.ledger.printers.get('counter')?.confirmed, 1)
})

t.test('when the disk fails all are refused, and the next ones are taken', async t => {
  const { journal, disk } = bench()
  disk.fault = 'storage.full'
  const ends = await Promise.allSettled([journal.commit(insert('x')), journal.commit(insert('y'))])
  t.same(ends.map(codeOf), ['storage.full', 'storage.full'])
  t.equal(journal.ledger.printers.size, 0)
  disk.fault = null
  await journal.commit(insert('x'))
  t.equal(journal.ledger.printers.get('counter')?.confirmed, 1)
})

t.test('commits stay below what a store takes', async t => {
  const { journal, commits } = bench()
  const large = Array.from({ length: 40 }, (_, index) =>
    journal.commit(insert(`l-${index}`, 300_000)),
  )
  const many = Array.from({ length: 3_000 }, (_, index) => journal.commit(insert(`m-${index}`)))
  await Promise.all([...large, ...many])
  t.ok(commits.every(changes => changes.length <= 4096))
  t.ok(commits.length < 20)
})

t.test('what waits for the disk is bounded', async t => {
  const { journal } = bench()
  const ends = await Promise.allSettled(
    Array.from({ length: 5_000 }, (_, index) => journal.commit(insert(`k-${index}`))),
  )
  t.equal(ends.filter(end => codeOf(end) === 'storage.limit').length, 5_000 - 4_096)
  t.equal(ends.filter(end => codeOf(end) === 'kept').length, 4_096)
})

t.test('so are its bytes', async t => {
  const { journal } = bench()
  const ends = await Promise.allSettled(
    Array.from({ length: 40 }, (_, index) => journal.commit(insert(`k-${index}`, 1_000_000))),
  )
  t.equal(ends.filter(end => codeOf(end) === 'kept').length, 33)
  t.equal(ends.filter(end => codeOf(end) === 'storage.limit').length, 7)
  await journal.commit(insert('after', 1_000_000))
})

t.test('what was resolved is there after a power cut at any call', async t => {
  let unresolved = 0
  for (let calls = 1; calls <= 12; calls++) {
    const disk = new SimulatedStore(() => 0.5)
    const store = disk.boot({ callsUntilPowerCut: calls })
    const tables = new SpoolTables(store)
    const journal = new SpoolJournal(store, tables, newLedger('AA', 1))
    const kept: string[] = []
    const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
    for (let count = 0; count < 8; count++) {
      const key = `k-${count}`
      void journal.commit(insert(key)).then(() => kept.push(key))
      await clock.advance(1)
    }
    const after = new SpoolTables(disk.boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY }))
    for (const key of kept) t.ok(await after.has({ table: 'print-keys', key }))
    const [row] = await after.readPrinters()
    t.ok((row?.confirmed ?? 0) >= kept.length, 'and the numbers with it')
    unresolved += 8 - kept.length
  }
  t.ok(unresolved > 20)
})
