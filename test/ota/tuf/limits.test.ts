/** How much a source and a signer can make a box read, and what is beyond that. */
import t from 'tap'
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

t.test('a snapshot with more names than can be remembered is refused', async t => {
  const bench = new TrustBench()
  const { repository } = bench
  t.equal(await bench.outcome(), 'believed')
  const file = { version: 1 }
  const names = Array.from({ length: 100_001 }, (_, index) => [`${index}`, file] as const)
  repository.extra.set('snapshot', { meta: { 'targets.json': file, ...Object.fromEntries(names) } })
  repository.publish('snapshot', 'timestamp')
  t.equal(await bench.outcome(), 'snapshot: too big')
  repository.extra.set('snapshot', {
    meta: Object.fromEntries([['targets.json', file], ...names.slice(2)]),
  })
  repository.publish('snapshot', 'timestamp')
  t.equal(await bench.outcome(), 'believed')
  t.same(
    bench.log.lines.filter(({ event }) => event === 'trust.rotten'),
    [],
    'and read again',
  )
})

t.test('at most 256 roots are taken at once, and the next refresh goes on', async t => {
  const bench = new TrustBench()
  for (let count = 0; count < 260; count++) bench.repository.publish('root')
  const client = await bench.start()
  t.match(await client.refresh(), { versions: { root: 257 } })
  t.match(await client.refresh(), { versions: { root: 261 } })
})
