/** What comes from a source, before anybody believes it: read, or refused, and nothing else. */
import t from 'tap'
import { LinuxVerifier } from '../../../drivers/linux/verifier.js'
import type { Json } from '../../../ota/tuf/canonical.js'
import { readRoot, readSnapshot, readTargets, readTimestamp } from '../../../ota/tuf/metadata.js'
import { Refusal } from '../../../ota/tuf/outcome.js'
import { requireSignatures } from '../../../ota/tuf/signatures.js'
import { randomFrom } from '../../../runtime/core/random.js'
import { release } from './scenarios.js'
import { TestRepository } from './test-repository.js'
import { TrustBench } from './trust-bench.js'

const SEED = Number(process.env['SEED'] ?? 1)
const MUTATIONS = 4_000
const READERS = {
  root: readRoot,
  timestamp: readTimestamp,
  snapshot: readSnapshot,
  targets: (bytes: Uint8Array) => readTargets(bytes, 'targets'),
} as const

type Kind = keyof typeof READERS

const repository = new TestRepository()
release(repository)
const FILES = {
  root: '1.root',
  timestamp: 'timestamp',
  snapshot: '2.snapshot',
  targets: '2.targets',
} as const

const bytesOf = (kind: Kind): Uint8Array =>
  repository.files.get(`metadata/${FILES[kind]}.json`) ?? new Uint8Array()

type Table = { [name: string]: Json }
const documentOf = (kind: Kind): { signed: Table; signatures: Json } =>
  JSON.parse(Buffer.from(bytesOf(kind)).toString())

function read(kind: Kind, document: unknown): string {
  try {
    READERS[kind](Buffer.from(JSON.stringify(document)))
    return 'read'
  } catch (error) {
    if (error instanceof Refusal) return error.reason
    throw error
  }
}

/** The document with one field of what is signed replaced; undefined takes it away. */
const withField = (kind: Kind, field: string, value: unknown): unknown => {
  const document = documentOf(kind)
  return { ...document, signed: { ...document.signed, [field]: value } }
}

t.test('what a publisher writes is read, unknown fields and all', async t => {
  for (const kind of ['root', 'timestamp', 'snapshot', 'targets'] as const) {
    t.equal(read(kind, documentOf(kind)), 'read', kind)
    t.equal(read(kind, withField(kind, 'x-unknown', { deep: [1, { er: null }] })), 'read', kind)
    t.equal(read(kind, { ...documentOf(kind), other: 1 }), 'read', kind)
  }
  t.equal(read('root', withField('root', 'consistent_snapshot', undefined)), 'read')
})

t.test('a key of a kind that nobody here knows takes nothing from the others', async t => {
  const kind = { keytype: 'of-tomorrow', scheme: 'of-tomorrow' }
  const table = JSON.parse(JSON.stringify(documentOf('root').signed['keys']))
  for (const keyval of [{ public: { x: 'a', y: 'b' } }, { public: ['a'] }, { level: 5 }, {}]) {
    const keys = { ...table, other: { ...kind, keyval } }
    t.equal(read('root', withField('root', 'keys', keys)), 'read')
    const delegations = { keys: { other: { ...kind, keyval } }, roles: [] }
    t.equal(read('targets', withField('targets', 'delegations', delegations)), 'read')
  }
  for (const other of [{ ...kind, keyval: 'x' }, kind, { keyval: {} }, null])
    t.equal(read('root', withField('root', 'keys', { ...table, other })), 'unreadable')
})

t.test('what is wrong in one field is refused', async t => {
  const wrong: readonly (readonly [string, readonly unknown[]])[] = [
    ['_type', ['mirrors', 'Root', null, undefined]],
    ['spec_version', ['2.0.0', '0.9', '1', '1.0.0.0', '1.x', ' 1.0', '', 1, null, undefined]],
    ['version', [0, -1, 1.5, '1', 2 ** 53, null, undefined]],
    ['expires', ['2030-01-01', '2030-13-01T00:00:00Z', 'never', 0, null, undefined]],
  ]
  for (const kind of ['root', 'timestamp', 'snapshot', 'targets'] as const)
    for (const [field, values] of wrong)
      for (const value of values)
        t.equal(
          read(kind, withField(kind, field, value)),
          'unreadable',
          `${kind} ${field} ${value}`,
        )
})

t.test('what is missing is not made up', async t => {
  for (const [kind, field] of [
    ['root', 'keys'],
    ['root', 'roles'],
    ['timestamp', 'meta'],
    ['snapshot', 'meta'],
    ['targets', 'targets'],
  ] as const)
    for (const value of [undefined, null, [], 'x', 1])
      t.equal(read(kind, withField(kind, field, value)), 'unreadable', `${kind} ${field} ${value}`)
})

