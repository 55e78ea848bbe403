import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { settle } from '../../../drivers/simulated/clock.js'
import { BoxError, ConfigError } from '../../../runtime/core/errors.js'
import { within } from '../../../runtime/core/lifecycle.js'
import type { LogLine } from '../../../runtime/core/log-line.js'
import { wallTimeMs } from '../../../runtime/core/time.js'
import type { Payload, ShowCommand } from '../../../runtime/topics.js'
import { accept, assetsFolder, openPage, openStream, type PageWorld, TOKEN } from './page-world.js'

const bearer = { authorization: `Bearer ${TOKEN}` }
const post = { method: 'POST', headers: bearer }

const refuse = ({ id, origin }: ShowCommand): Payload<'command/answered'> => ({
  id,
  origin,
  isAccepted: false,
  code: 'command.refused',
  message: 'the show is not armed',
})

/** Lets real sockets run until something is so; the simulated clock stands still meanwhile. */
async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (isSo()) return
    await pause(5)
  }
  throw new Error('it never became so')
}

async function login(world: PageWorld): Promise<string> {
  const { port } = world.page
  const reply = await world.ask('/api/login', {
    method: 'POST',
    body: { token: TOKEN },
    headers: { origin: `http://127.0.0.1:${port}` },
  })
  return String(reply.headers['set-cookie']).split(';')[0] ?? ''
}

t.test('health is 503 until the box says that it is ready', async t => {
  const { ask, bus } = await openPage(t)
  t.match(await ask('/health'), { status: 503, text: '{"state":"init"}' })
  bus.publish('box/availability', { state: 'ready', boot: 1 })
  t.match(await ask('/health'), { status: 200, text: '{"state":"ready"}' })
})

t.test(
  'the page and its files come with their type, digest and a policy that trusts nobody',
  async t => {
    const { ask } = await openPage(t)
    const page = await ask('/')
    t.equal(page.status, 200)
    t.match(page.headers, {
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'content-security-policy': /^default-src 'self';/,
    })
    t.equal(page.text, await readFile(`${assetsFolder}/index.html`, 'utf8'))
    const etag = String(page.headers.etag)
    const again = await ask('/', { headers: { 'if-none-match': `"other", W/${etag}` } })
    t.match(again, { status: 304, text: '' })
  },
)

t.test('nothing beside the files of the page can be read through the page', async t => {
  const { ask } = await openPage(t)
  for (const path of [
    '/../page-gateway.ts',
    '/%2e%2e/page-gateway.ts',
    '/assets',
    '/index.html/..%2f',
  ])
    t.equal((await ask(path)).status, 404, path)
})

t.test('an unknown path and a wrong method are answered in JSON', async t => {
  const { ask } = await openPage(t)
  t.match((await ask('/api/nothing')).json(), { code: 'request.invalid' })
  const wrong = await ask('/api/command', { headers: bearer })
  t.match(wrong, { status: 405, headers: { allow: 'POST' } })
  t.match(wrong.json(), { code: 'request.invalid', message: /POST/ })
})

t.test('the state holds what was said before anyone asked', async t => {
  const { ask, bus } = await openPage(t)
  bus.publish('levels/sampled', { levels: { front: 0.4 }, colors: {} })
  bus.publish('cue/late', { count: 3, p50: 0.2, p95: 1, p99: 2, max: 2 })
  t.match((await ask('/api/state')).json(), {
    isOperator: false,
    board: { name: 'simulated' },
    levels: { front: 0.4 },
    late: { p99: 2 },
    showState: null,
  })
})

t.test('an accepted command is 200 and reaches the show with who asked', async t => {
  const { operate, heard } = await openPage(t)
  const reply = await operate({ id: 'one', action: 'go' })
  t.match(reply, { status: 200 })
  t.same(reply.json(), { id: 'one', isAccepted: true, code: null, message: null })
  t.same(heard, [{ id: 'one', action: 'go', origin: 'api/127.0.0.1' }])
})

t.test('a refused command is 409 with the reason', async t => {
  const { operate } = await openPage(t, {}, refuse)
  const reply = await operate({ action: 'go' })
  t.equal(reply.status, 409)
  t.match(reply.json(), { code: 'command.refused', message: 'the show is not armed' })
})

