/**
 * What the client believes, step by step of TUF 1.0, section 5. The suite that nobody here wrote, tuf-conformance, runs
 * against ota/tuf-client.ts; here stands what it does not ask.
 */
import t from 'tap'
import { BoxError } from '../../../runtime/core/errors.js'
import { TestKey } from './test-repository.js'
import { day, TrustBench, wordOf } from './trust-bench.js'

t.test('a first refresh asks for each role once, and a second for what may be new', async t => {
  const bench = new TrustBench()
  const client = await bench.start()
  t.match(await client.refresh(), {
    kind: 'believed',
    versions: { root: 1, timestamp: 1, snapshot: 1, targets: 1 },
  })
  t.same(bench.repository.requests, [
    '2.root.json',
    'timestamp.json',
    '1.snapshot.json',
    '1.targets.json',
  ])
  bench.repository.requests.length = 0
  t.equal(await bench.outcome(), 'believed')
  t.same(bench.repository.requests, ['2.root.json', 'timestamp.json'])
})

t.test('nothing is written when nothing is new', async t => {
  const bench = new TrustBench()
  await bench.outcome()
  const { files } = bench
  const written: string[] = []
  bench.files = {
    read: name => files.read(name),
    remove: name => files.remove(name),
    replace: async (name, bytes) => {
      written.push(name)
      await files.replace(name, bytes)
    },
  }
  t.equal(await bench.outcome(), 'believed')
  t.same(written, [])
})

t.test('each role must be signed by those who may', async t => {
  for (const role of ['root', 'timestamp', 'snapshot', 'targets']) {
    const bench = new TrustBench()
    bench.repository.signers.set(role, [new TestKey()])
    bench.repository.publish('root', 'targets', 'snapshot', 'timestamp')
    t.equal(await bench.outcome(), `${role}: not signed as required`)
  }
})

t.test('one key counts once, whatever it is called', async t => {
  const bench = new TrustBench()
  const { repository } = bench
  const key = repository.trusted.timestamp.keys[0] ?? new TestKey()
  const alias = Object.assign(Object.create(key), {
    id: 'the same by another name',
    sign: (bytes: Uint8Array) => key.sign(bytes),
    json: { ...key.json, keyval: { public: key.json.keyval.public.toUpperCase() } },
  })
  repository.trusted.timestamp = { keys: [key, alias], threshold: 2 }
  repository.publish('root', 'timestamp')
  t.equal(await bench.outcome(), 'timestamp: not signed as required')
  repository.trusted.timestamp.keys.push(new TestKey())
  repository.publish('root', 'timestamp')
  t.equal(await bench.outcome(), 'believed')
})

t.test('an older version is refused, of every role, after a restart too', async t => {
  for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
    const bench = new TrustBench()
    const { repository } = bench
    repository.publish('targets', 'snapshot', 'timestamp')
    t.equal(await bench.outcome(), 'believed')
    repository.versions.set(role, 1)
    repository.write(role)
    if (role === 'targets') repository.publish('snapshot')
    if (role !== 'timestamp') repository.publish('timestamp')
    t.equal(await bench.outcome(), `${role === 'targets' ? 'targets.json' : role}: older than seen`)
  }
})

t.test('versions seen outlive the metadata that said them', async t => {
  for (const lost of [['timestamp.json'], ['snapshot.json'], ['timestamp.json', 'snapshot.json']]) {
    const bench = new TrustBench()
    const { repository } = bench
    for (let count = 0; count < 4; count++) repository.publish('targets', 'snapshot', 'timestamp')
    t.equal(await bench.outcome(), 'believed')
    for (const name of lost) await bench.files.replace(name, Buffer.from('rotten'))
    for (const role of ['targets', 'snapshot', 'timestamp']) repository.versions.set(role, 2)
    for (const role of ['targets', 'snapshot', 'timestamp']) repository.write(role)
    t.equal(await bench.outcome(), 'timestamp: older than seen', lost.join())
    repository.versions.set('timestamp', 9)
    repository.write('timestamp')
    t.equal(await bench.outcome(), 'snapshot: older than seen', lost.join())
    repository.versions.set('snapshot', 9)
    repository.write('snapshot')
    repository.publish('timestamp')
    t.equal(await bench.outcome(), 'targets.json: older than seen', lost.join())
    repository.versions.set('targets', 9)
    repository.write('targets')
    repository.publish('snapshot', 'timestamp')
    t.equal(await bench.outcome(), 'believed')
  }
})

t.test('a root that has rotted comes back, and none older is believed', async t => {
  for (const rotten of [['root.json'], ['root.json', 'root.previous']]) {
    const bench = new TrustBench()
    const { repository } = bench
    repository.rotate('root')
    repository.publish('root')
    repository.signers.delete('root')
    repository.rotate('timestamp')
    repository.publish('root', 'timestamp')
    t.equal(await bench.outcome(), 'believed')
    for (const name of rotten) await bench.files.replace(name, Buffer.from('{"signed"'))
    const third = repository.files.get('metadata/3.root.json')
    repository.files.delete('metadata/3.root.json')
    t.equal(await bench.outcome(), 'root: older than seen')
    if (third) repository.files.set('metadata/3.root.json', third)
    repository.versions.set('timestamp', 1)
    repository.write('timestamp')
    t.equal(await bench.outcome(), 'timestamp: older than seen', 'healing forgot nothing')
    repository.publish('timestamp')
    t.equal(await bench.outcome(), 'believed')
    t.same(await bench.files.read('root.json'), third)
  }
})

