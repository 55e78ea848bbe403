/** The venue's sockets on loopback, which has no multicast: one box, answers that no datagram holds, and who asks wrongly. */
import { createSocket } from 'node:dgram'
import { createConnection, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { LinuxVenueLink } from '../../../drivers/linux/venue-link.js'

const HERE = '127.0.0.1'
const clock = new LinuxClock(ownAnchor())

/** A port that is free at the moment. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, HERE, resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function opened(t: Test, port: number): Promise<LinuxVenueLink> {
  const link = new LinuxVenueLink(clock, 'lo', port)
  await link.open()
  t.teardown(() => link.close())
  return link
}

t.test('a datagram for this box arrives, and one that is too long does not', async t => {
  const port = await freePort()
  const link = await opened(t, port)
  const heard = new Promise<{ datagram: Uint8Array; from: string }>(resolve =>
    link.onDatagram((datagram, from) => resolve({ datagram, from })),
  )
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.send(new Uint8Array(1_401), port, HERE)
  socket.send(Uint8Array.of(1, 2, 3), port, HERE)
  t.same(await heard, { datagram: Uint8Array.of(1, 2, 3), from: HERE })
})

t.test('a long answer comes whole', async t => {
  const port = await freePort()
  const link = await opened(t, port)
  const long = new Uint8Array(3_000_000).map((_, at) => at * 7)
  link.onRequest(question => (question[0] === 9 ? long : null))
  const answer = await link.request(HERE, Uint8Array.of(9))
  t.ok(Buffer.from(answer).equals(Buffer.from(long)))
})

t.test('who has no answer, or is not there, is told of as down', async t => {
  const port = await freePort()
  const link = await opened(t, port)
  await t.rejects(link.request(HERE, Uint8Array.of(1)), { code: 'link.down' })
  const alone = new LinuxVenueLink(clock, 'lo', port)
  await t.rejects(alone.request(HERE, Uint8Array.of(1)), { code: 'link.down' })
  await t.rejects(alone.open(), { code: 'port.taken' })
  await t.rejects(link.open(), { code: 'device.busy' })
  await t.rejects(new LinuxVenueLink(clock, 'nowhere', port).open(), { code: 'device.absent' })
})

t.test('who asks too much is hung up on, and the next one is answered', async t => {
  const port = await freePort()
  const link = await opened(t, port)
  link.onRequest(question => question)
  for (const bytes of [Buffer.alloc(9_000, 1), Buffer.from([0, 1, 0, 0, 1])]) {
    const stream = createConnection({ host: HERE, port })
    const closed = new Promise(resolve => stream.once('close', resolve))
    stream.on('error', () => {})
    stream.resume()
    stream.write(bytes)
    await closed
  }
  t.same(await link.request(HERE, Uint8Array.of(4)), Uint8Array.of(4))
})

/** Somebody who is not hung up on, until the end of the test at the latest. */
function stranger(t: Test, port: number, from: string): Socket {
  const stream = createConnection({ host: HERE, port, localAddress: from })
  stream.on('error', () => {})
  t.teardown(() => stream.destroy())
  return stream
}

const closed = (stream: Socket): Promise<unknown> =>
  stream.closed ? Promise.resolve() : new Promise(resolve => stream.once('close', resolve))

t.test('who dribbles is hung up on as who says nothing', async t => {
  const port = await freePort()
  const link = await opened(t, port)
  link.onRequest(question => question)
  const dribbler = stranger(t, port, HERE)
  dribbler.write(Buffer.from([0, 0, 16, 0]))
  const dribbling = setInterval(() => dribbler.write(Buffer.alloc(1)), 200)
  t.teardown(() => clearInterval(dribbling))
  await Promise.all([closed(dribbler), closed(stranger(t, port, HERE))])
  t.ok(dribbler.closed)
})

t.test('an answer that dribbles in is given up', async t => {
  const port = await freePort()
  const link = await opened(t, port)
  const server = createServer(stream => {
    stream.on('error', () => {})
    stream.write(Buffer.from([0, 0, 16, 0]))
    const dribbling = setInterval(() => stream.write(Buffer.alloc(1)), 200)
    stream.once('close', () => clearInterval(dribbling))
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.9', resolve))
  t.teardown(() => new Promise(resolve => server.close(resolve)))
  await t.rejects(link.request('127.0.0.9', Uint8Array.of(1)), { code: 'link.timeout' })
})

t.test('hundreds who say nothing keep nobody from an answer', async t => {
  const port = await freePort()
  const link = await opened(t, port)
  link.onRequest(question => question)
  const silent = Array.from({ length: 300 }, (_, at) =>
    stranger(t, port, `127.0.0.${10 + (at % 3)}`),
  )
  await Promise.all(silent.map(one => new Promise(resolve => one.once('connect', resolve))))
  t.same(await link.request(HERE, Uint8Array.of(6)), Uint8Array.of(6))
  const ended = await Promise.all(silent.map(one => closed(one).then(() => true)))
  t.equal(ended.length, 300)
})

t.test('a closed link can be opened again, and closed twice', async t => {
  const port = await freePort()
  const link = await opened(t, port)
  await link.close()
  await link.close()
  link.send(Uint8Array.of(1), HERE)
  await t.rejects(link.request(HERE, Uint8Array.of(1)), { code: 'link.down' })
  await link.open()
  link.onRequest(question => question)
  t.same(await link.request(HERE, Uint8Array.of(5)), Uint8Array.of(5))
})
