/** Keys in files, in OpenSSH's own agent, and on a token of SoftHSM. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { LinuxSigningKeys } from '../../drivers/linux/signing-keys.js'
import { signingKeysContract } from './signing-keys.contract.js'

const SECRET = 'correct horse battery'
const SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so'

function keysIn(folder: string, socket: string | null = null, secret = SECRET): LinuxSigningKeys {
  const passphrases = {
    ask: async () => secret,
    askNew: async () => secret,
    askAgain: async () => null,
  }
  const environment = { ...process.env, SSH_AUTH_SOCK: socket ?? undefined }
  return new LinuxSigningKeys({
    folder,
    passphrases,
    environment,
    clock: new LinuxClock(ownAnchor()),
  })
}

signingKeysContract(t, t => keysIn(join(t.testdir(), 'keys')))

const anna = { in: 'file', file: 'anna.key' } as const

t.test('a key file is for its owner, under the passphrase, and opens with openssl', async t => {
  const folder = join(t.testdir(), 'keys')
  const key = await keysIn(folder).create('anna.key', SECRET)
  const path = join(folder, 'anna.key')
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.match(readFileSync(path, 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/)
  const words = ['pkey', '-in', path, '-passin', 'stdin', '-pubout', '-outform', 'DER']
  const der = execFileSync('openssl', words, { input: `${SECRET}\n` })
  t.equal(der.subarray(-32).toString('hex'), key.public)
  const shape = execFileSync('openssl', ['asn1parse', '-in', path]).toString()
  t.match(shape, /:scrypt\n/)
  t.match(shape, /:aes-256-cbc\n/)
  await t.rejects(keysIn(folder, null, 'wrong horse').find(anna, null), {
    code: 'key.denied',
    message: /^the passphrase is wrong: \S+anna.key does not open with it$/,
  })
})

t.test('a passphrase that is wrong is asked for again, and given up for good', async t => {
  const folder = join(t.testdir(), 'keys')
  await keysIn(folder).create('anna.key', SECRET)
  const clock = new LinuxClock(ownAnchor())
  const typing = (typed: string[]) => {
    const asked: string[] = []
    const answer = (how: string) => async (what: string) => {
      asked.push(`${how} ${what}`)
      return typed.shift() ?? null
    }
    const ask = async (what: string) => (await answer('first')(what)) ?? ''
    const passphrases = { ask, askNew: ask, askAgain: answer('again') }
    const keys = new LinuxSigningKeys({ folder, passphrases, environment: {}, clock })
    return { keys, asked }
  }
  const late = typing(['wrong horse', SECRET])
  t.match(await late.keys.find(anna, null), { keytype: 'ed25519' })
  t.same(late.asked, ['first the key anna', 'again the key anna'])
  const never = typing(['wrong horse'])
  // For each document that it should sign.
  for (const _ of [1, 2]) await t.rejects(never.keys.find(anna, null), { code: 'key.denied' })
  t.equal(never.asked.length, 2)
})

t.test('a key that others can read is refused', async t => {
  const folder = join(t.testdir(), 'keys')
  await keysIn(folder).create('anna.key', SECRET)
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(join(folder, 'anna.key'), mode)
    await t.rejects(keysIn(folder).find(anna, null), { code: 'key.denied', message: /chmod 600/ })
  }
})

t.test('what is no key of Ed25519 is refused', async t => {
  const folder = t.testdir({ 'anna.key': 'hello' })
  chmodSync(join(folder, 'anna.key'), 0o600)
  await t.rejects(keysIn(folder).find(anna, null), { code: 'key.invalid' })
  const other = execFileSync('openssl', ['genpkey', '-algorithm', 'X25519'])
  writeFileSync(join(folder, 'anna.key'), other)
  await t.rejects(keysIn(folder).find(anna, null), { code: 'key.invalid' })
})

t.test(
  'a key in the agent of OpenSSH signs',
  { skip: !has('ssh-agent') && 'no ssh-agent' },
  async t => {
    const folder = t.testdir()
    const socket = startAgent(t)
    const env = { ...process.env, SSH_AUTH_SOCK: socket }
    for (const [name, type] of [
      ['anna', 'ed25519'],
      ['bert', 'ed25519'],
      ['carla', 'ecdsa'],
    ] as const) {
      const file = join(folder, name)
      execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', `${name}@stage`, '-f', file])
      execFileSync('ssh-add', ['-q', file], { env, stdio: 'ignore' })
    }
    const keys = keysIn(folder, socket)
    const agent = { in: 'agent' } as const
    const key = await keys.find(agent, 'bert@stage')
    const [, fingerprint = ''] = execFileSync('ssh-keygen', ['-lf', join(folder, 'bert.pub')])
      .toString()
      .split(' ')
    t.same(await keys.find(agent, fingerprint), key)
    t.equal(
      (await keys.sign(agent, key, Buffer.alloc(100_000, 7))).length,
      64,
      'and is checked before',
    )
    await t.rejects(keys.find(agent, 'dora@stage'), {
      code: 'key.absent',
      message: /anna@stage \(SHA256:/,
    })
    await t.rejects(keys.find(agent, 'carla@stage'), { code: 'key.absent' })
    await t.rejects(keys.find(agent, null), /more than one/)
    execFileSync('ssh-add', ['-q', '-D'], { env, stdio: 'ignore' })
    await t.rejects(keys.sign(agent, key, Buffer.of(1)), {
      code: 'key.denied',
      message: /no such key/,
    })
  },
)

t.test('what is no agent is said to be none', async t => {
  const folder = shortFolder(t)
  const find = (socket: string | null): Promise<unknown> =>
    keysIn(folder, socket).find({ in: 'agent' }, null)
  await t.rejects(find(null), { code: 'key.absent', message: /SSH_AUTH_SOCK/ })
  await t.rejects(find(join(folder, 'none')), { code: 'key.absent' })
  for (const [answer, code] of [
    [[0xff, 0xff, 0xff, 0xff], 'key.invalid'],
    [[0, 0, 0, 0], 'key.invalid'],
    [[0, 0, 0, 5, 12, 0, 0, 0, 9], 'key.invalid'],
    [[0, 0, 0, 9, 12, 0, 0, 0, 1, 0, 0, 1, 0], 'key.invalid'],
    [[0, 0, 0, 1, 5], 'key.denied'],
    [[], 'key.denied'],
  ] as const) {
    const path = join(folder, `liar-${answer.join('-')}`)
    const server = createServer(socket => void socket.resume().end(Buffer.from(answer)))
    t.teardown(() => server.close())
    await once(server.listen(path), 'listening')
    await t.rejects(find(path), { code }, answer.join())
  }
})

const hasToken = has('softhsm2-util') && has('pkcs11-tool') && existsSync(SOFTHSM)
t.test('a key on a token signs', { skip: !hasToken && 'no SoftHSM' }, async t => {
  const folder = t.testdir({ tokens: {} })
  const conf = join(folder, 'softhsm2.conf')
  writeFileSync(conf, `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`)
  const before = process.env['SOFTHSM2_CONF']
  process.env['SOFTHSM2_CONF'] = conf
  t.teardown(() => {
    if (before === undefined) delete process.env['SOFTHSM2_CONF']
    else process.env['SOFTHSM2_CONF'] = before
  })
  const pins = ['--pin', '1234', '--so-pin', '5678']
  execFileSync('softhsm2-util', ['--init-token', '--free', '--label', 'ceremony', ...pins], {
    stdio: 'ignore',
  })
  const make = (id: string, type: string): unknown =>
    execFileSync(
      'pkcs11-tool',
      [
        '--module',
        SOFTHSM,
        '--token-label',
        'ceremony',
        '--login',
        '--pin',
        '1234',
        '--keypairgen',
        '--key-type',
        type,
        '--id',
        id,
      ],
      { stdio: 'ignore' },
    )
  make('01', 'EC:prime256v1')
  make('02', 'rsa:2048')
  const place = { in: 'token', module: SOFTHSM, token: 'ceremony', id: '01' } as const
  const keys = keysIn(folder, null, '1234')
  const key = await keys.find(place, null)
  t.match(key, {
    keytype: 'ecdsa',
    scheme: 'ecdsa-sha2-nistp256',
    public: /^-----BEGIN PUBLIC KEY/,
  })
  const signature = await keys.sign(place, key, Buffer.alloc(100_000, 7))
  t.equal(signature[0], 0x30, 'DER, and checked before')
  await t.rejects(keys.find({ ...place, id: '02' }, null), {
    code: 'key.invalid',
    message: /P-256/,
  })
  await t.rejects(keys.find({ ...place, id: '03' }, null), { code: 'key.absent' })
  await t.rejects(keys.find({ ...place, token: 'other' }, null), { code: 'key.absent' })
  await t.rejects(keysIn(folder, null, '9999').sign(place, key, Buffer.of(1)), {
    code: 'key.denied',
    message: /PIN/,
  })
})

function has(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some(folder => existsSync(join(folder, program)))
}

/** It listens when the command that starts it has ended. Paths of sockets are short (unix(7)): not that of the test. */
function startAgent(t: Test): string {
  const socket = join(shortFolder(t), 'agent')
  const said = execFileSync('ssh-agent', ['-a', socket]).toString()
  const [, pid = ''] = /SSH_AGENT_PID=(\d+);/.exec(said) ?? []
  t.teardown(() => process.kill(Number(pid), 'SIGTERM'))
  return socket
}

function shortFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
