/** A web server on loopback with one object, as well or badly behaved as a test says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { hashedTarget } from '../../../drivers/linux/piece-web.js'
import type { TestObject } from './objects.js'

/** Answers in place of the hub; false leaves it to the hub. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => boolean

export interface TestHub {
  readonly url: string
  behave: Behaviour
  /** Bytes of bodies that were sent, and the ranges that were asked for. */
  byteCount: number
  readonly ranges: string[]
}

export async function startHub(t: Test, { object, bytes }: TestObject): Promise<TestHub> {
  const hub = { url: '', behave: (): boolean => false, byteCount: 0, ranges: [] as string[] }
  const path = `/targets/${hashedTarget(object)}`
  const server = createServer((request, response) => {
    hub.ranges.push(request.headers.range ?? '')
    const behave: Behaviour = hub.behave
    if (behave(request, response)) return
    if (request.url?.split('?')[0] !== path) {
      response.writeHead(404).end()
      return
    }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const part = bytes.subarray(Number(from), Number(to) + 1)
    hub.byteCount += part.length
    response.writeHead(206, {
      'content-length': part.length,
      'content-range': `bytes ${from}-${to}/${bytes.length}`,
    })
    response.end(part)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const address = server.address()
  if (typeof address === 'object' && address !== null) hub.url = `http://127.0.0.1:${address.port}`
  return hub
}