t.test('a wrong command is 400 with every problem and reaches nobody', async t => {
  const { operate, heard } = await openPage(t)
  const reply = await operate({ action: 'gow', fadeMs: -1, cew: '1' })
  t.equal(reply.status, 400)
  t.match(reply.json(), { code: 'command.invalid' })
  const problems = reply.json()['problems']
  t.ok(Array.isArray(problems) && problems.length === 3, 'all three are named')
  t.same(heard, [])
})

t.test('the same id again is answered again and not carried out again', async t => {
  const { operate, heard } = await openPage(t)
  const first = await operate({ id: 'one', action: 'go' })
  const again = await operate({ action: 'go', id: 'one' })
  t.same(again.json(), first.json())
  t.equal(heard.length, 1)
})

t.test('two requests of one id at the same time are one command', async t => {
  const world = await openPage(t, {}, () => null)
  const both = [1, 2].map(() => world.operate({ id: 'one', action: 'go' }))
  await until(() => world.heard.length > 0)
  await pause(50)
  const [command] = world.heard
  if (command) world.bus.publish('command/answered', accept(command))
  t.same(
    (await Promise.all(both)).map(reply => reply.status),
    [200, 200],
  )
  t.equal(world.heard.length, 1)
})

t.test('an id that was used for another command is refused', async t => {
  const { operate, heard } = await openPage(t)
  await operate({ id: 'one', action: 'go' })
  t.equal((await operate({ id: 'one', action: 'back' })).status, 409)
  t.equal(heard.length, 1)
})

t.test(
  'a show that does not answer within 5 s is 504, and the command may be asked again',
  async t => {
    const world = await openPage(t, {}, () => null)
    const first = world.operate({ id: 'one', action: 'go' })
    await until(() => world.heard.length === 1)
    await world.clock.advance(4_999)
    await world.clock.advance(1)
    t.equal((await first).status, 504)
    const again = world.operate({ id: 'one', action: 'go' })
    await until(() => world.heard.length === 2)
    await world.clock.advance(5_000)
    t.equal((await again).status, 504)
  },
)

t.test('a command that waits while the box stops is told so', async t => {
  const world = await openPage(t, {}, () => null)
  const waiting = world.operate({ action: 'go' })
  await until(() => world.heard.length === 1)
  await world.page.stop()
  const reply = await waiting
  t.equal(reply.status, 503)
  t.match(reply.json(), { code: 'service.timeout', message: 'the box is stopping' })
})

t.test('no more than 64 commands wait', async t => {
  const world = await openPage(t, {}, () => null)
  const waiting = Array.from({ length: 64 }, () => world.operate({ action: 'go' }))
  await until(() => world.heard.length === 64)
  t.match(await world.operate({ action: 'go' }), { status: 503 })
  await world.clock.advance(5_000)
  await Promise.all(waiting)
})

t.test('what is not JSON, too large or of another type is refused', async t => {
  const { ask, heard } = await openPage(t)
  const big = JSON.stringify({ action: 'go', id: 'x'.repeat(20_000) })
  t.equal((await ask('/api/command', { ...post, raw: '{"action":' })).status, 400)
  t.equal((await ask('/api/command', { ...post, raw: '' })).status, 400)
  t.equal(
    (await ask('/api/command', { ...post, raw: '{"__proto__":{"action":"go"}}' })).status,
    400,
  )
  t.equal((await ask('/api/command', { ...post, raw: big })).status, 413)
  const plain = { ...bearer, 'content-type': 'text/plain' }
  t.equal((await ask('/api/command', { method: 'POST', headers: plain, raw: '{}' })).status, 415)
  t.same(heard, [])
})

t.test('nobody operates without the token', async t => {
  const { ask, heard } = await openPage(t)
  const body = { action: 'go' }
  t.equal((await ask('/api/command', { method: 'POST', body })).status, 401)
  const wrong = { authorization: `Bearer ${TOKEN}x` }
  t.equal((await ask('/api/command', { method: 'POST', body, headers: wrong })).status, 401)
  t.equal((await ask('/api/simulated/press', { method: 'POST', body })).status, 401)
  t.same(heard, [])
})

t.test('a browser that logged in operates from its own origin and from no other', async t => {
  const world = await openPage(t)
  const cookie = await login(world)
  const own = `http://127.0.0.1:${world.page.port}`
  const from = async (headers: Record<string, string>): Promise<number> =>
    (await world.ask('/api/command', { method: 'POST', body: { action: 'go' }, headers })).status
  t.equal(await from({ cookie, origin: own }), 200)
  t.equal(await from({ cookie, origin: 'http://evil.test' }), 403)
  t.equal(await from({ cookie }), 403)
  t.equal(await from({ ...bearer, origin: 'http://evil.test' }), 403)
  t.same(
    world.heard.map(command => command.origin),
    ['page/127.0.0.1'],
  )
  t.match((await world.ask('/api/state', { headers: { cookie } })).json(), { isOperator: true })
})

