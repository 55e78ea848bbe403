/** Servers that are old, wrong, slow or hostile, on loopback, and the whole way from them to the disk. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { LinuxKeys } from '../../../drivers/linux/keys.js'
import { LinuxPieceStore } from '../../../drivers/linux/piece-store.js'
import { WebPieceSource } from '../../../drivers/linux/piece-web.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import type { FetchProgress } from '../../../ota/fetch/fetch-progress.js'
import { Fetcher } from '../../../ota/fetch/fetcher.js'
import { Shelf } from '../../../ota/fetch/shelf.js'
import { PIECE_BYTES } from '../../../ota/release/description.js'
import { BoxError } from '../../../runtime/core/errors.js'
import type { PieceSource } from '../../../runtime/ports/piece-source.js'
import { randomObject } from '../../ota/fetch/objects.js'
import { type Behaviour, startHub, type TestHub } from '../../ota/fetch/test-hub.js'

const test = randomObject(5 * PIECE_BYTES + 100, 3)
const { object, bytes } = test
const total = bytes.length

async function fetchFrom(
  t: Test,
  sources: readonly PieceSource[],
  giveUpMs = 60_000,
): Promise<FetchProgress | null> {
  const clock = new LinuxClock(ownAnchor())
  const shelf = new Shelf(new LinuxPieceStore(join(t.testdir({}), 'objects')), new LinuxKeys())
  const log = new SimulatedLog()
  const fetcher = new Fetcher(
    { clock, log, shelf, sources: () => sources, neighbours: null },
    { seed: 1, bytesPerSecond: () => null, mayUseUplink: () => true, giveUpMs },
  )
  const state: { progress: FetchProgress | null } = { progress: null }
  const fetched = await fetcher.fetch(object, {
    progress: progress => {
      state.progress = progress
    },
    isCancelled: () => false,
  })
  const read = new Uint8Array(total)
  await fetched.read(0, read)
  await shelf.closeAll()
  t.ok(Buffer.compare(read, bytes) === 0, 'every byte is right')
  return state.progress
}

/** The code that the source itself ends with, once. */
async function codeFrom(hub: TestHub, behave: Behaviour): Promise<string> {
  hub.behave = behave
  const { done } = new WebPieceSource(hub.url).ask(
    { ...object, from: PIECE_BYTES, to: 3 * PIECE_BYTES },
    async () => true,
  )
  return done.then(
    () => 'done',
    (error: unknown) => (error instanceof BoxError ? error.code : String(error)),
  )
}

t.test('what is not exactly an answer to the question is refused', async t => {
  const hub = await startHub(t, test)
  const part = bytes.subarray(PIECE_BYTES, 3 * PIECE_BYTES)
  const range = `bytes ${PIECE_BYTES}-${3 * PIECE_BYTES - 1}/${total}`
  const answer =
    (status: number, headers: Record<string, string>, body: Uint8Array = part): Behaviour =>
    (_, response) => {
      response.writeHead(status, headers).end(body)
      return true
    }
  const cases: readonly [what: string, behave: Behaviour, code: string][] = [
    ['right', answer(206, { 'content-range': range }), 'done'],
    ['no total', answer(206, { 'content-range': range.replace(`${total}`, '*') }), 'done'],
    ['no range said', answer(206, {}), 'fetch.refused'],
    ['another range', answer(206, { 'content-range': `bytes 0-9/${total}` }), 'fetch.refused'],
    [
      'more than asked',
      answer(206, { 'content-range': `bytes ${PIECE_BYTES}-${total - 1}/${total}` }),
      'fetch.refused',
    ],
    [
      'another object',
      answer(206, { 'content-range': range.replace(`${total}`, '999999999') }),
      'fetch.refused',
    ],
    [
      'backwards',
      answer(206, { 'content-range': `bytes ${PIECE_BYTES}-1/${total}` }),
      'fetch.refused',
    ],
    [
      'several ranges',
      answer(206, { 'content-type': 'multipart/byteranges; boundary=x' }),
      'fetch.refused',
    ],
    [
      'a length that lies',
      answer(206, { 'content-range': range, 'content-length': '5' }, part.subarray(0, 5)),
      'fetch.refused',
    ],
    [
      'too long',
      answer(206, { 'content-range': range, 'transfer-encoding': 'chunked' }, bytes),
      'fetch.refused',
    ],
    [
      'too short, and the same again for the rest',
      answer(206, { 'content-range': range, 'transfer-encoding': 'chunked' }, part.subarray(9)),
      'fetch.refused',
    ],
    [
      'too short to go on from',
      answer(206, { 'content-range': range, 'transfer-encoding': 'chunked' }, part.subarray(0, 9)),
      'link.down',
    ],
    [
      'packed',
      answer(206, { 'content-range': range, 'content-encoding': 'gzip' }, gzipSync(part)),
      'fetch.refused',
    ],
    [
      'whole of another length',
      answer(200, { 'content-length': '7' }, part.subarray(0, 7)),
      'fetch.refused',
    ],
    ['416', answer(416, {}), 'fetch.refused'],
    ['304', answer(304, {}, new Uint8Array()), 'fetch.refused'],
    ['403', answer(403, {}), 'fetch.refused'],
    ['404', answer(404, {}), 'fetch.absent'],
    ['410', answer(410, {}), 'fetch.absent'],
    ['429', answer(429, {}), 'link.down'],
    ['503', answer(503, {}), 'link.down'],
    ['a redirect in circles', answer(302, { location: '/round' }), 'fetch.refused'],
    ['a redirect to a file', answer(301, { location: 'file:///etc/passwd' }), 'fetch.refused'],
    ['a redirect to nowhere', answer(307, {}), 'fetch.refused'],
  ]
  for (const [what, behave, code] of cases) t.equal(await codeFrom(hub, behave), code, what)
})

