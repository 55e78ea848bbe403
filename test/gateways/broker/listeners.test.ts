/** Clients that do not keep to the rules of TCP: they reset, close one side only, or say nothing more. */
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { makePapers } from './certificates.js'
import { type BrokerSettings, startBroker, until, WAIT_MS, within } from './harness.js'

const papers = await makePapers(t)
await papers.authority('tour')
await papers.certificate('box', 'tour')
await papers.certificate('lamp-1', 'tour')
const tls = {
  port: 0,
  certificate: 'box.crt',
  key: 'box.key',
  clientAuthority: 'tour.crt',
  revoked: null,
  boxes: [],
}
const identity = {
  ca: await readFile(papers.path('tour.crt')),
  cert: await readFile(papers.path('lamp-1.crt')),
  key: await readFile(papers.path('lamp-1.key')),
  servername: 'localhost',
}

const upgrade = (path: string, lines: readonly string[] = []): string =>
  [
    `GET ${path} HTTP/1.1`,
    'host: localhost',
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    ...lines,
    '\r\n',
  ].join('\r\n')

const requests = {
  'a refused path': upgrade('/nope'),
  'no subprotocol': upgrade('/mqtt'),
  'another site': upgrade('/mqtt', ['sec-websocket-protocol: mqtt', 'origin: http://evil.example']),
  'a spoiled key': upgrade('/mqtt', ['sec-websocket-protocol: mqtt', 'sec-websocket-version: 1']),
  'an accepted upgrade': upgrade('/mqtt', ['sec-websocket-protocol: mqtt']),
  'no upgrade': 'GET /mqtt HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'half a request': 'GET /mqtt HTTP/1.1\r\nhost: loc',
  'no HTTP': '\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00',
}

interface Doors {
  readonly tcp: number
  readonly tls: number
  readonly webSocket: number
}

/** A broker whose WebSocket is plain, or behind TLS with the other doors. */
async function openDoors(t: Test, isTls: boolean, settings: BrokerSettings = {}): Promise<Doors> {
  const { broker } = await startBroker({
    files: papers.files,
    ...settings,
    config: { webSocketPort: 0, ...(isTls ? { tls } : {}) },
  })
  t.teardown(() => broker.stop())
  const ports = broker.ports()
  return { tcp: ports.tcp, tls: ports.tls ?? 0, webSocket: ports.webSocket ?? 0 }
}

/** Never closes its side by itself. */
async function reach(t: Test, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  t.teardown(() => void socket.destroy())
  socket.on('error', () => {})
  await within(new Promise(resolve => socket.once('connect', resolve)), 'the connection')
  return socket
}

async function encrypt(t: Test, socket: Socket): Promise<TLSSocket> {
  const secure = connectTls({ ...identity, socket })
  t.teardown(() => void secure.destroy())
  secure.on('error', () => {})
  const shaken = new Promise<void>((resolve, reject) => {
    secure.once('secureConnect', resolve)
    socket.once('close', () => reject(new Error('closed in the handshake')))
  })
  await within(shaken, 'the handshake')
  return secure
}

/** What a socket says, then that its connection is reset: at once, or when the first word of the answer is there. */
async function sayAndReset(
  socket: Socket,
  voice: Socket,
  words: string,
  isPatient: boolean,
): Promise<void> {
  const closed = new Promise(resolve => socket.once('close', resolve))
  if (isPatient) {
    const heard = new Promise(resolve => voice.once('data', resolve).once('end', resolve))
    voice.write(words)
    await Promise.race([within(heard, 'an answer'), closed])
  } else {
    await new Promise(resolve => voice.write(words, resolve))
  }
  socket.resetAndDestroy()
  await within(closed, 'the end')
}

