/** Who speaks for a target: the walk of TUF 1.0, section 5.6.7. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { ROLES_VISITED_MAX } from '../../../ota/tuf/search.js'
import { TestKey } from './test-repository.js'
import { TrustBench, wordOf } from './trust-bench.js'

const hashOf = (path: string): string => createHash('sha256').update(path).digest('hex')

async function found(bench: TrustBench, path: string): Promise<readonly string[] | string> {
  const client = await bench.start()
  const outcome = wordOf(await client.refresh())
  if (outcome !== 'believed') return outcome
  const finding = await client.find(path)
  if (finding.kind === 'refused') return `${finding.role}: ${finding.reason}`
  if (finding.kind === 'not there') return ['-', ...finding.roles]
  return finding.kind === 'found' ? finding.target.roles : finding.kind
}

const publishAll = ({ repository }: TrustBench): void => {
  const below = [...repository.roles.keys()].filter(role => role !== 'targets')
  repository.publish(...below.reverse(), 'targets', 'snapshot', 'timestamp')
}

t.test('roles are asked in the order they are named, numbers and all', async t => {
  const bench = new TrustBench()
  for (const name of ['b', '10', '9', '__proto__', 'a'])
    bench.repository.delegate('targets', { name, keys: [new TestKey()], paths: ['*'] })
  bench.repository.delegate('10', { name: 'below 10', keys: [new TestKey()], paths: ['x'] })
  bench.repository.addTarget('a', 'x', 'text')
  publishAll(bench)
  t.same(await found(bench, 'x'), ['targets', 'b', '10', 'below 10', '9', '__proto__', 'a'])
  t.same(await found(bench, 'y'), ['-', 'targets', 'b', '10', '9', '__proto__', 'a'])
})

t.test('after a terminating delegation nobody else is asked', async t => {
  const bench = new TrustBench()
  const { repository } = bench
  repository.delegate('targets', { name: 'a', keys: [new TestKey()], paths: ['*'] })
  repository.delegate('targets', { name: 'b', keys: [new TestKey()], paths: ['*'] })
  repository.delegate('a', { name: 'c', keys: [new TestKey()], paths: ['x'], terminating: true })
  repository.delegate('a', { name: 'd', keys: [new TestKey()], paths: ['*'] })
  repository.addTarget('b', 'x', 'text')
  repository.addTarget('b', 'y', 'text')
  publishAll(bench)
  t.same(await found(bench, 'x'), ['-', 'targets', 'a', 'c'])
  t.same(await found(bench, 'y'), ['targets', 'a', 'd', 'b'])
})

t.test('a role speaks only of paths that it was given', async t => {
  const bench = new TrustBench()
  bench.repository.delegate('targets', {
    name: 'a',
    keys: [new TestKey()],
    paths: ['releases/*/*'],
  })
  for (const path of ['releases/arm64/1.json', 'tours/x', 'releases/1.json'])
    bench.repository.addTarget('a', path, 'text')
  publishAll(bench)
  t.same(await found(bench, 'releases/arm64/1.json'), ['targets', 'a'])
  t.same(await found(bench, 'tours/x'), ['-', 'targets'])
  t.same(await found(bench, 'releases/1.json'), ['-', 'targets'])
})

t.test('hash bins are found by the first digits of the hash of the path', async t => {
  const bench = new TrustBench()
  const { repository } = bench
  const bins = '0123456789abcdef'
  for (const digit of bins)
    repository.delegate('targets', {
      name: `bin-${digit}`,
      keys: [new TestKey()],
      path_hash_prefixes: [digit],
      terminating: true,
    })
  const paths = Array.from({ length: 20 }, (_, index) => `file ${index}`)
  for (const path of paths) repository.addTarget(`bin-${hashOf(path)[0]}`, path, 'text')
  publishAll(bench)
  for (const path of paths)
    t.same(await found(bench, path), ['targets', `bin-${hashOf(path)[0]}`], path)
})

t.test('succinct hash bins (TAP 15) have their numbers in their names', async t => {
  for (const bits of [1, 3, 4, 8, 10, 32]) {
    const bench = new TrustBench()
    const { repository } = bench
    const key = new TestKey()
    const number = Math.floor(Number.parseInt(hashOf('x').slice(0, 8), 16) / 2 ** (32 - bits))
    const digits = (2 ** bits - 1).toString(16).length
    const name = `bin-${number.toString(16).padStart(digits, '0')}`
    repository.roles.set(name, { targets: {}, delegations: [] })
    repository.signers.set(name, [key])
    repository.addTarget(name, 'x', 'text')
    const succinct = { keyids: [key.id], threshold: 1, bit_length: bits, name_prefix: 'bin' }
    const delegations = { keys: { [key.id]: key.json }, succinct_roles: succinct }
    repository.extra.set('targets', { delegations })
    publishAll(bench)
    t.same(await found(bench, 'x'), ['targets', name])
  }
})

