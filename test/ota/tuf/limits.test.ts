/** How much a source and a signer can make a box read, and what is beyond that. */
import t from 'tap'
import {
  checkFloors,
  NO_FLOORS,
  requireRememberable,
  withSnapshot,
} from '../../../ota/tuf/floors.js'
import type { Document, SnapshotBody } from '../../../ota/tuf/metadata.js'
import { TrustBench } from './trust-bench.js'

t.test('more bytes than were described, or than anybody needs, are too big', async t => {
  for (const role of ['2.root', 'timestamp', '1.snapshot', '1.targets']) {
    const bench = new TrustBench()
    bench.repository.files.set(`metadata/${role}.json`, Buffer.alloc(6_000_000))
    t.match(await bench.outcome(), /too big/, role)
  }
})

t.test('what was described may be larger than what was not, up to a limit', async t => {
  for (const [role, byteCount, word] of [
    ['snapshot', 3_000_000, 'believed'],
    ['targets', 6_000_000, 'believed'],
    ['snapshot', 9_000_000, 'snapshot: too big'],
  ] as const) {
    const bench = new TrustBench()
    bench.repository.extra.set(role, { padding: 'x'.repeat(byteCount) })
    bench.repository.publish('targets', 'snapshot', 'timestamp')
    t.equal(await bench.outcome(), word, `${role} ${byteCount}`)
    bench.repository.hasHashes = false
    bench.repository.publish('targets', 'snapshot', 'timestamp')
    t.equal(await bench.outcome(), `${role}: too big`, 'not described')
  }
})

t.test('what a snapshot names can be remembered and read again, or is refused', async t => {
  const described = { version: 1, length: null, hashes: null }
  const snapshotOf = (count: number): Document<SnapshotBody> => {
    const names = Array.from({ length: count }, (_, index) => [`${index}`, described] as const)
    const frame = { bytes: Buffer.of(), signed: Buffer.of(), signatures: new Map(), expiresMs: 0 }
    return { ...frame, version: 1, body: { files: new Map(names) } }
  }
  const [most, oneMore] = [snapshotOf(100_000), snapshotOf(100_001)]
  requireRememberable(most)
  const floors = withSnapshot(NO_FLOORS, most)
  t.equal(Object.keys(checkFloors(floors).files).length, 100_000)
  t.throws(() => requireRememberable(oneMore), /names more than 100000/)
  t.throws(() => checkFloors(withSnapshot(NO_FLOORS, oneMore)), /at most 100000 entries/)
})

t.test('a snapshot that cannot be remembered is not believed', async t => {
  const bench = new TrustBench()
  const names = Array.from({ length: 100_001 }, (_, index) => [`${index}`, { version: 1 }] as const)
  bench.repository.extra.set('snapshot', { meta: Object.fromEntries(names) })
  bench.repository.publish('snapshot', 'timestamp')
  t.equal(await bench.outcome(), 'snapshot: too big')
})

t.test('at most 256 roots are taken at once, and the next refresh goes on', async t => {
  const bench = new TrustBench()
  for (let count = 0; count < 260; count++) bench.repository.publish('root')
  const client = await bench.start()
  t.match(await client.refresh(), { versions: { root: 257 } })
  t.match(await client.refresh(), { versions: { root: 261 } })
})