t.test('what is no HTTP at all is a link that is down', async t => {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.resume()
    socket.write('220 mail.example ESMTP\r\n')
    socket.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise(resolve => server.close(resolve)))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const hub = {
    url: `http://user:secret@127.0.0.1:${port}`,
    behave: () => false,
    byteCount: 0,
    ranges: [],
  }
  t.equal(await codeFrom(hub, () => false), 'link.down')
  t.equal(new WebPieceSource(hub.url).name, `http://127.0.0.1:${port}`, 'no password in a name')
})

t.test('a good hub gives every byte once, and a redirect is followed', async t => {
  const hub = await startHub(t, test)
  const front = await startHub(t, test)
  front.behave = (request, response) => {
    response.writeHead(302, { location: `${hub.url}${request.url}` }).end()
    return true
  }
  const progress = await fetchFrom(t, [new WebPieceSource(`${front.url}/`)])
  t.equal(progress?.uplinkByteCount, total)
  t.equal(hub.byteCount, total)
})

t.test('a server without ranges gives the whole once', async t => {
  const hub = await startHub(t, test)
  let count = 0
  hub.behave = (_, response) => {
    count++
    response.writeHead(200).end(bytes)
    return true
  }
  const progress = await fetchFrom(t, [new WebPieceSource(hub.url)])
  t.ok(count <= 2, `${count} requests`)
  t.ok((progress?.uplinkByteCount ?? 0) <= total + PIECE_BYTES)
})

t.test('connections that are reset after some bytes cost nothing', async t => {
  const hub = await startHub(t, test)
  let resets = 0
  hub.behave = (request, response) => {
    const [, from] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? []
    if (resets >= 3) return false
    resets++
    response.writeHead(206, {
      'content-range': `bytes ${from}-${total - 1}/${total}`,
      'content-length': total - Number(from),
    })
    response.write(bytes.subarray(Number(from), Number(from) + PIECE_BYTES + 1000), () =>
      request.socket.resetAndDestroy(),
    )
    return true
  }
  const progress = await fetchFrom(t, [new WebPieceSource(hub.url)])
  t.equal(resets, 3)
  t.equal(progress?.uplinkByteCount, total)
})

t.test('a server that gives less than a piece at a time gives all of it', async t => {
  const hub = await startHub(t, test)
  hub.behave = (request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const end = Math.min(Number(to) + 1, Number(from) + 100_000)
    response.writeHead(206, {
      'content-range': `bytes ${from}-${end - 1}/${total}`,
      'content-length': end - Number(from),
    })
    response.end(bytes.subarray(Number(from), end))
    return true
  }
  const progress = await fetchFrom(t, [new WebPieceSource(hub.url)])
  t.equal(progress?.uplinkByteCount, total)
  t.ok(hub.ranges.length <= total / 100_000 + 2, `${hub.ranges.length} requests`)
})

t.test('a mirror that lies, one that is gone, and the hub', async t => {
  const liar = await startHub(t, { object, bytes: bytes.map(byte => byte ^ 1) })
  const gone = await startHub(t, randomObject(10))
  const hub = await startHub(t, test)
  const sources = [liar, gone, hub].map(({ url }) => new WebPieceSource(url))
  const progress = await fetchFrom(t, sources)
  t.ok(liar.ranges.length <= 2, `the liar was asked ${liar.ranges.length} times`)
  t.ok(gone.ranges.length <= 2, `the one without it was asked ${gone.ranges.length} times`)
  t.ok((progress?.wastedByteCount ?? 0) <= 2 * PIECE_BYTES)
})
