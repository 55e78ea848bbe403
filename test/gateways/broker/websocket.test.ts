import { connect as connectTcp } from 'node:net'
import { connect, type IClientOptions } from 'mqtt'
import t from 'tap'
import { WebSocket } from 'ws'
import { base, password, startBroker, TestClient, until, users, within } from './harness.js'

const open = async (url: string, options: IClientOptions = {}): Promise<TestClient> => {
  const mqtt = connect(url, {
    username: users.operate,
    password,
    reconnectPeriod: 0,
    protocolVersion: 4,
    ...options,
  })
  const client = new TestClient(mqtt)
  await within(
    new Promise((resolve, reject) => {
      mqtt.once('connect', resolve)
      mqtt.once('error', reject)
      mqtt.once('close', () => reject(new Error('closed')))
    }),
    'connect',
  ).catch((error: unknown) => {
    mqtt.end(true)
    throw error
  })
  return client
}

t.test('a page of the box commands and reads over WebSocket', async t => {
  const { broker, commands, bus } = await startBroker({ config: { webSocketPort: 0 } })
  const port = broker.ports().webSocket
  const page = await open(`ws://127.0.0.1:${port}/mqtt`, {
    wsOptions: { origin: 'http://127.0.0.1:8080' },
  })
  await page.subscribe(`${base}/cue/late`)
  bus.publish('cue/late', { count: 1, p50: 1, p95: 1, p99: 1, max: 1 })
  await page.received(1)
  await page.publish(`${base}/cue`, 'GO')
  t.match(commands, [{ action: 'go' }])
  await page.end()
  await broker.stop()
})

t.test('a page of another site, another path and another protocol are refused', async t => {
  const { broker } = await startBroker({ config: { webSocketPort: 0 } })
  const port = broker.ports().webSocket
  const ours = `ws://127.0.0.1:${port}/mqtt`
  for (const [url, options, status] of [
    [ours, { origin: 'http://evil.example' }, 403],
    [ours, { origin: 'null' }, 403],
    // A name that was made to point here.
    [ours, { origin: 'http://evil.example', headers: { host: 'evil.example' } }, 403],
    [`ws://127.0.0.1:${port}/other`, {}, 404],
  ] as const)
    t.equal(await statusOf(new WebSocket(url, 'mqtt', options)), status, url)
  t.equal(await statusOf(new WebSocket(ours, 'chat')), 400)
  const answer = await plainHttp(port ?? 0)
  t.match(answer, /^HTTP\/1\.1 426/)
  t.equal(broker.read()?.connected, 0)
  await broker.stop()
})

t.test('a message that is too large closes the WebSocket, and the broker goes on', async t => {
  const { broker } = await startBroker({
    config: { webSocketPort: 0 },
    limits: { packetBytesMax: 70_000 },
  })
  const url = `ws://127.0.0.1:${broker.ports().webSocket}/mqtt`
  const page = await open(url)
  page.mqtt.publish(`${base}/cue`, 'x'.repeat(200_000), { qos: 0 })
  await until(() => !page.mqtt.connected, 'the connection to close')
  const next = await open(url)
  t.equal(broker.read()?.connected, 1)
  await next.end()
  await broker.stop()
})

/** 101 when the upgrade was accepted. */
function statusOf(socket: WebSocket): Promise<number> {
  return within(
    new Promise(resolve => {
      socket.on('open', () => {
        socket.terminate()
        resolve(101)
      })
      socket.on('error', () => {})
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))
    }),
    'an answer',
  )
}

function plainHttp(port: number): Promise<string> {
  return within(
    new Promise((resolve, reject) => {
      let text = ''
      const socket = connectTcp({ port, host: '127.0.0.1' })
      socket.on('data', bytes => {
        text += String(bytes)
      })
      socket.on('end', () => resolve(text)).on('error', reject)
      socket.write('GET /mqtt HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
    }),
    'an answer',
  )
}
