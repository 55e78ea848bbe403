import t from 'tap'
import { ConfigError } from '../../../runtime/core/errors.js'
import {
  Access,
  bearerToken,
  checkOperatorToken,
  cookieValue,
  hostNameOf,
} from '../../../runtime/gateways/page/access.js'

const TOKEN = 'a-token-that-is-long-enough'
const loopback = new Access({ operatorToken: TOKEN, reach: 'loopback', hostNames: [] })
const venue = new Access({ operatorToken: TOKEN, reach: 'venue', hostNames: ['lobby.local'] })

t.test('a short operator token is a config error', async t => {
  t.throws(() => checkOperatorToken('short'), ConfigError)
  t.doesNotThrow(() => checkOperatorToken(TOKEN))
})

t.test('a Host header is read as a name without its port, or not at all', async t => {
  const cases: readonly (readonly [string | undefined, string | null])[] = [
    ['127.0.0.1:8080', '127.0.0.1'],
    ['LocalHost', 'localhost'],
    ['[::1]:8080', '[::1]'],
    ['lobby.local:80', 'lobby.local'],
    ['', null],
    [undefined, null],
    ['a b', null],
    ['evil.test@127.0.0.1', null],
    ['127.0.0.1:8080:9090', null],
    ['127.0.0.1, evil.test', null],
  ]
  for (const [header, expected] of cases) t.equal(hostNameOf(header), expected, String(header))
})

t.test('on loopback only the names of this machine are answered to', async t => {
  t.ok(loopback.isHostAllowed('127.0.0.1:8080'))
  t.ok(loopback.isHostAllowed('localhost:9999'))
  t.ok(loopback.isHostAllowed('[::1]:8080'))
  t.notOk(loopback.isHostAllowed('rebound.test:8080'))
  t.notOk(loopback.isHostAllowed('192.168.1.5:8080'))
})

t.test(
  'in the venue addresses and the given names are answered to, other names are not',
  async t => {
    t.ok(venue.isHostAllowed('192.168.1.5:8080'))
    t.ok(venue.isHostAllowed('[fe80::1]:8080'))
    t.ok(venue.isHostAllowed('LOBBY.local'))
    t.notOk(venue.isHostAllowed('rebound.test'))
    t.notOk(venue.isHostAllowed('lobby.local.rebound.test'))
  },
)

t.test('the cookie of one token is worthless for another, and on another port', async t => {
  const cookie = loopback.loginCookie(8080).split(';')[0] ?? ''
  const other = new Access({ operatorToken: `${TOKEN}!`, reach: 'loopback', hostNames: [] })
  t.equal(loopback.credentialOf({ cookie }, 8080), 'cookie')
  t.equal(loopback.credentialOf({ cookie }, 8081), null)
  t.equal(other.credentialOf({ cookie }, 8080), null)
})

t.test('the cookie does not give the token away and scripts cannot read it', async t => {
  const header = loopback.loginCookie(8080)
  t.notMatch(header, TOKEN)
  t.match(header, 'HttpOnly')
  t.match(header, 'SameSite=Strict')
})

t.test('a cookie without an origin, or with a foreign one, may not change anything', async t => {
  const host = '127.0.0.1:8080'
  t.ok(loopback.isOriginAllowed({ host, origin: `http://${host}` }, 'cookie'))
  t.notOk(loopback.isOriginAllowed({ host }, 'cookie'))
  t.notOk(loopback.isOriginAllowed({ host, origin: 'http://evil.test' }, 'cookie'))
  t.notOk(loopback.isOriginAllowed({ host, origin: 'http://127.0.0.1:9999' }, 'cookie'))
  t.notOk(loopback.isOriginAllowed({ host, origin: 'null' }, 'bearer'))
  t.ok(loopback.isOriginAllowed({ host }, 'bearer'))
})

t.test('credentials are found in their headers and nowhere else', async t => {
  t.equal(bearerToken('Bearer abc'), 'abc')
  t.equal(bearerToken('bearer  abc'), 'abc')
  t.equal(bearerToken('Basic abc'), null)
  t.equal(bearerToken('Bearer a b'), null)
  t.equal(bearerToken(undefined), null)
  t.equal(cookieValue('a=1; b=2', 'b'), '2')
  t.equal(cookieValue('ab=1', 'b'), null)
  t.equal(cookieValue(undefined, 'b'), null)
})
