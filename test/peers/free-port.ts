import { createServer } from 'node:net'

/** Of loopback, where nobody listens just now: for a program that must be told its port, or has to find it again. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a port was chosen')
  return address.port
}