t.test('delegations that cannot be followed one way only are refused', async t => {
  const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: '00' } }
  const role = { name: 'a', keyids: ['k'], threshold: 1, terminating: false, paths: ['*'] }
  const succinct = { keyids: ['k'], threshold: 1, bit_length: 8, name_prefix: 'b' }
  const reads = (delegations: unknown): string =>
    read('targets', withField('targets', 'delegations', delegations))
  t.equal(reads({ keys: { k: key }, roles: [role, { ...role, name: 'b' }] }), 'read')
  t.equal(reads({ keys: { k: key }, succinct_roles: succinct }), 'read')
  t.equal(reads({ keys: {}, roles: [] }), 'read')
  for (const change of [
    { name: 'root' },
    { name: 'targets' },
    { name: '' },
    { name: '\ud800' },
    { name: 1 },
    { threshold: 0 },
    { threshold: 1.5 },
    { keyids: ['k', 'k'] },
    { keyids: 'k' },
    { terminating: 'no' },
    { paths: 'x' },
    { path_hash_prefixes: ['a'] },
  ])
    t.equal(reads({ keys: { k: key }, roles: [{ ...role, ...change }] }), 'unreadable')
  t.equal(reads({ keys: { k: key }, roles: [role, role] }), 'unreadable')
  t.equal(reads({ keys: {}, roles: [role], succinct_roles: succinct }), 'unreadable')
  for (const change of [{ bit_length: 0 }, { bit_length: 33 }, { bit_length: 1.5 }])
    t.equal(reads({ keys: {}, succinct_roles: { ...succinct, ...change } }), 'unreadable')
  for (const delegations of [null, [], 'x', { roles: [] }, { keys: {}, roles: {} }])
    t.equal(reads(delegations), 'unreadable')
})

t.test('many delegations take no longer than they are', async t => {
  const roles = Array.from({ length: 10_000 }, (_, index) => ({
    name: `role ${index}`,
    keyids: ['k'],
    threshold: 1,
    terminating: true,
    path_hash_prefixes: [index.toString(16).padStart(4, '0')],
  }))
  const before = process.cpuUsage().user
  t.equal(read('targets', withField('targets', 'delegations', { keys: {}, roles })), 'read')
  t.ok(process.cpuUsage().user - before < 3_000_000, 'seconds of the processor')
})

t.test('nor do as many keys, roles and signatures as fit into what is read unsigned', async t => {
  const many = <T>(count: number, one: T): Record<string, T> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}`, one]))
  const keys = many(10_000, { keytype: '', scheme: '', keyval: {} })
  const signatures = Array.from({ length: 20_000 }, (_, index) => ({ keyid: `${index}`, sig: '' }))
  const { roles } = documentOf('root').signed
  const added = { ...many(10_000, { keyids: [], threshold: 1 }), ...Object(roles) }
  const before = process.cpuUsage().user
  t.equal(read('root', withField('root', 'keys', keys)), 'read')
  t.equal(read('root', withField('root', 'roles', added)), 'read')
  t.equal(read('root', { ...documentOf('root'), signatures }), 'read')
  t.equal(read('targets', withField('targets', 'delegations', { keys, roles: [] })), 'read')
  t.ok(process.cpuUsage().user - before < 2_000_000, 'seconds of the processor')
})

t.test(`${MUTATIONS} changed documents are read or refused, and none is signed`, async t => {
  const random = randomFrom(SEED)
  const verifier = new LinuxVerifier()
  const root = readRoot(bytesOf('root'))
  const tally = { refused: 0, unsigned: 0, same: 0 }
  for (let count = 0; count < MUTATIONS; count++) {
    const kinds = ['root', 'timestamp', 'snapshot', 'targets'] as const
    const kind = kinds[count % 4] ?? 'root'
    const bytes = mutated(bytesOf(kind), random)
    try {
      const document = READERS[kind](bytes)
      requireSignatures(document, root.body.authorities[kind], { role: kind, verifier })
      const original = READERS[kind](bytesOf(kind))
      if (Buffer.compare(original.signed, document.signed) !== 0)
        t.fail(`SEED=${SEED} ${count}: other words than were signed`)
      tally.same++
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      tally[error.reason === 'unreadable' ? 'refused' : 'unsigned']++
    }
  }
  t.ok(Math.min(tally.refused, tally.unsigned, tally.same) > 20, JSON.stringify(tally))
})

t.test('a source that answers rubbish never makes the client throw', async t => {
  const random = randomFrom(SEED)
  const words = new Set<string>()
  for (let count = 0; count < 150; count++) {
    const bench = new TrustBench()
    release(bench.repository)
    for (const [name, bytes] of bench.repository.files)
      if (random() < 0.3) bench.repository.files.set(name, mutated(bytes, random))
    const client = await bench.start()
    const outcome = await client.refresh()
    words.add(outcome.kind === 'refused' ? outcome.reason : outcome.kind)
    const finding = await client.find('tours/x')
    if (finding.kind === 'found') words.add((await client.read(finding.target, 100)).kind)
  }
  for (const word of ['believed', 'unreadable', 'altered', 'read', 'refused'])
    t.ok(words.has(word), `${word} is among ${[...words].join(', ')}`)
})

/** Up to three changes: a bit, a cut, a doubled part, a number, a name. */
function mutated(bytes: Uint8Array, random: () => number): Uint8Array {
  let text = Buffer.from(bytes).toString('latin1')
  for (let change = 0; change <= random() * 3; change++) {
    const at = Math.floor(random() * text.length)
    const length = Math.floor(random() * 30)
    const [head, part, tail] = [
      text.slice(0, at),
      text.slice(at, at + length),
      text.slice(at + length),
    ]
    const kind = Math.floor(random() * 6)
    if (kind === 0)
      text = `${head}${String.fromCharCode(Math.floor(random() * 256))}${text.slice(at + 1)}`
    else if (kind === 1) text = head + tail
    else if (kind === 2) text = head + part + part + tail
    else if (kind === 3)
      text = text.replace(/\d+/g, number => (random() < 0.1 ? `${number}0` : number))
    else if (kind === 4) text = text.replace(/": /g, found => (random() < 0.02 ? '" : ' : found))
    else text = text.replace(/\n/, ' \n ')
  }
  return Buffer.from(text, 'latin1')
}