t.test('one role below two others must be good for each that asks', async t => {
  const bench = new TrustBench()
  const { repository } = bench
  const [one, other] = [new TestKey(), new TestKey()]
  repository.delegate('targets', { name: 'left', keys: [new TestKey()], paths: ['left/*'] })
  repository.delegate('targets', { name: 'right', keys: [new TestKey()], paths: ['right/*'] })
  repository.delegate('left', { name: 'both', keys: [one], paths: ['left/*'] })
  repository.delegate('right', { name: 'both', keys: [other], paths: ['right/*'] })
  repository.signers.set('both', [one])
  repository.addTarget('both', 'left/x', 'text')
  repository.addTarget('both', 'right/x', 'text')
  publishAll(bench)
  const client = await bench.start()
  await client.refresh()
  t.equal((await client.find('left/x')).kind, 'found')
  t.match(await client.find('right/x'), { kind: 'refused', reason: 'not signed as required' })
  t.equal((await client.find('left/x')).kind, 'found', 'what was kept for one is still good for it')
})

t.test('a kept role is not asked for again, and one that rots is', async t => {
  const bench = new TrustBench()
  const { repository } = bench
  repository.delegate('targets', { name: 'a/../b', keys: [new TestKey()], paths: ['*'] })
  repository.delegate('targets', { name: 'ä'.repeat(300), keys: [new TestKey()], paths: ['*'] })
  publishAll(bench)
  await found(bench, 'x')
  repository.requests.length = 0
  await found(bench, 'x')
  t.same(repository.requests, ['2.root.json', 'timestamp.json'])
  await bench.files.replace('a%2F..%2Fb.json', Buffer.from('rotten'))
  repository.requests.length = 0
  await found(bench, 'x')
  t.same(repository.requests, ['2.root.json', 'timestamp.json', '1.a%2F..%2Fb.json'])
})

t.test('a role that is missing, over, forged or not in the snapshot ends the search', async t => {
  const make = (): TrustBench => {
    const bench = new TrustBench()
    bench.repository.delegate('targets', { name: 'a', keys: [new TestKey()], paths: ['*'] })
    bench.repository.delegate('targets', { name: 'b', keys: [new TestKey()], paths: ['*'] })
    bench.repository.addTarget('b', 'x', 'text')
    return bench
  }
  const missing = make()
  publishAll(missing)
  missing.repository.files.delete('metadata/1.a.json')
  t.equal(await found(missing, 'x'), 'a: missing')
  const over = make()
  over.repository.expires.set('a', '2026-12-31T00:00:00Z')
  publishAll(over)
  t.equal(await found(over, 'x'), 'a: expired')
  const forged = make()
  forged.repository.signers.set('a', [new TestKey()])
  publishAll(forged)
  t.equal(await found(forged, 'x'), 'a: not signed as required')
  const unnamed = make()
  unnamed.repository.publish('b', 'targets', 'snapshot', 'timestamp')
  t.equal(await found(unnamed, 'x'), 'a: missing')
  const mixed = make()
  publishAll(mixed)
  mixed.repository.expires.set('a', '2031-01-01T00:00:00Z')
  mixed.repository.write('a')
  t.equal(await found(mixed, 'x'), 'a: altered')
})

t.test('a walk ends: cycles, and more roles than anybody needs', async t => {
  const bench = new TrustBench()
  const { repository } = bench
  const [a, b] = [new TestKey(), new TestKey()]
  repository.delegate('targets', { name: 'a', keys: [a], paths: ['*'] })
  repository.delegate('a', { name: 'b', keys: [b], paths: ['*'] })
  repository.delegate('b', { name: 'a', keys: [a], paths: ['*'] })
  publishAll(bench)
  t.same(await found(bench, 'x'), ['-', 'targets', 'a', 'b'])
  for (let index = 0; index < 200; index++)
    repository.delegate('targets', { name: `r${index}`, keys: [a], paths: ['*'] })
  publishAll(bench)
  const roles = await found(bench, 'x')
  t.equal(roles.length, 1 + ROLES_VISITED_MAX)
})

t.test('a chain of 32 delegations is followed to its end, as by other clients', async t => {
  const bench = new TrustBench()
  const names = ['targets', ...Array.from({ length: 33 }, (_, index) => `r${index + 1}`)]
  const key = new TestKey()
  for (const [index, name] of names.slice(1).entries())
    bench.repository.delegate(names[index] ?? '', { name, keys: [key], paths: ['*'] })
  bench.repository.addTarget('r32', 'x', 'text')
  bench.repository.addTarget('r33', 'y', 'text')
  publishAll(bench)
  t.equal((await found(bench, 'x')).at(-1), 'r32')
  t.equal((await found(bench, 'y'))[0], '-')
})