t.test('one rotten copy of the floors is mended by the other', async t => {
  const bench = new TrustBench()
  bench.repository.publish('targets', 'snapshot', 'timestamp')
  t.equal(await bench.outcome(), 'believed')
  const good = await bench.files.read('floors.0')
  for (const name of ['floors.0', 'floors.1']) {
    const bytes = Uint8Array.from(good ?? [])
    bytes[90] = (bytes[90] ?? 0) ^ 1
    await bench.files.replace(name, bytes)
    for (const lost of ['timestamp', 'snapshot', 'targets'])
      await bench.files.remove(`${lost}.json`)
    await bench.start()
    t.ok(Buffer.from((await bench.files.read(name)) ?? []).includes('"timestamp":2'))
  }
})

t.test('a box without any good root says so', async t => {
  const bench = new TrustBench()
  bench.provisionedRoot = Buffer.from('{}')
  const thrown: unknown = await bench.start().catch((error: unknown) => error)
  t.ok(thrown instanceof BoxError && thrown.code === 'trust.root')
})

t.test('keys that no longer count take the versions with them that they vouched for', async t => {
  const bench = new TrustBench()
  const { repository } = bench
  repository.versions.set('timestamp', 900)
  repository.versions.set('snapshot', 900)
  repository.publish('snapshot', 'timestamp')
  t.equal(await bench.outcome(), 'believed')
  repository.rotate('timestamp')
  repository.versions.set('timestamp', 2)
  repository.versions.set('snapshot', 2)
  repository.write('snapshot')
  repository.publish('root', 'timestamp')
  t.match(await (await bench.start()).refresh(), { versions: { timestamp: 3, snapshot: 2 } })
  repository.trusted.timestamp.keys.push(new TestKey())
  repository.versions.set('timestamp', 1)
  repository.publish('root')
  repository.write('timestamp')
  t.equal(await bench.outcome(), 'timestamp: older than seen', 'a key that joins forgets nothing')
})

t.test('what is over is refused, and what was believed before stays', async t => {
  for (const role of ['root', 'timestamp', 'snapshot', 'targets']) {
    const bench = new TrustBench()
    t.equal(await bench.outcome(), 'believed')
    bench.repository.expires.set(role, '2026-12-31T23:59:59Z')
    bench.repository.publish('root', 'targets', 'snapshot', 'timestamp')
    t.equal(await bench.outcome(), `${role}: expired`)
    const isOnline = role === 'timestamp' || role === 'snapshot'
    const cure = isOnline ? 'refresh' : `renew ${role}`
    t.match(await (await bench.start()).refresh(), {
      message: `has expired on 2026-12-31T23:59:59Z: who publishes signs it again ("roadcase release ${cure}"), unless the date here is wrong`,
    })
    t.equal((await bench.files.read(`${role}.json`)) !== null, true)
  }
})

t.test('a source that shows nothing new is refused once its time is over', async t => {
  const bench = new TrustBench()
  bench.repository.expires.set('timestamp', '2027-01-02T00:00:00Z')
  bench.repository.publish('timestamp')
  const client = await bench.start()
  t.equal(wordOf(await client.refresh()), 'believed')
  bench.nowMs = day('2027-01-02')
  t.equal(await bench.outcome(), 'timestamp: expired')
})

t.test(
  'a box that does not know the time cannot judge; what is surely over it refuses',
  async t => {
    const bench = new TrustBench()
    bench.keepsTime = false
    bench.nowMs = 0
    bench.repository.addTarget('targets', 'a', 'text')
    bench.repository.publish('targets', 'snapshot', 'timestamp')
    const client = await bench.start()
    t.match(await client.refresh(), { kind: 'cannot judge yet', versions: { timestamp: 2 } })
    t.equal((await client.find('a')).kind, 'cannot judge yet')
    bench.keepsTime = true
    t.equal(await bench.outcome(), 'cannot judge yet', 'a clock before the build is not known')
    bench.nowMs = day('2027-01-01')
    t.equal(await bench.outcome(), 'believed')
    bench.keepsTime = false
    bench.nowMs = 0
    bench.repository.expires.set('timestamp', '2027-01-01T00:00:00Z')
    bench.repository.publish('timestamp')
    t.equal(await bench.outcome(), 'timestamp: expired', 'the saved clock is a floor')
  },
)