t.test('the cookie still counts after the box has started again', async t => {
  const world = await openPage(t)
  const cookie = await login(world)
  const { port } = world.page
  await world.page.stop()
  const next = await openPage(t, { config: { port, reach: 'loopback' } })
  t.match((await next.ask('/api/state', { headers: { cookie } })).json(), { isOperator: true })
})

t.test('wrong tokens are slowed down, the right one is never locked out', async t => {
  const world = await openPage(t)
  const attempt = async (token: string): Promise<number> =>
    (await world.ask('/api/login', { method: 'POST', body: { token } })).status
  const statuses: number[] = []
  for (let tries = 0; tries < 12; tries++) statuses.push(await attempt(`guess-${tries}`))
  t.same(statuses, [...Array(10).fill(401), 429, 429])
  t.equal(await attempt(TOKEN), 200)
  await world.clock.advance(60_000)
  t.equal(await attempt('guess'), 401)
  t.equal(world.logged.filter(event => event === 'page.login-failed').length, 2)
})

t.test('a request for a stranger’s host name is refused', async t => {
  const { ask } = await openPage(t)
  t.equal((await ask('/api/state', { headers: { host: 'rebound.test' } })).status, 421)
  t.equal((await ask('/', { headers: { host: 'rebound.test' } })).status, 421)
})

t.test('in the venue the page opens for all, and reading needs the token', async t => {
  const { ask } = await openPage(t, { config: { port: 0, reach: 'venue' } })
  t.equal((await ask('/')).status, 200)
  t.equal((await ask('/health')).status, 503)
  for (const path of ['/api/state', '/api/logs', '/api/events', '/api/openapi.json'])
    t.equal((await ask(path)).status, 401, path)
  t.equal((await ask('/api/state', { headers: bearer })).status, 200)
})

t.test('the stream begins with a snapshot and goes on with what happens', async t => {
  const { page, bus, clock } = await openPage(t)
  bus.publish('levels/sampled', { levels: { front: 0.1 }, colors: {} })
  const stream = await openStream(page.port)
  t.match(await stream.next('snapshot'), { levels: { front: 0.1 } })
  bus.publish('levels/sampled', { levels: { front: 0.2 }, colors: {} })
  bus.publish('levels/sampled', { levels: { front: 0.3 }, colors: {} })
  await clock.advance(0)
  t.match(await stream.next('levels/sampled'), { payload: { levels: { front: 0.3 } } })
  stream.close()
})

t.test('events are never merged', async t => {
  const { page, bus, clock } = await openPage(t)
  const stream = await openStream(page.port)
  for (const input of ['go', 'stop'])
    bus.publish('input/changed', { input, event: 'press', atShowMs: 1, source: 'kernel' })
  await clock.advance(0)
  t.match(await stream.next('input/changed'), { payload: { input: 'go' } })
  t.match(await stream.next('input/changed'), { payload: { input: 'stop' } })
  stream.close()
})

t.test('a silent box is heard every five seconds', async t => {
  const { page, clock } = await openPage(t)
  const stream = await openStream(page.port)
  await stream.next('snapshot')
  t.same(
    await stream.next('beat'),
    { monotonicMs: 0 },
    'the clock of the box is known from the start',
  )
  await clock.advance(5_000)
  t.same(await stream.next('beat'), { monotonicMs: 5_000 })
  stream.close()
})

t.test('the 33rd page is told to come back, and there is room again when one leaves', async t => {
  const { page, ask } = await openPage(t)
  const streams = await Promise.all(Array.from({ length: 32 }, () => openStream(page.port)))
  t.match(await ask('/api/events'), { status: 503, headers: { 'retry-after': '5' } })
  streams[0]?.close()
  let status = 503
  for (let tries = 0; status === 503 && tries < 200; tries++) {
    await pause(10)
    const stream = await openStream(page.port)
    status = stream.status
    stream.close()
  }
  t.equal(status, 200)
  for (const stream of streams) stream.close()
})