/** The next one is served: a socket that nobody listened to would have ended the process. */
async function isServed(t: Test, port: number): Promise<boolean> {
  const socket = await reach(t, port)
  const voice = await encryptWhere(t, socket, port)
  let text = ''
  voice.on('data', bytes => {
    text += String(bytes)
  })
  voice.write(requests['an accepted upgrade'])
  await until(() => text.includes('\r\n') || socket.closed || voice.readableEnded, 'an answer')
  socket.destroy()
  return text.startsWith('HTTP/1.1 101')
}

const encrypted = new Set<number>()
const encryptWhere = async (t: Test, socket: Socket, port: number): Promise<Socket> =>
  encrypted.has(port) ? encrypt(t, socket) : socket

for (const isTls of [false, true])
  t.test(`${isTls ? 'wss' : 'ws'}: a client that resets takes nobody with it`, async t => {
    const { webSocket } = await openDoors(t, isTls)
    if (isTls) encrypted.add(webSocket)
    for (const [what, words] of Object.entries(requests)) {
      const isAnswered = what !== 'half a request'
      for (const isPatient of isAnswered ? [true, false, false] : [false]) {
        const socket = await reach(t, webSocket)
        await sayAndReset(socket, await encryptWhere(t, socket, webSocket), words, isPatient)
      }
      t.ok(await isServed(t, webSocket), what)
    }
  })

const CONNECT = '\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00'

t.test('mqtt and mqtts: a client that resets takes nobody with it', async t => {
  const doors = await openDoors(t, true)
  for (const words of ['', 'GET / HTTP/1.1\r\n\r\n', CONNECT, CONNECT.slice(0, 5)]) {
    for (const port of [doors.tcp, doors.tls]) {
      const socket = await reach(t, port)
      await sayAndReset(socket, socket, words, false)
    }
    const socket = await reach(t, doors.tls)
    await sayAndReset(socket, await encrypt(t, socket), words, false)
  }
  const hasty = await reach(t, doors.tls)
  connectTls({ ...identity, socket: hasty }).on('error', () => {})
  await until(() => hasty.bytesRead > 0, 'the certificate of the box')
  hasty.resetAndDestroy()
  const last = await encrypt(t, await reach(t, doors.tls))
  t.ok(last.authorized, 'the next one gets in')
})

const PLACES = 4

for (const isTls of [false, true])
  t.test(`${isTls ? 'wss' : 'ws'}: who never closes keeps no place`, async t => {
    const { webSocket } = await openDoors(t, isTls, {
      limits: { connectionsPerAddressMax: PLACES, connectMs: 500 },
    })
    if (isTls) encrypted.add(webSocket)
    for (const [what, words] of Object.entries(requests)) {
      for (let n = 0; n < PLACES; n++) {
        const socket = await reach(t, webSocket)
        // The one who was served before may still have a place: then this one finds none.
        const voice = await encryptWhere(t, socket, webSocket).catch(() => socket)
        voice.resume().write(words)
      }
      t.ok(await soon(() => isServed(t, webSocket)), what)
    }
  })

t.test('mqtts: who never closes keeps no place, whether it was refused or silent', async t => {
  const doors = await openDoors(t, true, {
    limits: { connectionsPerAddressMax: PLACES, connectMs: 500 },
  })
  for (const words of ['', 'GET / HTTP/1.1\r\n\r\n', CONNECT]) {
    const crowd: Socket[] = []
    for (let n = 0; n < PLACES; n++) crowd.push(await reach(t, doors.tls))
    for (const socket of crowd) socket.resume().write(words)
    await until(
      () => crowd.every(({ closed, readableEnded }) => closed || readableEnded),
      'the end',
    )
    const enters = async (): Promise<boolean> =>
      (await encrypt(t, await reach(t, doors.tls))).authorized
    t.ok(await soon(enters), JSON.stringify(words))
  }
})

/** A socket is counted until its end has reached the box. */
async function soon(isSo: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + WAIT_MS
  while (Date.now() < deadline) if (await isSo().catch(() => false)) return true
  return false
}
