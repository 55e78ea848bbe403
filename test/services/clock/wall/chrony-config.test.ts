import t from 'tap'
import { type NtpConfig, ntpConfig } from '../../../../runtime/core/ntp-config.js'
import { check } from '../../../../runtime/core/schema.js'
import { chronyConfig } from '../../../../runtime/services/clock/wall/chrony-config.js'

const places = { socket: '/x/sock', pidFile: '/x/pid', driftFile: '/x/drift', cookieFolder: '/x' }
const facts = { version: [4, 3] as const, hasNts: true, setsSystem: true, isDateKnown: true }
const read = (config: unknown): NtpConfig => check(ntpConfig, config, 'ntp')

const own = ['driftfile /x/drift', 'maxslewrate 500', 'rtcsync', 'manual', 'cmdport 0']
const tail = ['bindcmdaddress /x/sock', 'pidfile /x/pid']

t.test('a box that only asks', async t => {
  const config = read({
    servers: [{ host: 'ntp.example.org' }, { host: 'pool.example.org', isPool: true }],
  })
  t.same(chronyConfig(config, facts, places), [
    'server ntp.example.org iburst',
    'pool pool.example.org iburst maxsources 4',
    'port 0',
    ...own,
    ...tail,
  ])
})

t.test('the box that leads the venue', async t => {
  const config = read({
    servers: [{ host: 'nts.example.org', isNts: true }],
    serve: 'venue',
    allow: ['10.77.0.0/24'],
    isLocalSource: true,
  })
  t.same(chronyConfig(config, facts, places), [
    'server nts.example.org iburst nts',
    'ntsdumpdir /x',
    'local stratum 10 orphan distance 0.1',
    'port 123',
    'allow 127.0.0.0/8',
    'allow 10.77.0.0/24',
    'ratelimit interval -4 burst 64',
    ...own,
    ...tail,
  ])
})

t.test('a box that follows the leader asks nobody on the internet', async t => {
  const config = read({ follow: '10.77.0.1', servers: [{ host: 'ntp.example.org' }] })
  t.same(chronyConfig(config, facts, places).slice(0, 2), [
    'server 10.77.0.1 port 123 iburst minpoll 0 maxpoll 2 xleave',
    'port 0',
  ])
})

t.test(
  'without a date it asks whoever has a certificate of any date, and keeps no keys',
  async t => {
    const config = read({
      servers: [{ host: 'nts.example.org', isNts: true }],
      trustedCertificates: '/etc/roadcase/time-ca.pem',
    })
    t.same(chronyConfig(config, { ...facts, isDateKnown: false }, places).slice(0, 4), [
      'server nts.example.org iburst nts',
      'nocerttimecheck 1',
      'ntstrustedcerts /etc/roadcase/time-ca.pem',
      'port 0',
    ])
    const plain = read({ servers: [{ host: 'a.example' }], trustedCertificates: '/ca.pem' })
    const lines = chronyConfig(plain, { ...facts, isDateKnown: false }, places)
    t.notOk(
      lines.some(line => /cert|nts/.test(line)),
      'who has no keys needs none of it',
    )
  },
)

t.test('where it may not set the system, nothing in its words sets it', async t => {
  const lines = chronyConfig(read({}), { ...facts, setsSystem: false }, places)
  t.notOk(lines.some(line => /makestep|maxslewrate|rtcsync/.test(line)))
})

t.test('a server with NTS is not asked by a chrony without it', async t => {
  const config = read({
    servers: [{ host: 'nts.example.org', isNts: true }, { host: 'b.example' }],
  })
  const lines = chronyConfig(config, { ...facts, hasNts: false }, places)
  t.same(
    lines.filter(line => line.startsWith('server') || line.startsWith('nts')),
    ['server b.example iburst'],
  )
})

t.test('a later chrony would wait before it serves a date of its own', async t => {
  const config = read({ isLocalSource: true })
  const localOf = (version: readonly [number, number]): string | undefined =>
    chronyConfig(config, { ...facts, version }, places).find(line => line.startsWith('local'))
  t.equal(localOf([4, 6]), 'local stratum 10 orphan distance 0.1')
  t.equal(localOf([4, 7]), 'local stratum 10 orphan distance 0.1 waitunsynced 0')
  t.equal(localOf([5, 0]), 'local stratum 10 orphan distance 0.1 waitunsynced 0')
})

t.test('on loopback it serves nobody else', async t => {
  const lines = chronyConfig(read({ serve: 'loopback' }), facts, places)
  t.ok(lines.includes('bindaddress 127.0.0.1'))
  t.same(
    lines.filter(line => line.startsWith('allow')),
    ['allow 127.0.0.0/8'],
  )
})

t.test('what is no host or network is refused before anybody is told of it', async t => {
  for (const host of ['a b', 'x\nallow all', '', '-x', 'a..b', 'host;rm', '::1'])
    t.throws(() => read({ servers: [{ host }] }), { code: 'config.invalid' }, JSON.stringify(host))
  for (const network of ['10.0.0.0', '10.0.0.0/33', '10.0.0.256/8', '0/0', '10.0.0.0/8\nallow'])
    t.throws(() => read({ allow: [network] }), { code: 'config.invalid' }, JSON.stringify(network))
  for (const path of ['ca.pem', '/a b', '/a\nallow all', '/../x', '/x#', ''])
    t.throws(() => read({ trustedCertificates: path }), { code: 'config.invalid' }, path)
})
