import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type Server } from 'node:net'
import t, { type Test } from 'tap'
import { LinuxNetwork } from '../../drivers/linux/network.js'
import { BoxError } from '../../runtime/core/errors.js'
import { hurried, networkContract, to } from './network.contract.js'

async function listen(t: Test, server: Server): Promise<string> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise(resolve => server.close(resolve)))
  const address = server.address()
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}/` : ''
}

async function serve(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  const url = await listen(t, server)
  t.teardown(() => server.closeAllConnections())
  return url
}

networkContract(t, t => ({
  network: new LinuxNetwork(),
  answering: status =>
    serve(t, (_, response) =>
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(),
    ),
  silent: () => serve(t, () => {}),
  absent: async () => {
    const server = createTcpServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    await new Promise(resolve => server.close(resolve))
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 1}/`
  },
  pass: async () => {},
}))

t.test('body and content type arrive as they were given', async t => {
  const seen: string[] = []
  const url = await serve(t, (request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['content-type']}`)
    request.on('data', part => seen.push(String(part)))
    request.on('end', () => response.writeHead(202).end('thanks'))
  })
  const status = await new LinuxNetwork().request({
    method: 'POST',
    url: `${url}hook?cue=2`,
    body: '{"cue":"é"}',
    contentType: 'application/json',
    timeoutMs: 5_000,
  })
  t.equal(status, 202)
  t.same(seen, ['POST /hook?cue=2 application/json', '{"cue":"é"}'])
})

t.test('an answer without an end is read for one MiB and no further', async t => {
  let sent = 0
  const url = await serve(t, (_, response) => {
    response.writeHead(200)
    const pour = (): void => {
      while (!response.destroyed && sent < 64 * 1024 * 1024) {
        sent += 65_536
        if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', pour)
      }
    }
    pour()
  })
  t.equal(await new LinuxNetwork().request({ ...to(url), timeoutMs: 10_000 }), 200)
  t.ok(sent < 32 * 1024 * 1024, `${sent} bytes`)
})

t.test(
  'an answer that stops in the middle is a time-out, one that breaks off is a link down',
  async t => {
    const silent = await serve(t, (_, response) => void response.writeHead(200).write('half'))
    const broken = await serve(t, (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy())
    })
    const network = new LinuxNetwork()
    t.equal(await codeOf(network.request(to(silent))), 'link.timeout')
    t.equal(await codeOf(network.request({ ...to(broken), timeoutMs: 5_000 })), 'link.down')
  },
)

t.test('what is not HTTP is a link down', async t => {
  const url = await listen(
    t,
    createTcpServer(socket =>
      socket
        .on('error', () => {})
        .resume()
        .end('SSH-2.0-not-http\r\n'),
    ),
  )
  t.equal(await codeOf(new LinuxNetwork().request({ ...to(url), timeoutMs: 5_000 })), 'link.down')
})

t.test(
  'at most 32 requests are under way, and a token in the address is not in the message',
  async t => {
    const url = await serve(t, () => {})
    const network = new LinuxNetwork()
    const address = `${url.replace('//', '//user:password@')}hook?token=secret`
    const calls = Array.from({ length: 33 }, () => codeOf(network.request(hurried(address))))
    t.equal(await calls[32], 'link.down')
    t.same(new Set(await Promise.all(calls.slice(0, 32))), new Set(['link.timeout']))
    const message = await network.request(hurried(address)).catch((error: unknown) => String(error))
    t.match(message, /GET http:\/\/127.0.0.1:\d+\/hook: no answer within 100 ms/)
  },
)

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'ok',
    (error: unknown) => (error instanceof BoxError ? error.code : String(error)),
  )
}