t.test('a clock that goes back is no clock, but for a suite that sets it', async t => {
  for (const isClockFree of [false, true]) {
    const bench = new TrustBench()
    bench.isClockFree = isClockFree
    bench.nowMs = day('2028-01-01')
    t.equal(await bench.outcome(), 'believed')
    bench.nowMs = day('2027-01-01')
    t.equal(await bench.outcome(), isClockFree ? 'believed' : 'cannot judge yet')
    bench.nowMs = day('2031-01-01')
    t.match(await bench.outcome(), /expired/)
  }
})

t.test('a date that makes all expired is not kept as a floor', async t => {
  const bench = new TrustBench()
  bench.nowMs = day('2099-01-01')
  t.match(await bench.outcome(), /expired/)
  bench.nowMs = day('2027-01-01')
  t.equal(await bench.outcome(), 'believed')
})

t.test('when the timestamp says when it was signed, it is a floor of the date', async t => {
  const bench = new TrustBench()
  bench.keepsTime = false
  bench.repository.extra.set('timestamp', { issued: '2028-05-01T00:00:00Z' })
  bench.repository.publish('timestamp')
  t.equal(await bench.outcome(), 'cannot judge yet')
  bench.repository.expires.set('targets', '2028-05-01T00:00:00Z')
  bench.repository.publish('targets', 'snapshot', 'timestamp')
  t.equal(await bench.outcome(), 'targets: expired')
})

t.test('a date that a stolen key has made up goes with the key, without a restart', async t => {
  for (const keepsTime of [false, true]) {
    const bench = new TrustBench()
    const { repository } = bench
    bench.keepsTime = false
    const client = await bench.start()
    repository.extra.set('timestamp', { issued: '2098-01-01T00:00:00Z' })
    for (const role of ['timestamp', 'snapshot', 'targets', 'root'])
      repository.expires.set(role, '2099-01-01T00:00:00Z')
    repository.publish('root', 'targets', 'snapshot', 'timestamp')
    t.equal(wordOf(await client.refresh()), 'cannot judge yet')
    bench.keepsTime = keepsTime
    repository.extra.clear()
    repository.expires.clear()
    repository.rotate('timestamp')
    repository.publish('root', 'targets', 'snapshot', 'timestamp')
    t.equal(wordOf(await client.refresh()), keepsTime ? 'believed' : 'cannot judge yet')
  }
})

t.test('who knows the time takes no date from a publisher whose clock is ahead', async t => {
  const bench = new TrustBench()
  const { repository } = bench
  repository.extra.set('timestamp', { issued: '2029-01-01T00:00:00Z' })
  repository.publish('timestamp')
  const client = await bench.start()
  t.equal(wordOf(await client.refresh()), 'believed')
  t.equal(wordOf(await client.refresh()), 'believed', 'the floor did not go beyond the time')
  t.equal(await bench.outcome(), 'believed', 'nor did it after a restart')
})

t.test('a source that is away is no refusal, and the box still finds what it believed', async t => {
  const bench = new TrustBench()
  bench.repository.addTarget('targets', 'a', 'text')
  bench.repository.publish('targets', 'snapshot', 'timestamp')
  t.equal(await bench.outcome(), 'believed')
  for (const code of ['link.down', 'link.timeout'] as const) {
    bench.repository.fault = () => Promise.reject(new BoxError(code, 'away'))
    const client = await bench.start()
    t.same(await client.refresh(), { kind: 'not reached', message: 'away' })
    t.equal((await client.find('a')).kind, 'found')
  }
})

t.test('without consistent snapshots, files have no numbers', async t => {
  const bench = new TrustBench()
  const { repository } = bench
  repository.isConsistent = false
  repository.addTarget('targets', 'dir/a b', 'text')
  repository.publish('root', 'targets', 'snapshot', 'timestamp')
  const client = await bench.start()
  t.equal(wordOf(await client.refresh()), 'believed')
  t.match(await client.find('dir/a b'), { target: { location: 'targets/dir/a%20b' } })
})

t.test('a target is read, checked, and refused when it is another', async t => {
  const bench = new TrustBench()
  const { repository } = bench
  repository.addTarget('targets', 'dir/a', 'text', { size: 1 })
  repository.publish('targets', 'snapshot', 'timestamp')
  const client = await bench.start()
  await client.refresh()
  const finding = await client.find('dir/a')
  if (finding.kind !== 'found') throw new Error(finding.kind)
  const { target } = finding
  t.match(target, { path: 'dir/a', length: 4, custom: { size: 1 }, roles: ['targets'] })
  t.match(await client.read(target, 4), { kind: 'read', bytes: Buffer.from('text') })
  t.match(await client.read(target, 3), { reason: 'too big' })
  const location = target.location ?? ''
  for (const [bytes, reason] of [
    ['texT', 'altered'],
    ['tex', 'altered'],
    ['texts', 'too big'],
  ] as const) {
    repository.files.set(location, Buffer.from(bytes))
    t.match(await client.read(target, 100), { kind: 'refused', reason })
  }
  repository.files.delete(location)
  t.match(await client.read(target, 100), { reason: 'missing' })
  t.same(await client.find('dir/b'), { kind: 'not there', roles: ['targets'], patterns: [] })
})