t.test('a page that does not read is dropped while the others go on', async t => {
  const { page, bus, clock, logged } = await openPage(t)
  const socket = connect({ host: '127.0.0.1', port: page.port })
  t.teardown(() => void socket.destroy())
  socket.write(`GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
  socket.pause()
  const stream = await openStream(page.port)
  await stream.next('snapshot')
  const message = 'x'.repeat(1024)
  const refused = { topic: 'a', client: 'b', code: 'bus.refused', message }
  let sent = 0
  for (; sent < 20_000 && !logged.includes('page.reader-dropped'); sent++) {
    bus.publish('message/refused', refused)
    if (sent % 50 === 49) await clock.advance(0)
    if (sent % 50 === 49) await settle()
  }
  t.ok(logged.includes('page.reader-dropped'), `dropped after ${sent} messages`)
  bus.publish('levels/sampled', { levels: { front: 1 }, colors: {} })
  await clock.advance(0)
  t.match(await stream.next('levels/sampled'), { payload: { levels: { front: 1 } } })
  stream.close()
})

t.test('log lines are read and followed', async t => {
  const line = (event: string): LogLine => ({
    at: wallTimeMs(1),
    level: 'warn',
    event,
    facts: { device: 'a' },
  })
  const lines = [line('one'), line('two'), line('three')]
  const { ask, page, clock } = await openPage(t, { logs: { recent: () => [...lines] } })
  const two = (await ask('/api/logs?limit=2')).json()
  t.match(two, { lines: [{ event: 'two', wallMs: 1, level: 'warn' }, { event: 'three' }] })
  t.equal((await ask('/api/logs?limit=0')).status, 400)
  t.equal((await ask('/api/logs?limit=abc')).status, 400)
  const stream = await openStream(page.port)
  lines.shift()
  lines.push(line('four'), line('five'))
  await clock.advance(500)
  await clock.advance(0)
  t.match(await stream.next('log'), { payload: { event: 'four' } })
  t.match(await stream.next('log'), { payload: { event: 'five' } })
  stream.close()
})

t.test(
  'the simulated board’s lines are followed and its buttons pressed by device name',
  async t => {
    const pressed: string[] = []
    let isActive = false
    const world = await openPage(t, {
      simulated: {
        lines: () => [{ name: 'light-1', direction: 'out', isActive, headerPin: 11 }],
        press: (input, holdMs) => {
          if (holdMs === 999) throw new BoxError('device.busy', 'it is held already')
          pressed.push(`${input} ${holdMs}`)
        },
      },
    })
    const device = { driver: 'push-button', kind: 'input', state: 'ready' } as const
    world.bus.publish('device/state', {
      device: 'go-button',
      ...device,
      code: null,
      message: null,
    })
    const press = (body: unknown): Promise<{ status: number; text: string }> =>
      world.ask('/api/simulated/press', { ...post, body })
    t.equal((await press({ input: 'go-button', holdMs: 100 })).status, 200)
    t.match(await press({ input: 'go-buton', holdMs: 100 }), { status: 409, text: /go-button/ })
    t.match(await press({ input: 'go-button', holdMs: 999 }), { status: 409, text: /device.busy/ })
    t.equal((await press({ input: 'go-button', holdMs: 5 })).status, 400)
    t.same(pressed, ['go-button 100'])

    const stream = await openStream(world.page.port)
    t.match(await stream.next('snapshot'), { lines: [{ isActive: false }] })
    isActive = true
    await world.clock.advance(200)
    await world.clock.advance(0)
    for (let seen = false; !seen; ) {
      const body = JSON.stringify(await stream.next('lines'))
      seen = body.includes('"isActive":true')
    }
    stream.close()
  },
)

t.test('a port that is taken and a folder without a page are said by name', async t => {
  const { page } = await openPage(t)
  const taken = openPage(t, { config: { port: page.port, reach: 'loopback' } })
  await t.rejects(taken, { code: 'port.taken' })
  await t.rejects(openPage(t, { assetsFolder: '/nonexistent' }), { code: 'storage.io' })
  await t.rejects(openPage(t, { operatorToken: 'short' }), ConfigError)
})

t.test('a page with readers stops at once, twice, and starts again', async t => {
  const { page, clock, ask } = await openPage(t)
  const stream = await openStream(page.port)
  await within(clock, 1_000, 'the page did not stop', page.stop())
  await page.stop()
  await stream.ended
  await page.start()
  t.equal((await ask('/health')).status, 503)
})
