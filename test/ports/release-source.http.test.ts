import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { HttpSource } from '../../drivers/linux/http-source.js'
import { rejectsWith, releaseSourceContract, type SourceBench } from './release-source.contract.js'

const HURRIED = { silenceMsMax: 100, wholeMsMax: 300 }
const PATIENT = { silenceMsMax: 5_000, wholeMsMax: 5_000 }

async function serving(
  t: Test,
  answer: RequestListener,
  options = PATIENT,
): Promise<{ source: HttpSource; vanish: () => Promise<void> }> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const vanish = async (): Promise<void> => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  t.teardown(async () => (server.listening ? vanish() : undefined))
  const { port } = server.address() as AddressInfo
  return { source: new HttpSource(`http://127.0.0.1:${port}/base/`, options), vanish }
}

async function makeBench(t: Test): Promise<SourceBench> {
  const files = new Map<string, Uint8Array>()
  const { source, vanish } = await serving(t, (request, response) => {
    const path = (request.url ?? '').replace(/^\/base\//, '')
    const name = path.split('/').map(decodeURIComponent).join('/')
    const bytes = path.includes('%2F') ? undefined : files.get(name)
    response.statusCode = bytes === undefined ? 404 : 200
    response.end(bytes)
  })
  return { source, put: (name, bytes) => files.set(name, bytes), vanish }
}

releaseSourceContract(t, makeBench)

t.test('a redirect is refused, and so is every other answer than 200', async t => {
  for (const status of [204, 206, 301, 302, 307, 401, 500, 503]) {
    const { source } = await serving(t, (_, response) => {
      response.writeHead(status, { location: '/base/other' }).end()
    })
    await rejectsWith(t, source.fetch('a', 10), 'link.down')
  }
  for (const status of [403, 404, 410]) {
    const { source } = await serving(t, (_, response) => void response.writeHead(status).end())
    t.equal(await source.fetch('a', 10), null)
  }
})

t.test('a server that is silent, or drips for ever, is `link.timeout`', async t => {
  const silent = await serving(t, () => {}, HURRIED)
  await rejectsWith(t, silent.source.fetch('a', 10), 'link.timeout')
  const dripping = await serving(
    t,
    (_, response) => {
      const drip = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(drip))
    },
    HURRIED,
  )
  await rejectsWith(t, dripping.source.fetch('a', 1_000_000), 'link.timeout')
})

t.test('a connection that breaks is `link.down`, and half a file is no file', async t => {
  const { source } = await serving(t, (_, response) => {
    response.writeHead(200, { 'content-length': '10' })
    response.write('half')
    setImmediate(() => response.destroy())
  })
  await rejectsWith(t, source.fetch('a', 10), 'link.down')
})

t.test('a flood without a length is cut off', async t => {
  let sent = 0
  const { source } = await serving(t, (_, response) => {
    const flood = (): void => {
      while (sent < 50_000_000 && response.write(Buffer.alloc(64 * 1024))) sent += 64 * 1024
    }
    response.on('drain', flood)
    flood()
  })
  await rejectsWith(t, source.fetch('a', 100_000), 'trust.limit')
  t.ok(sent < 20_000_000, `${sent} bytes were sent`)
})

t.test('what is not an http or https address is `link.down`', async t => {
  for (const base of ['', 'x', 'file:///etc', 'ftp://127.0.0.1/'])
    await rejectsWith(t, (async () => new HttpSource(base, PATIENT))(), 'link.down')
})

t.test('a server that is not there is told in words before those of the system', async t => {
  const { source, vanish } = await serving(t, () => {})
  await vanish()
  await t.rejects(source.fetch('metadata/timestamp.json', 10), {
    message: /\/base\/metadata\/timestamp\.json cannot be reached: connect ECONNREFUSED/,
  })
})
