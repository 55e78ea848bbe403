/** Clients of the page that do not keep to the rules: they reset, or never finish what they began to ask. */
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { openPage, TOKEN } from './page-world.js'

/** More than the limit of the headers, less than Node's own 30 s between two looks at its connections. */
const CUT_MS_MAX = 15_000

const head = (line: string, lines: readonly string[] = []): string =>
  [line, 'host: 127.0.0.1', ...lines, '\r\n'].join('\r\n')

const json = ['content-type: application/json', `authorization: Bearer ${TOKEN}`]

const requests = {
  'the stream of events': head('GET /api/events HTTP/1.1'),
  'an upgrade': head('GET /api/state HTTP/1.1', ['connection: upgrade', 'upgrade: websocket']),
  'a tunnel': head('CONNECT a:1 HTTP/1.1'),
  'half a command': `${head('POST /api/command HTTP/1.1', [...json, 'content-length: 100'])}{"a`,
  'many in a row': head('GET / HTTP/1.1').repeat(50),
  'no HTTP': '\x16\x03\x01\x00\xff\x01\r\n\r\n',
}

function reach(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  socket.on('error', () => {})
  return new Promise(resolve => socket.once('connect', () => resolve(socket)))
}

t.test('a client that resets takes nobody with it', async t => {
  const { page, ask } = await openPage(t)
  for (const [what, words] of Object.entries(requests)) {
    const hasty = await reach(page.port)
    hasty.write(words, () => hasty.resetAndDestroy())
    if (what !== 'half a command') {
      const patient = await reach(page.port)
      const answered = new Promise(resolve => patient.once('data', resolve).once('end', resolve))
      patient.write(words)
      await answered
      patient.resetAndDestroy()
    }
    t.equal((await ask('/')).status, 200, what)
  }
})

t.test('who does not finish its request within some seconds is cut off', async t => {
  const { page } = await openPage(t)
  const slow = await Promise.all(
    ['', 'GET / HTTP/1.1\r\nho'].map(async words => {
      const socket = await reach(page.port)
      t.teardown(() => void socket.destroy())
      if (words !== '') socket.write(words)
      return socket.resume()
    }),
  )
  const isCut = await Promise.race([
    Promise.all(slow.map(socket => new Promise(resolve => socket.once('end', resolve)))),
    new Promise(resolve => setTimeout(() => resolve(null), CUT_MS_MAX).unref()),
  ])
  t.not(isCut, null)
})
